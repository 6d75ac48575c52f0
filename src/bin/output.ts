import { writeSync } from "node:fs";

/** Writes all of `text`; a pipe can take less than all at once. */
export function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let written = 0; written < bytes.length;) written += writeSync(descriptor, bytes, written);
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
