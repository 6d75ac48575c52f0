import fc from "fast-check";
import {
  acceptsVersion,
  decodeAnswer,
  decodeCall,
  decodeRefusal,
  encodeAnswer,
  encodeCall,
  encodeRefusal,
  type Frame,
  FrameError,
  FrameReader,
  HEADER_BYTES,
  LIMITS,
  REFUSALS,
  type RefusalReason,
} from "../../../src/service/rpc/frame.ts";
import { ANSWER, bytes, CALL, REFUSAL } from "../../support/shim-vectors.ts";

/** The whole frame in these bytes. */
function read(content: Uint8Array, own?: number): Frame {
  const frame = new FrameReader(own).push(content);
  if (frame === undefined) throw new Error("the frame is not whole");
  return frame;
}

/** What the work throws must be a FrameError: its reason. */
function reasonOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof FrameError) return thrown.reason;
    throw thrown;
  }
  return "none";
}

/** A copy with the number at `at` changed. */
function patch(content: Uint8Array, at: number, value: number): Uint8Array {
  const copy = content.slice();
  new DataView(copy.buffer).setUint32(at, value, true);
  return copy;
}

/** A copy whose body has these bytes more. */
function extend(content: Uint8Array, more: Uint8Array): Uint8Array {
  return patch(Uint8Array.from([...content, ...more]), 12, content.length - HEADER_BYTES + more.length);
}

const VECTORS = [
  { name: "call", frame: CALL.frame, encode: () => encodeCall(CALL.value), decode: (frame: Frame) => decodeCall(frame), value: CALL.value },
  {
    name: "answer",
    frame: ANSWER.frame,
    encode: () => encodeAnswer(ANSWER.value),
    decode: (frame: Frame) => decodeAnswer(frame),
    value: ANSWER.value,
  },
  {
    name: "refusal",
    frame: REFUSAL.frame,
    encode: () => encodeRefusal(REFUSAL.value),
    decode: (frame: Frame) => decodeRefusal(frame),
    value: REFUSAL.value,
  },
] as const;

describe.each(VECTORS)("the frame of $name", ({ frame, encode, decode, value }) => {
  it("is written as the protocol says", () => {
    expect(Buffer.from(encode()).toString("hex")).toBe(Buffer.from(frame).toString("hex"));
  });

  it("is read as the protocol says", () => {
    expect(decode(read(frame))).toEqual(value);
  });

  it("is not whole at any earlier byte, and is at the last, however it is cut", () => {
    for (let cut = 0; cut < frame.length; cut++) {
      const reader = new FrameReader();
      expect(reader.push(frame.subarray(0, cut))).toBeUndefined();
      expect(reader.push(frame.subarray(cut))).toEqual(read(frame));
    }
    const reader = new FrameReader();
    const seen = [...frame].map((byte) => reader.push(Uint8Array.of(byte)));
    expect(seen.findIndex((one) => one !== undefined)).toBe(frame.length - 1);
  });

  it("is malformed when its body ends at any earlier byte", () => {
    for (let length = 0; length < frame.length - HEADER_BYTES; length++) {
      const body = frame.subarray(HEADER_BYTES, HEADER_BYTES + length);
      expect(reasonOf(() => decode({ ...read(frame), body }))).toBe("malformed");
    }
  });

  it("may have more at its end when the sender is newer, and only then", () => {
    const longer = extend(frame, bytes("01 02 03"));
    expect(reasonOf(() => decode(read(longer)))).toBe("malformed");
    expect(decode(read(patch(longer, 4, 2)))).toEqual(value);
  });

  it("leaves alone what follows it", () => {
    expect(read(Uint8Array.from([...frame, 1, 2, 3]))).toEqual(read(frame));
  });

  it("is refused in the place of another type", () => {
    const others = VECTORS.filter((other) => other.frame !== frame);
    expect(others.map((other) => reasonOf(() => other.decode(read(frame))))).toEqual(["malformed", "malformed"]);
  });
});

describe("the header", () => {
  it.each([
    ["another first word", 0, 0x1234_5678, "malformed"],
    ["version 0", 4, 0, "version"],
    ["version 3", 4, 3, "version"],
    ["a type that does not exist", 8, 4, "malformed"],
    ["type 0", 8, 0, "malformed"],
    ["a body above the limit", 12, LIMITS.body + 1, "too-large"],
    ["the largest length", 12, 0xffff_ffff, "too-large"],
  ])("with %s is refused before its body has come", (_name, at, value, reason) => {
    const header = patch(CALL.frame, at, value).subarray(0, HEADER_BYTES);
    expect(reasonOf(() => new FrameReader().push(header))).toBe(reason);
  });

  it("with a body of exactly the limit is waited for", () => {
    expect(new FrameReader().push(patch(CALL.frame, 12, LIMITS.body).subarray(0, HEADER_BYTES))).toBeUndefined();
  });

  it.each([
    [1, [1, 2]],
    [2, [1, 2, 3]],
    [7, [6, 7, 8]],
  ])("of a peer of version %i accepts the versions beside it", (own, accepted) => {
    expect([0, 1, 2, 3, 4, 5, 6, 7, 8, 9].filter((other) => acceptsVersion(other, own))).toEqual(accepted);
  });
});

