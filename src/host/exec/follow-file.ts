import { closeSync, fstatSync, openSync, readSync, statSync } from "node:fs";
import { sleep } from "./time.ts";

const POLL_MS = 300;
const CHUNK = 65_536;

/** Gives `onText` what is written to the end of the file from now on. A file that is set aside is read to its end, then the new one. Never ends. */
export async function followFile(path: string, onText: (text: string) => void): Promise<never> {
  let file = openSync(path, "r");
  let at = fstatSync(file).size;
  for (;;) {
    at += readFrom(file, at, onText);
    if (isOther(path, file)) {
      readFrom(file, at, onText); // what was written before it was set aside
      closeSync(file);
      file = openSync(path, "r");
      at = 0;
    } else await sleep(POLL_MS);
  }
}

/** Whole lines alone: the rest of a line comes with the next look. Returns the bytes taken. */
function readFrom(file: number, at: number, onText: (text: string) => void): number {
  const buffer = Buffer.alloc(CHUNK);
  let taken = 0;
  for (;;) {
    const length = readSync(file, buffer, 0, CHUNK, at + taken);
    const whole = buffer.subarray(0, length).lastIndexOf("\n") + 1;
    if (whole === 0) return taken;
    onText(buffer.toString("utf8", 0, whole));
    taken += whole;
  }
}

/** Whether the name stands for another file by now. */
function isOther(path: string, file: number): boolean {
  const named = statSync(path, { throwIfNoEntry: false });
  const opened = fstatSync(file);
  return named !== undefined && (named.ino !== opened.ino || named.dev !== opened.dev);
}
