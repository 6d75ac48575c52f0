/** Programs that do nothing: what a process costs that is written in C, or in Go, before it has begun its work. */
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { type ShimTarget, windowsShim } from "../../scripts/package/shim.ts";
import { findGo, goEnvironment } from "../peers/go.ts";

const run = promisify(execFile);

export const EMPTY_C = "C, empty main()";
export const EMPTY_GO = "Go, empty main()";

/** Built as the shim is; gives its path in `folder`. */
export async function buildEmptyC(target: ShimTarget, folder: string): Promise<string> {
  const source = join(folder, "empty.c");
  const program = join(folder, `empty-c${suffix(target)}`);
  writeFileSync(source, "int main(void) { return 0; }\n");
  await run(target.compiler, ["-O2", "-s", ...target.flags, "-o", program, source]);
  return program;
}

/** Built as the reference plugins are; or why it cannot be. */
export async function buildEmptyGo(
  target: ShimTarget,
  folder: string,
): Promise<{ readonly program: string } | { readonly reason: string }> {
  const go = findGo();
  if ("reason" in go) return go;
  const source = join(folder, "empty.go");
  const program = join(folder, `empty-go${suffix(target)}`);
  writeFileSync(source, "package main\n\nfunc main() {}\n");
  const env = goEnvironment({ GOOS: target === windowsShim ? "windows" : "linux", GOARCH: "amd64" });
  await run(go.program, ["build", "-o", program, source], { cwd: folder, env });
  return { program };
}

function suffix(target: ShimTarget): string {
  return target === windowsShim ? ".exe" : "";
}
