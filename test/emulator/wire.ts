import type { CallResult } from "./model/model.ts";
import type { Notification } from "./model/world.ts";

/**
 * Frames of the emulator's protocol, all numbers little-endian: u32 length of what follows, u8 type, body. A string is u32 byte count and
 * UTF-8 bytes; the count 0xffffffff stands for NULL. Native clients (test/emulator/native) speak the first four types, tools CONTROL.
 *
 * CALL       u32 pid, string name, u32 count, strings (in-arguments in order; handles in decimal, GUIDs as text)
 * REPLY      u32 HRESULT, u8 flags (1 = end the calling process now), u64 handle, string output, string error record
 * SUBSCRIBE  u32 pid, string handle of a guest network service or NULL: notifications follow until the connection ends
 * NOTIFY     u32 type, string data
 * CONTROL    JSON, both ways
 */
export const FRAME = { CALL: 1, REPLY: 2, SUBSCRIBE: 3, NOTIFY: 4, CONTROL: 5 } as const;

export const FLAG_KILL = 1;
const NULL_STRING = 0xffffffff;
const MAX_FRAME = 64 * 1024 * 1024;

export interface Frame {
  readonly type: number;
  readonly body: Buffer;
}

export interface WireCall {
  readonly pid: number;
  readonly name: string;
  readonly args: (string | null)[];
}

/** Cuts a byte stream into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The frames complete with these bytes. Throws when the length cannot be one. */
  push(chunk: Buffer): Frame[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Frame[] = [];
    while (this.#pending.length >= 4) {
      const length = this.#pending.readUInt32LE(0);
      if (length < 1 || length > MAX_FRAME) throw new Error(`frame of ${length} bytes`);
      if (this.#pending.length < 4 + length) break;
      frames.push({ type: this.#pending.readUInt8(4), body: this.#pending.subarray(5, 4 + length) });
      this.#pending = this.#pending.subarray(4 + length);
    }
    return frames;
  }
}

export function encodeFrame(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32LE(body.length + 1, 0);
  head.writeUInt8(type, 4);
  return Buffer.concat([head, body]);
}

export function encodeControl(message: unknown): Buffer {
  return encodeFrame(FRAME.CONTROL, Buffer.from(JSON.stringify(message), "utf8"));
}

export function decodeControl(frame: Frame): unknown {
  return JSON.parse(frame.body.toString("utf8"));
}

export function decodeCall(body: Buffer): WireCall {
  const cursor = { at: 4 };
  const name = readString(body, cursor) ?? "";
  const count = body.readUInt32LE(cursor.at);
  cursor.at += 4;
  const args = Array.from({ length: count }, () => readString(body, cursor));
  return { pid: body.readUInt32LE(0), name, args };
}

/** The guest network service's handle a subscription is for; undefined for the service as a whole. */
export function decodeSubscription(body: Buffer): { pid: number; handle: number | undefined } {
  const handle = body.length > 4 ? readString(body, { at: 4 }) : null;
  return { pid: body.readUInt32LE(0), handle: handle === null ? undefined : Number(handle) };
}

export function encodeReply(result: CallResult): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32LE(result.hresult, 0);
  head.writeBigUInt64LE(BigInt(result.handle), 5);
  return encodeFrame(FRAME.REPLY, Buffer.concat([head, encodeString(result.output), encodeString(result.errorRecord)]));
}

export function encodeKill(): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt8(FLAG_KILL, 4);
  return encodeFrame(FRAME.REPLY, Buffer.concat([head, encodeString(null), encodeString(null)]));
}

export function encodeNotification({ type, data }: Notification): Buffer {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(type, 0);
  return encodeFrame(FRAME.NOTIFY, Buffer.concat([head, encodeString(data)]));
}

function encodeString(text: string | null): Buffer {
  const bytes = text === null ? undefined : Buffer.from(text, "utf8");
  const head = Buffer.alloc(4);
  head.writeUInt32LE(bytes?.length ?? NULL_STRING, 0);
  return bytes === undefined ? head : Buffer.concat([head, bytes]);
}

function readString(body: Buffer, cursor: { at: number }): string | null {
  const length = body.readUInt32LE(cursor.at);
  cursor.at += 4;
  if (length === NULL_STRING) return null;
  const text = body.toString("utf8", cursor.at, cursor.at + length);
  cursor.at += length;
  return text;
}
