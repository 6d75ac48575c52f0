import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeAll } from "../../../src/bin/output.ts";

/** A pipe that is full, and whose writers are told so at once. */
function openFullPipe(path: string): { pipe: number; filled: number } {
  execFileSync("mkfifo", [path]);
  const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  let filled = 0;
  try {
    for (;;) filled += writeSync(pipe, "x".repeat(4096));
  } catch (thrown) {
    expect(thrown).toMatchObject({ code: "EAGAIN" });
  }
  return { pipe, filled };
}

test("all of a text is written to a pipe that takes none of it until its reader comes", async () => {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-output-"));
  const { pipe, filled } = openFullPipe(join(folder, "pipe"));
  const copy = join(folder, "copy");
  const reader = spawn("cat", [join(folder, "pipe")], { stdio: ["ignore", openSync(copy, "w"), "ignore"] });
  const text = "é".repeat(200_000);
  try {
    writeAll(pipe, text);
  } finally {
    closeSync(pipe); // the reader's end
    await once(reader, "exit");
  }
  expect(readFileSync(copy, "utf8").slice(filled)).toBe(text);
  rmSync(folder, { recursive: true });
});
