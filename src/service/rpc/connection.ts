import type { Socket } from "node:net";
import type { LogFields } from "../../core/base/log.ts";
import {
  decodeCall,
  encodeAnswer,
  encodeRefusal,
  type Frame,
  FrameError,
  FrameReader,
  PROTOCOL_VERSION,
  type RefusalReason,
  type RpcAnswer,
  type RpcCall,
} from "./frame.ts";

/**
 * Does one call. `signal` is aborted when nobody waits for the answer any more: the caller has gone, or the deadline is over; the work may
 * go on. A rejection reaches the caller as a refusal without its text.
 */
export type RpcHandler = (call: RpcCall, signal: AbortSignal) => Promise<RpcAnswer>;

export interface RpcLimits {
  /** Calls at a time. As many further connections are told "busy"; beyond those, connections are cut. */
  readonly connections: number;
  /** From the connection to the end of its request, milliseconds. */
  readonly requestMs: number;
  /** Most that a call may take, whatever its caller allows, milliseconds. */
  readonly callMs: number;
  /** For the caller to take its answer and go, milliseconds. */
  readonly lingerMs: number;
}

export interface ConnectionOptions {
  readonly handler: RpcHandler;
  readonly limits: RpcLimits;
  readonly version?: number;
  readonly report: (message: string, fields: LogFields) => void;
  /** Called once, when the socket is closed and the call's work is over: work that nobody waits for still takes its place. */
  readonly onEnd: () => void;
}

const MESSAGES: Readonly<Record<RefusalReason, string>> = {
  busy: "the agent has as many calls as it takes",
  closing: "the agent is ending",
  version: "the agent does not speak this version of the protocol",
  malformed: "the agent cannot read the request",
  "too-large": "the request is larger than the agent takes",
  failed: "the agent failed",
  late: "the deadline is over",
};

/** The server's side of one connection: reads one call, has it done, writes one frame, and waits for the client to go. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #version: number;
  readonly #reader: FrameReader;
  readonly #gone = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  /** What comes in is thrown away from the moment the request is whole or refused. */
  #isReading = true;
  #isAnswered = false;
  #isWorking = false;
  #isClosed = false;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#version = options.version ?? PROTOCOL_VERSION;
    this.#reader = new FrameReader(this.#version);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", () => socket.destroy());
    // A client that ends its side has gone: none does so while it waits.
    socket.on("end", () => socket.destroy());
    socket.once("close", () => {
      clearTimeout(this.#timer);
      this.#isClosed = true;
      if (this.#isWorking) this.#gone.abort(); // else nobody listens, and the reason it makes up costs more than the rest of the connection
      this.#endOnce();
    });
  }

  serve(): void {
    this.#limit(this.#options.limits.requestMs, () => {
      this.#options.report("request did not come in time", { ms: this.#options.limits.requestMs });
      this.refuse("late");
    });
  }

  /** Answers with a refusal in place of a call. */
  refuse(reason: RefusalReason, version: number = this.#version): void {
    this.#answer(encodeRefusal({ reason, message: MESSAGES[reason] }, version));
  }

  /** Ends the connection now, whatever it is at. */
  cut(): void {
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): void {
    if (!this.#isReading) return;
    try {
      const frame = this.#reader.push(chunk);
      if (frame === undefined) return;
      this.#isReading = false;
      const version = Math.min(frame.version, this.#version);
      void this.#perform(this.#decode(frame), version);
    } catch (thrown) {
      const reason = thrown instanceof FrameError ? thrown.reason : "failed";
      this.#options.report("request refused", { reason, error: thrown });
      this.refuse(reason);
    }
  }

  #decode(frame: Frame): RpcCall {
    return decodeCall(frame, this.#version);
  }

  async #perform(call: RpcCall, version: number): Promise<void> {
    const { handler, limits, report } = this.#options;
    this.#limit(Math.min(limits.callMs, call.deadlineMs), () => {
      report("call not finished in time", { ms: call.deadlineMs });
      this.refuse("late", version);
      this.#gone.abort();
    });
    this.#isWorking = true;
    try {
      this.#answer(encodeAnswer(await handler(call, this.#gone.signal), version));
    } catch (thrown) {
      report("call failed", { error: thrown });
      this.refuse("failed", version);
    } finally {
      this.#isWorking = false;
      this.#endOnce();
    }
  }

  /** Only the first frame is sent: a call that finishes after its deadline finds it said already. */
  #answer(frame: Uint8Array): void {
    if (this.#isAnswered || this.#isClosed) return;
    this.#isAnswered = true;
    this.#isReading = false;
    // The client hangs up when it has the frame. Were the server to do so, Windows could drop what the client has not read yet.
    this.#limit(this.#options.limits.lingerMs, () => this.cut());
    this.#socket.write(frame);
  }

  #limit(ms: number, onTimeout: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(onTimeout, ms);
  }

  #endOnce(): void {
    if (this.#isClosed && !this.#isWorking) this.#options.onEnd();
  }
}
