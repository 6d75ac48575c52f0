import { PluginError } from "../../../../src/core/base/errors.ts";
import type { ErrorCode } from "../../../../src/core/base/errors.ts";
import { buildErrorObject } from "../../../../src/core/cni/error-object.ts";
import { matching } from "./matchers.ts";

const CONTEXT = { command: "ADD", cniVersion: "1.1.0", stage: "handler" } as const;

/** Point 69: the specification's numbers below 100, our own from 101. */
const NUMBERS: Record<ErrorCode, number> = {
  INVALID_ENVIRONMENT: 4,
  INCOMPATIBLE_VERSION: 1,
  UNSUPPORTED_FIELD: 2,
  MALFORMED_JSON: 6,
  INVALID_CONFIG: 7,
  IO_FAILURE: 5,
  STATE_FAILURE: 5,
  STATE_DAMAGED: 5,
  INVALID_NAMESPACE: 8,
  HNS_UNAVAILABLE: 11,
  HNS_TIMEOUT: 11,
  ADDRESS_EXHAUSTED: 11,
  ADDRESS_CONFLICT: 11,
  ATTACHMENT_BUSY: 11,
  ATTACHMENT_CANCELLED: 11,
  AGENT_SILENT: 11,
  OPERATION_TIMEOUT: 11,
  NETWORK_NOT_READY: 11,
  FORWARDING_FAILED: 11,
  HNS_REFUSED: 101,
  NETWORK_MISMATCH: 102,
  CHECK_FAILED: 103,
  CLEANUP_FAILED: 11,
  DELEGATE_FAILED: 104,
  INTERNAL: 999,
};

describe("buildErrorObject", () => {
  const codes = Object.keys(NUMBERS).filter((code): code is ErrorCode => code in NUMBERS);
  test.each(codes)("points 69 and 70: %s has its number, never 3", (code) => {
    const { code: number } = buildErrorObject(new PluginError(code, { message: "m" }), CONTEXT);
    expect(number).toBe(NUMBERS[code]);
    expect(number).not.toBe(3);
  });

  test("point 70: a refusal that a repeat may overcome is 11", () => {
    expect(buildErrorObject(new PluginError("HNS_REFUSED", { message: "m" }, { retryable: true }), CONTEXT).code).toBe(11);
  });

  test("the message is one line of cause and remedy, the details hold HRESULT and causes", () => {
    const cause = new Error("outer\r\ncause", { cause: new Error("inner") });
    const error = new PluginError(
      "HNS_REFUSED",
      { message: "HNS said\nno", remedy: "ask\tagain", details: "call 1", hresult: -2143617010 },
      { cause },
    );
    expect(buildErrorObject(error, CONTEXT)).toEqual({
      cniVersion: "1.1.0",
      code: 101,
      msg: "HNS said no; ask again",
      details: "call 1; HRESULT 0x803b000e; caused by: outer cause; caused by: inner",
    });
  });

  test("a message that is a sentence has the remedy as the next one", () => {
    const error = new PluginError("HNS_REFUSED", { message: "HNS said no.", remedy: "Ask again." });
    expect(buildErrorObject(error, CONTEXT).msg).toBe("HNS said no. Ask again.");
  });

  test("point 69: an unsupported field is named in the message", () => {
    expect(buildErrorObject(new PluginError("UNSUPPORTED_FIELD", { message: "5 is too much", field: "mtu" }), CONTEXT).msg).toBe(
      "mtu: 5 is too much",
    );
    expect(buildErrorObject(new PluginError("UNSUPPORTED_FIELD", { message: "mtu 5 is too much", field: "mtu" }), CONTEXT).msg).toBe(
      "mtu 5 is too much",
    );
  });

  const looping = new PluginError("INTERNAL", { message: "loop" });
  Object.defineProperty(looping, "cause", { value: looping });
  const hostileError = new Error("x");
  Object.defineProperty(hostileError, "message", {
    get() {
      throw new Error("no");
    },
  });
  const unlisted = new PluginError("INTERNAL", { message: "m" });
  Object.defineProperty(unlisted, "code", { value: "UNLISTED" });
  test.each([
    ["an error whose code is none of ours", unlisted],
    ["undefined", undefined],
    ["null", null],
    ["a symbol", Symbol("s")],
    ["an object without prototype", Object.create(null)],
    ["an error whose message throws", hostileError],
    ["an error that is its own cause", looping],
    ["a text", "plain"],
    [
      "a proxy that throws",
      new Proxy(
        {},
        {
          get: () => {
            throw new Error("trap");
          },
          getPrototypeOf: () => {
            throw new Error("trap");
          },
        },
      ),
    ],
  ])("whatever is thrown becomes a document: %s", (_, thrown) => {
    const document = buildErrorObject(thrown, CONTEXT);
    expect(document).toMatchObject({ cniVersion: "1.1.0", code: 999, msg: matching(/./) });
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });
});
