/** Small native libraries that a test builds for itself. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

export const LINUX_COMPILER = "gcc";
export const WINDOWS_COMPILER = "x86_64-w64-mingw32-gcc";

/** Why nothing can be compiled; undefined when it can. */
export function compilerReason(compiler: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.some((folder) => folder !== "" && existsSync(join(folder, compiler))) ? undefined : `${compiler} is missing`;
}

/** Throws with the compiler's own words when it fails. */
export async function compile(compiler: string, args: readonly string[]): Promise<void> {
  await run(compiler, ["-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", ...args]);
}
