/**
 * Frames of the pipe between the shim and the agent, as bytes and back; docs/decisions/0007-pipe-protocol.md has the layout. Pure: no
 * input or output, and every limit is checked before memory is taken for what a peer announces.
 */

/** The version this build speaks. It accepts the versions directly below and above, so shim and agent can be renewed one after the other. */
export const PROTOCOL_VERSION = 1;

export const HEADER_BYTES = 16;

/** Bytes, but for `variables`, which is their number. src/shim/shim.h has the same figures. */
export const LIMITS = {
  body: 5 * 1024 * 1024,
  stdin: 4 * 1024 * 1024,
  stdout: 4 * 1024 * 1024,
  stderr: 64 * 1024,
  text: 256 * 1024,
  variables: 64,
} as const;

/** An exit code that every platform hands on unchanged. */
const MAX_EXIT_CODE = 255;

const MAGIC = 0x52_53_4e_48; // "HNSR" as bytes
const TYPES = { call: 1, answer: 2, refusal: 3 } as const;
export type FrameType = keyof typeof TYPES;

/** Why a server does not answer a call. The numbers are the protocol's. */
export const REFUSALS = { busy: 1, version: 2, malformed: 3, "too-large": 4, closing: 5, failed: 6, late: 7 } as const;
export type RefusalReason = keyof typeof REFUSALS;

/** One CNI call. `variables` holds the CNI_* variables and those of the tracing context, names in the sender's case. */
export interface RpcCall {
  /** How the runtime called the plugin: the path of its file, or its name. */
  readonly program: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array;
  /** How long the caller will wait, in milliseconds from when it sent the call. */
  readonly deadlineMs: number;
}

/** What the program of the call would have done: exit code 0 to 255, and what it would have written. */
export interface RpcAnswer {
  readonly code: number;
  readonly stdout: Uint8Array;
  readonly stderr: Uint8Array;
}

export interface RpcRefusal {
  readonly reason: RefusalReason;
  readonly message: string;
}

export interface Frame {
  readonly version: number;
  readonly type: FrameType;
  readonly body: Uint8Array;
}

/** Bytes that are no frame of ours. `reason` is what a server tells the sender. */
export class FrameError extends Error {
  readonly reason: "version" | "malformed" | "too-large";

  constructor(reason: FrameError["reason"], message: string) {
    super(message);
    this.name = "FrameError";
    this.reason = reason;
  }
}

/** Whether a peer of version `own` understands one of version `other`. */
export function acceptsVersion(other: number, own: number = PROTOCOL_VERSION): boolean {
  return other >= 1 && Math.abs(other - own) <= 1;
}

/** Throws FrameError when the call is beyond a limit. */
export function encodeCall(call: RpcCall, version: number = PROTOCOL_VERSION): Uint8Array {
  const variables = Object.entries(call.variables);
  demand(variables.length <= LIMITS.variables, "too-large", `${variables.length} variables`);
  const body = new BodyWriter();
  body.number(call.deadlineMs);
  body.text(call.program);
  body.number(variables.length);
  for (const [name, value] of variables) {
    body.text(name);
    body.text(value);
  }
  body.bytes(call.stdin, LIMITS.stdin, "stdin");
  return body.frame("call", version);
}

/** Throws FrameError when the answer is beyond a limit. */
export function encodeAnswer(answer: RpcAnswer, version: number = PROTOCOL_VERSION): Uint8Array {
  const { code, stdout, stderr } = answer;
  demand(Number.isInteger(code) && code >= 0 && code <= MAX_EXIT_CODE, "malformed", `exit code ${code}`);
  const body = new BodyWriter();
  body.number(code);
  body.bytes(stdout, LIMITS.stdout, "stdout");
  body.bytes(stderr, LIMITS.stderr, "stderr");
  return body.frame("answer", version);
}

export function encodeRefusal(refusal: RpcRefusal, version: number = PROTOCOL_VERSION): Uint8Array {
  const body = new BodyWriter();
  body.number(REFUSALS[refusal.reason]);
  body.text(refusal.message);
  return body.frame("refusal", version);
}

/** Throws FrameError. */
export function decodeCall(frame: Frame, own: number = PROTOCOL_VERSION): RpcCall {
  const body = openBody(frame, "call");
  const deadlineMs = body.number();
  const program = body.text();
  const count = body.number();
  demand(count <= LIMITS.variables, "too-large", `${count} variables`);
  const variables: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let index = 0; index < count; index++) {
    const name = body.text();
    const value = body.text();
    // Of a name that comes twice the first counts, as with getenv.
    variables[name] ??= value;
  }
  const stdin = body.bytes(LIMITS.stdin, "stdin");
  body.end(frame.version, own);
  return { program, variables, stdin, deadlineMs };
}

/** Throws FrameError. */
export function decodeAnswer(frame: Frame, own: number = PROTOCOL_VERSION): RpcAnswer {
  const body = openBody(frame, "answer");
  const code = body.number();
  demand(code <= MAX_EXIT_CODE, "malformed", `exit code ${code}`);
  const stdout = body.bytes(LIMITS.stdout, "stdout");
  const stderr = body.bytes(LIMITS.stderr, "stderr");
  body.end(frame.version, own);
  return { code, stdout, stderr };
}

