import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  PRODUCT_NAMESPACE,
  ZERO_GUID,
  buildGuid,
  findGuid,
  findMac,
  formatGuid,
  guidToBytes,
  sameGuid,
} from "../../../../src/core/base/ids.ts";
import type { Guid } from "../../../../src/core/base/ids.ts";

const DNS_NAMESPACE = guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8");

function guid(text: string): Guid {
  const found = findGuid(text);
  if (found === undefined) throw new Error(`no GUID: ${text}`);
  return found;
}

function referenceUuidV5(namespace: string, name: string): string {
  const digest = createHash("sha1")
    .update(Buffer.from(namespace.replaceAll("-", ""), "hex"))
    .update(name, "utf8")
    .digest()
    .subarray(0, 16);
  digest.writeUInt8((digest.readUInt8(6) & 0x0f) | 0x50, 6);
  digest.writeUInt8((digest.readUInt8(8) & 0x3f) | 0x80, 8);
  return digest.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

describe("findGuid", () => {
  test.each([
    ["6BA7B810-9DAD-11D1-80B4-00C04FD430C8"],
    ["6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    ["{6ba7b810-9DAD-11d1-80b4-00c04fd430c8}"],
    [" 6ba7b810-9dad-11d1-80b4-00c04fd430c8\r\n"],
  ])("reads %j", (text) => {
    expect(findGuid(text)).toBe("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  });

  test.each([
    [""],
    ["6ba7b8109dad11d180b400c04fd430c8"],
    ["6ba7b810-9dad-11d1-80b4-00c04fd430c"],
    ["6ba7b810-9dad-11d1-80b4-00c04fd430c88"],
    ["6ba7b810-9dad-11d1-80b4-00c04fd430cg"],
    ["{6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
    ["6ba7b810-9dad-11d1-80b4-00c04fd430c8}"],
    ["{6ba7b810-9dad-11d1-80b4-00c04fd430c8x"],
    ["x6ba7b810-9dad-11d1-80b4-00c04fd430c8}"],
    ["C:\\6ba7b810-9dad-11d1-80b4-00c04fd430c8"],
  ])("refuses %j", (text) => {
    expect(findGuid(text)).toBeUndefined();
  });
});

describe("buildGuid", () => {
  test("derives the product's namespace from its name in the DNS namespace", () => {
    expect(buildGuid(DNS_NAMESPACE, ["hns-cni"])).toBe(PRODUCT_NAMESPACE);
  });

  test("gives the UUIDv5 known for www.example.com", () => {
    expect(buildGuid(DNS_NAMESPACE, ["www.example.com"])).toBe("2ed6657d-e927-568b-95e1-2665a8aea6a2");
  });

  test("agrees with a UUIDv5 made by node:crypto", () => {
    const property = fc.property(fc.uuid(), fc.array(fc.string({ unit: "grapheme" }), { maxLength: 4 }), (namespace, parts) => {
      expect(buildGuid(guid(namespace), parts)).toBe(referenceUuidV5(namespace, parts.join("\0")));
    });
    fc.assert(property);
  });

  test("keeps parts apart", () => {
    expect(buildGuid(PRODUCT_NAMESPACE, ["a", "bc"])).not.toBe(buildGuid(PRODUCT_NAMESPACE, ["ab", "c"]));
  });
});

describe("GUID forms", () => {
  test("HNS gets upper case", () => {
    expect(formatGuid(DNS_NAMESPACE)).toBe("6BA7B810-9DAD-11D1-80B4-00C04FD430C8");
  });

  test("two texts of one GUID are the same", () => {
    expect(sameGuid("{6BA7B810-9DAD-11D1-80B4-00C04FD430C8}", DNS_NAMESPACE)).toBe(true);
    expect(sameGuid(ZERO_GUID, DNS_NAMESPACE)).toBe(false);
  });

  test("texts that are no GUIDs are not the same, even when equal", () => {
    expect(sameGuid("none", "none")).toBe(false);
  });

  test("the structure has its first three fields little-endian", () => {
    const bytes = guidToBytes(guid("00112233-4455-6677-8899-aabbccddeeff"));
    expect(Buffer.from(bytes).toString("hex")).toBe("33221100554477668899aabbccddeeff");
  });
});

describe("findMac", () => {
  test.each([["00-15-5D-0a-0B-0c"], ["00:15:5d:0A:0b:0C"], ["00155D0A0B0C"], [" 00-15-5d-0a-0b-0c "]])("reads %j", (text) => {
    expect(findMac(text)).toBe("00:15:5d:0a:0b:0c");
  });

  test.each([[""], ["00-15-5D-0A-0B"], ["00-15-5D-0A-0B-0C-0D"], ["00-15-5D-0A-0B-0G"], ["00-15:5D-0A-0B-0C"], ["0015-5D0A-0B0C"]])(
    "refuses %j",
    (text) => {
      expect(findMac(text)).toBeUndefined();
    },
  );
});