describe("the limits", () => {
  const call = CALL.value;
  const full = { ...call, stdin: new Uint8Array(LIMITS.stdin) };

  it.each([
    ["stdin", () => encodeCall({ ...call, stdin: new Uint8Array(LIMITS.stdin + 1) })],
    ["a value", () => encodeCall({ ...call, variables: { CNI_ARGS: "x".repeat(LIMITS.text + 1) } })],
    ["the program", () => encodeCall({ ...call, program: "x".repeat(LIMITS.text + 1) })],
    ["the number of variables", () => encodeCall({ ...call, variables: numbered(LIMITS.variables + 1) })],
    ["the whole", () => encodeCall({ ...full, variables: numbered(5, "x".repeat(LIMITS.text)) })],
    ["stdout", () => encodeAnswer({ ...ANSWER.value, stdout: new Uint8Array(LIMITS.stdout + 1) })],
    ["stderr", () => encodeAnswer({ ...ANSWER.value, stderr: new Uint8Array(LIMITS.stderr + 1) })],
  ])("hold for the writer: %s", (_name, encode) => {
    expect(reasonOf(encode)).toBe("too-large");
  });

  it("let through what is exactly at them", () => {
    expect(decodeCall(read(encodeCall(full))).stdin.length).toBe(LIMITS.stdin);
    const many = { ...call, variables: numbered(LIMITS.variables) };
    expect(decodeCall(read(encodeCall(many)))).toEqual(many);
  });

  it.each([
    ["the program", HEADER_BYTES + 4, LIMITS.text + 1],
    ["the number of variables", HEADER_BYTES + 9, LIMITS.variables + 1],
    ["a variable's name", HEADER_BYTES + 13, LIMITS.text + 1],
    ["stdin", CALL.frame.length - 6, LIMITS.stdin + 1],
  ])("hold for the reader before memory is taken: %s", (_name, at, value) => {
    expect(reasonOf(() => decodeCall(read(patch(CALL.frame, at, value))))).toBe("too-large");
  });

  it.each([-1, 256, 1.5, Number.NaN])("know no exit code %d", (code) => {
    expect(reasonOf(() => encodeAnswer({ ...ANSWER.value, code }))).toBe("malformed");
  });

  it("read no exit code above 255", () => {
    expect(reasonOf(() => decodeAnswer(read(patch(ANSWER.frame, HEADER_BYTES, 256))))).toBe("malformed");
  });
});

describe("what was written", () => {
  const variables = fc.dictionary(fc.string({ unit: "binary", maxLength: 12 }), fc.string({ unit: "binary", maxLength: 40 }), {
    maxKeys: 8,
    noNullPrototype: true,
  });

  it("is read back: calls, in any pieces", () => {
    const calls = fc.record({ program: fc.string({ unit: "binary" }), variables, stdin: fc.uint8Array(), deadlineMs: fc.nat() });
    fc.assert(
      fc.property(calls, fc.array(fc.integer({ min: 1, max: 40 })), fc.constantFrom(1, 2), (call, pieces, version) => {
        const reader = new FrameReader();
        let rest = encodeCall(call, version);
        for (const size of pieces) {
          reader.push(rest.subarray(0, size));
          rest = rest.subarray(size);
        }
        const frame = reader.push(rest);
        expect(frame?.version).toBe(version);
        expect(frame === undefined ? undefined : decodeCall(frame)).toEqual(call);
      }),
    );
  });

  it("is read back: answers", () => {
    const answers = fc.record({ code: fc.integer({ min: 0, max: 255 }), stdout: fc.uint8Array(), stderr: fc.uint8Array() });
    fc.assert(fc.property(answers, (answer) => expect(decodeAnswer(read(encodeAnswer(answer)))).toEqual(answer)));
  });

  it.each(Object.keys(REFUSALS) as RefusalReason[])("is read back: the refusal %s", (reason) => {
    expect(decodeRefusal(read(encodeRefusal({ reason, message: "m" })))).toEqual({ reason, message: "m" });
  });

  it("is never read as anything but a frame or a FrameError, whatever byte of it changes", () => {
    fc.assert(
      fc.property(fc.nat(CALL.frame.length - 1), fc.nat(255), (at, value) => {
        const changed = CALL.frame.slice();
        changed[at] = value;
        reasonOf(() => {
          const frame = new FrameReader().push(changed);
          if (frame !== undefined) decodeCall(frame);
        });
      }),
    );
  });
});

describe("single readings", () => {
  it("a reason that is not known counts as failed", () => {
    expect(decodeRefusal(read(patch(REFUSAL.frame, HEADER_BYTES, 99))).reason).toBe("failed");
  });

  it("of a variable that comes twice the first counts", () => {
    const frame = Buffer.from(encodeCall({ ...CALL.value, variables: { CNI_A: "1", CNI_B: "2" } }));
    const twice = Buffer.from(frame.toString("latin1").replace("CNI_B", "CNI_A"), "latin1");
    expect(decodeCall(read(twice)).variables).toEqual({ CNI_A: "1" });
  });

  it("a value that is no UTF-8 is read with replacement characters", () => {
    const broken = CALL.frame.slice();
    broken[broken.length - 8] = 0xff;
    expect(decodeCall(read(broken)).variables["CNI_ARGS"]).toBe("\uFFFD\uFFFD");
  });

  it("a variable named __proto__ is a variable", () => {
    const call = { ...CALL.value, variables: Object.fromEntries([["__proto__", "x"]]) };
    expect(Object.entries(decodeCall(read(encodeCall(call))).variables)).toEqual([["__proto__", "x"]]);
  });
});

function numbered(count: number, value = "x"): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`CNI_${index}`, value]));
}
