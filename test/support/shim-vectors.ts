/** Frames of the pipe protocol written by hand from docs/decisions/0007-pipe-protocol.md: what either side must write and read. */
import type { RpcAnswer, RpcCall, RpcRefusal } from "../../src/service/rpc/frame.ts";

/** Bytes as hexadecimal digits; spaces and the rest of a line behind # are for the reader. */
export function bytes(text: string): Uint8Array {
  const digits = text.replaceAll(/#.*$/gm, "").replaceAll(/\s/g, "");
  return Uint8Array.from(Buffer.from(digits, "hex"));
}

export function utf8(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "utf8"));
}

export const CALL: { readonly value: RpcCall; readonly frame: Uint8Array } = {
  value: { program: "p", variables: { CNI_COMMAND: "ADD", CNI_ARGS: "ü" }, stdin: utf8("{}"), deadlineMs: 100_000 },
  frame: bytes(`
    48 4e 53 52                                     # HNSR
    01 00 00 00  01 00 00 00  3b 00 00 00           # version 1, a call, 59 bytes
    a0 86 01 00                                     # 100,000 ms
    01 00 00 00  70                                 # p
    02 00 00 00                                     # two variables
    0b 00 00 00  43 4e 49 5f 43 4f 4d 4d 41 4e 44   # CNI_COMMAND
    03 00 00 00  41 44 44                           # ADD
    08 00 00 00  43 4e 49 5f 41 52 47 53            # CNI_ARGS
    02 00 00 00  c3 bc                              # ü
    02 00 00 00  7b 7d                              # {}
  `),
};

export const ANSWER: { readonly value: RpcAnswer; readonly frame: Uint8Array } = {
  value: { code: 1, stdout: utf8("out"), stderr: utf8("e") },
  frame: bytes(`
    48 4e 53 52
    01 00 00 00  02 00 00 00  10 00 00 00           # version 1, an answer, 16 bytes
    01 00 00 00                                     # exit code 1
    03 00 00 00  6f 75 74                           # out
    01 00 00 00  65                                 # e
  `),
};

export const REFUSAL: { readonly value: RpcRefusal; readonly frame: Uint8Array } = {
  value: { reason: "closing", message: "bye" },
  frame: bytes(`
    48 4e 53 52
    01 00 00 00  03 00 00 00  0b 00 00 00           # version 1, a refusal, 11 bytes
    05 00 00 00                                     # the agent is ending
    03 00 00 00  62 79 65                           # bye
  `),
};
