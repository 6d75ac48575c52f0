/** The main program's way to the agent: what the shim does in C, for a program that runs without the shim. */
import { connect, type Socket } from "node:net";
import {
  decodeAnswer,
  decodeRefusal,
  encodeCall,
  FrameReader,
  PROTOCOL_VERSION,
  type Frame,
  type RefusalReason,
  type RpcAnswer,
  type RpcCall,
} from "./frame.ts";

/** Why a listening server gave no answer. */
export type SilenceReason = RefusalReason | "deadline" | "cut-off" | "not-understood" | "not-reached";

/**
 * What came of a call. Only "nobody-listens" allows the caller to do the work itself: after anything else the agent may be at it, and the
 * answer to the runtime is error 11.
 */
export type RpcOutcome =
  | ({ readonly kind: "answered" } & RpcAnswer)
  | { readonly kind: "nobody-listens" }
  | { readonly kind: "silent"; readonly reason: SilenceReason };

export interface ForwardOptions {
  /** The server's Unix socket or pipe. Who owns it is for the caller to know: Node cannot tell. */
  readonly path: string;
  /** The protocol version to speak; default PROTOCOL_VERSION. */
  readonly version?: number;
}

/** Hands `call` to the server and waits for at most its `deadlineMs`. Rejects with FrameError only when the call itself is beyond a limit. */
export async function forwardCall(call: RpcCall, options: ForwardOptions): Promise<RpcOutcome> {
  const version = options.version ?? PROTOCOL_VERSION;
  const request = encodeCall(call, version);
  const socket = connect(options.path);
  try {
    return await exchange(socket, { request, version, deadlineMs: call.deadlineMs });
  } finally {
    // Not end(): Windows would keep both sides waiting for 50 ms.
    socket.destroy();
  }
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

interface Exchange {
  readonly request: Uint8Array;
  readonly version: number;
  readonly deadlineMs: number;
}

function exchange(socket: Socket, { request, version, deadlineMs }: Exchange): Promise<RpcOutcome> {
  return new Promise((resolve) => {
    const reader = new FrameReader(version);
    let isConnected = false;
    const end = (outcome: RpcOutcome): void => {
      clearTimeout(timer);
      resolve(outcome);
    };
    const timer = setTimeout(() => end(silent("deadline")), Math.min(deadlineMs, LONGEST_TIMER_MS));
    socket.once("connect", () => {
      isConnected = true;
      socket.write(request);
    });
    socket.on("data", (chunk) => {
      const outcome = readOutcome(() => reader.push(chunk), version);
      if (outcome !== undefined) end(outcome);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (!isConnected) end(isAbsent(error) ? { kind: "nobody-listens" } : silent("not-reached"));
    });
    socket.once("close", () => end(silent("cut-off")));
  });
}

function isAbsent({ code }: NodeJS.ErrnoException): boolean {
  return code === "ENOENT" || code === "ECONNREFUSED";
}

function readOutcome(read: () => Frame | undefined, version: number): RpcOutcome | undefined {
  try {
    const frame = read();
    if (frame === undefined) return undefined;
    if (frame.type === "answer") return { kind: "answered", ...decodeAnswer(frame, version) };
    return silent(decodeRefusal(frame, version).reason);
  } catch {
    return silent("not-understood");
  }
}

function silent(reason: SilenceReason): RpcOutcome {
  return { kind: "silent", reason };
}
