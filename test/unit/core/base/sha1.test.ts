import { createHash } from "node:crypto";
import fc from "fast-check";
import { sha1 } from "../../../../src/core/base/sha1.ts";

function reference(message: Uint8Array): string {
  return createHash("sha1").update(message).digest("hex");
}

describe("sha1", () => {
  test("gives the digest of the standard's example", () => {
    const digest = sha1(new TextEncoder().encode("abc"));
    expect(Buffer.from(digest).toString("hex")).toBe("a9993e364706816aba3e25717850c26c9cd0d89d");
  });

  test("agrees with node:crypto at every length around the block limits", () => {
    for (let length = 0; length <= 200; length++) {
      const message = Uint8Array.from({ length }, (_, index) => (index * 7 + length) & 0xff);
      expect(Buffer.from(sha1(message)).toString("hex")).toBe(reference(message));
    }
  });

  test("agrees with node:crypto on any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (message) => Buffer.from(sha1(message)).toString("hex") === reference(message)),
    );
  });

  test("leaves its input alone", () => {
    const message = Uint8Array.of(1, 2, 3);
    sha1(message);
    expect(Array.from(message)).toEqual([1, 2, 3]);
  });
});
