/** Replies that are none, with the CNI error the shim must make of each. */
import { encodeAnswer, encodeRefusal, LIMITS, REFUSALS, type RefusalReason } from "../../src/service/rpc/frame.ts";
import { ANSWER, bytes, utf8 } from "./shim-vectors.ts";

export interface BadReply {
  readonly name: string;
  readonly content: Uint8Array;
  /** Part of the message. */
  readonly says: string;
}

const HEADER = "484e5352 01000000 02000000";
const PUZZLED = "cannot be understood";
const CUT = "cut the connection";

/** The server sends these bytes and hangs up. */
export const BAD_REPLIES: readonly BadReply[] = [
  { name: "nothing", content: new Uint8Array(), says: CUT },
  { name: "half a header", content: ANSWER.frame.subarray(0, 8), says: CUT },
  { name: "a header alone", content: ANSWER.frame.subarray(0, 16), says: CUT },
  { name: "all but the last byte", content: ANSWER.frame.subarray(0, -1), says: CUT },
  { name: "text", content: utf8("HTTP/1.1 400 Bad Request\r\n\r\n"), says: PUZZLED },
  { name: "a call", content: bytes("484e5352 01000000 01000000 00000000"), says: PUZZLED },
  { name: "version 0", content: bytes("484e5352 00000000 02000000 00000000"), says: PUZZLED },
  { name: "version 3", content: bytes("484e5352 03000000 02000000 00000000"), says: PUZZLED },
  { name: "the highest version", content: bytes("484e5352 ffffffff 02000000 00000000"), says: PUZZLED },
  { name: "a length above the limit", content: bytes(`${HEADER} 01005000`), says: PUZZLED },
  { name: "the highest length", content: bytes(`${HEADER} ffffffff`), says: PUZZLED },
  { name: "an empty body", content: bytes(`${HEADER} 00000000`), says: PUZZLED },
  { name: "a code alone", content: bytes(`${HEADER} 04000000 00000000`), says: PUZZLED },
  { name: "stdout beyond the body", content: bytes(`${HEADER} 0c000000 00000000 05000000 00000000`), says: PUZZLED },
  { name: "the highest length of stdout", content: bytes(`${HEADER} 0c000000 00000000 ffffffff 00000000`), says: PUZZLED },
  { name: "no stderr", content: bytes(`${HEADER} 08000000 00000000 00000000`), says: PUZZLED },
  { name: "stderr beyond the body", content: bytes(`${HEADER} 0c000000 00000000 00000000 01000000`), says: PUZZLED },
  { name: "a byte too many", content: bytes(`${HEADER} 0d000000 00000000 00000000 00000000 aa`), says: PUZZLED },
  // Its low byte is 0, which is what Linux would hand on.
  { name: "exit code 256", content: bytes(`${HEADER} 0d000000 00010000 01000000 7b 00000000`), says: PUZZLED },
  { name: "failure without a document", content: encodeAnswer({ code: 1, stdout: utf8(""), stderr: utf8("why") }), says: PUZZLED },
  { name: "too much stderr", content: tooMuchStderr(), says: PUZZLED },
];

const WORDS: Readonly<Record<RefusalReason, string>> = {
  busy: "as many calls as it takes",
  version: "version of the protocol",
  malformed: "could not read the request",
  "too-large": "larger than the agent takes",
  closing: "is ending",
  failed: "failed at the call",
  late: "did not finish the call in time",
};

/** Every refusal; the server's own words, which the shim cannot know to be fit for JSON, never appear. */
export const REFUSED: readonly BadReply[] = [
  ...(Object.keys(REFUSALS) as RefusalReason[]).map((reason) => ({
    name: reason,
    content: encodeRefusal({ reason, message: 'own "words"' }),
    says: WORDS[reason],
  })),
  { name: "a reason that is not known", content: bytes("484e5352 02000000 03000000 08000000 63000000 00000000"), says: WORDS.failed },
];

function tooMuchStderr(): Uint8Array {
  const length = LIMITS.stderr + 1;
  const frame = new Uint8Array(28 + length);
  const view = new DataView(frame.buffer);
  frame.set(bytes(HEADER));
  view.setUint32(12, 12 + length, true);
  view.setUint32(24, length, true);
  return frame;
}

/** What stands on stdin, and the version an error then bears. */
export const VERSIONS: readonly (readonly [string, string])[] = [
  ['{"cniVersion":"1.0.0","name":"n"}', "1.0.0"],
  ['{"name":"n","prevResult":{"cniVersion":"0.2.0"},"cniVersion" :\n "0.4.0"}', "0.4.0"],
  ['{"a":["cniVersion",{"cniVersion":"0.2.0"}],"CNIVERSION":"0.3.1"}', "0.3.1"],
  ['{"b":"cniVersion","c":"\\"cniVersion\\":\\"0.2.0\\"","cniVersion":"1.1.0"}', "1.1.0"],
  ['\uFEFF{"cniVersion":"0.3.0"}', "0.3.0"],
  ['{"name":"n"}', "0.1.0"],
  ["{}", "0.1.0"],
  ["", "1.1.0"],
  ["not JSON", "1.1.0"],
  ['{"cniVersion":"0.4', "1.1.0"],
  ['{"cniVersion":"', "1.1.0"],
  ['{"cniVersion":', "1.1.0"],
  ['{"cniVersion', "1.1.0"],
  ['{"a\\', "1.1.0"],
  ['{"cniVersion":"1.0\\"0"}', "1.1.0"],
  ['{"cniVersion":"1.0.0\u0000"}', "1.1.0"],
  ['{"cniVersion":"1111111111111111"}', "1.1.0"],
  ['{"cniVersion":""}', "1.1.0"],
  ['{"cniVersion":1}', "1.1.0"],
  ["[".repeat(100_000), "1.1.0"],
  ["]}]}", "1.1.0"],
];
