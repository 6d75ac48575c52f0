import { writeSync } from "node:fs";

/** How long a full pipe is left to its reader, milliseconds. */
const PAUSE_MS = 5;

/** Writes all of `text`; a pipe can take less than all at once, and nothing while it is full, if its maker would not have writers wait. */
export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let written = 0; written < bytes.length;) {
    const count = writeSome(descriptor, bytes, written);
    if (count === 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
    written += count;
  }
}

function writeSome(descriptor: number, bytes: Uint8Array, from: number): number {
  try {
    return writeSync(descriptor, bytes, from);
  } catch (thrown) {
    if (typeof thrown === "object" && thrown !== null && "code" in thrown && thrown.code === "EAGAIN") return 0;
    throw thrown;
  }
}

/** As writeAll; false when nobody reads it any more. */
export function tryWriteAll(descriptor: number, text: string): boolean {
  try {
    writeAll(descriptor, text);
    return true;
  } catch {
    return false;
  }
}