/** A reason that this version does not know counts as "failed". Throws FrameError. */
export function decodeRefusal(frame: Frame, own: number = PROTOCOL_VERSION): RpcRefusal {
  const body = openBody(frame, "refusal");
  const number = body.number();
  const message = body.text();
  body.end(frame.version, own);
  return { reason: findReason(number), message };
}

function findReason(number: number): RefusalReason {
  const known: readonly RefusalReason[] = ["busy", "version", "malformed", "too-large", "closing", "failed", "late"];
  return known.find((reason) => REFUSALS[reason] === number) ?? "failed";
}

/** Puts one frame together from the pieces in which it arrives; what follows it is not looked at. */
export class FrameReader {
  readonly #own: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  #needed = HEADER_BYTES;
  #header: Omit<Frame, "body"> | undefined;
  #frame: Frame | undefined;

  constructor(own: number = PROTOCOL_VERSION) {
    this.#own = own;
  }

  /** @returns the frame once it is whole. Throws FrameError as soon as the header shows that it will be none. */
  push(chunk: Uint8Array): Frame | undefined {
    if (this.#frame !== undefined) return this.#frame;
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#header === undefined && this.#length >= HEADER_BYTES) this.#readHeader();
    if (this.#header === undefined || this.#length < this.#needed) return undefined;
    this.#frame = { ...this.#header, body: this.#join().subarray(HEADER_BYTES, this.#needed) };
    return this.#frame;
  }

  #readHeader(): void {
    const view = viewOf(this.#join());
    const version = view.getUint32(4, true);
    const length = view.getUint32(12, true);
    demand(view.getUint32(0, true) === MAGIC, "malformed", "no frame of this protocol");
    demand(acceptsVersion(version, this.#own), "version", `protocol version ${version}, this side speaks ${this.#own}`);
    demand(length <= LIMITS.body, "too-large", `a frame of ${length} bytes`);
    this.#header = { version, type: findType(view.getUint32(8, true)) };
    this.#needed = HEADER_BYTES + length;
  }

  #join(): Uint8Array {
    const [only] = this.#chunks;
    if (only !== undefined && this.#chunks.length === 1) return only;
    const whole = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [whole];
    return whole;
  }
}

function findType(number: number): FrameType {
  const known: readonly FrameType[] = ["call", "answer", "refusal"];
  const type = known.find((name) => TYPES[name] === number);
  if (type === undefined) throw new FrameError("malformed", `a frame of type ${number}`);
  return type;
}

function openBody(frame: Frame, type: FrameType): BodyReader {
  demand(frame.type === type, "malformed", `a frame of type ${frame.type} in the place of ${type}`);
  return new BodyReader(frame.body);
}

class BodyReader {
  readonly #body: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(body: Uint8Array) {
    this.#body = body;
    this.#view = viewOf(body);
  }

  number(): number {
    demand(this.#body.length - this.#at >= 4, "malformed", "a number is cut off");
    this.#at += 4;
    return this.#view.getUint32(this.#at - 4, true);
  }

  bytes(limit: number, what: string): Uint8Array {
    const length = this.number();
    demand(length <= limit, "too-large", `${what} of ${length} bytes`);
    demand(this.#body.length - this.#at >= length, "malformed", `${what} is cut off`);
    this.#at += length;
    return this.#body.subarray(this.#at - length, this.#at);
  }

  /** What is no UTF-8 becomes U+FFFD, as it does in the environment of a Node process. */
  text(): string {
    return new TextDecoder("utf-8", { ignoreBOM: true }).decode(this.bytes(LIMITS.text, "a text"));
  }

  /** A newer version may have appended fields; the same or an older one may not. */
  end(version: number, own: number): void {
    const left = this.#body.length - this.#at;
    demand(left === 0 || version > own, "malformed", `${left} bytes too many`);
  }
}

class BodyWriter {
  readonly #parts: Uint8Array[] = [];
  #length = 0;

  number(value: number): void {
    const bytes = new Uint8Array(4);
    viewOf(bytes).setUint32(0, value, true);
    this.#add(bytes);
  }

  bytes(content: Uint8Array, limit: number, what: string): void {
    demand(content.length <= limit, "too-large", `${what} of ${content.length} bytes`);
    this.number(content.length);
    this.#add(content);
  }

  text(content: string): void {
    this.bytes(new TextEncoder().encode(content), LIMITS.text, "a text");
  }

  frame(type: FrameType, version: number): Uint8Array {
    demand(this.#length <= LIMITS.body, "too-large", `a frame of ${this.#length} bytes`);
    const frame = new Uint8Array(HEADER_BYTES + this.#length);
    [MAGIC, version, TYPES[type], this.#length].forEach((value, index) => {
      viewOf(frame).setUint32(4 * index, value, true);
    });
    let at = HEADER_BYTES;
    for (const part of this.#parts) {
      frame.set(part, at);
      at += part.length;
    }
    return frame;
  }

  #add(part: Uint8Array): void {
    this.#parts.push(part);
    this.#length += part.length;
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function demand(holds: boolean, reason: FrameError["reason"], message: string): asserts holds {
  if (!holds) throw new FrameError(reason, message);
}
