/** Builds the C programs of these suites, and says why it cannot. */
import { execFile } from "node:child_process";
import { writeFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { existsSync } from "node:fs";
import { spawnSync } from "node:child_process";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export const nativeFolder = join(process.cwd(), "test/emulator/native");
export const here = join(process.cwd(), "test/system/emulator");
export const SANITIZERS = ["-g", "-O1", "-fno-omit-frame-pointer", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];
export const STRICT = ["-std=c11", "-Wall", "-Wextra", "-Werror"];

/** Runs a program to its end. Never rejects for a failure: the code says it. */
export function runProgram(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, [...args], { env: { ...process.env, ...env }, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : typeof error.code === "number" ? error.code : -1, stdout, stderr });
    });
  });
}

export function isInstalled(program: string): boolean {
  return (process.env["PATH"] ?? "").split(delimiter).some((folder) => folder !== "" && existsSync(join(folder, program)));
}

/** Why programs cannot be built with the sanitizers here; undefined when they can. */
export function sanitizerReason(): string | undefined {
  if (!isInstalled("gcc")) return "gcc is not installed";
  const folder = mkdtempSync(join(tmpdir(), "hns-sanitizer-"));
  try {
    const source = join(folder, "empty.c");
    writeFileSync(source, "int main(void) { return 0; }\n");
    const { status } = spawnSync("gcc", [...SANITIZERS, "-o", join(folder, "empty"), source]);
    return status === 0 ? undefined : "gcc has no AddressSanitizer or UndefinedBehaviorSanitizer (packages libasan and libubsan)";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
