import { readFileSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { runCli } from "../cli/main.ts";
import { defaultStateDir } from "./platform.ts";

declare const HNS_CNI_VERSION: string;

/** Runs the admin command line, which the executable carries apart so that a CNI call neither parses nor loads it. */
export async function runAdmin(): Promise<void> {
  const { runCli: run } = loadCli();
  process.exitCode = await run(process.argv.slice(2), {
    version: HNS_CNI_VERSION,
    nodeVersion: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    defaultStateDir: defaultStateDir(process.env),
    joinPath: join,
    readFile: (path) => readFileSync(path, "utf8"),
    readStdin: () => readFileSync(0, "utf8"),
    writeOut: (text) => write(1, text),
    writeError: (text) => write(2, text),
  });
}

/** node:sea and node:vm are asked for here alone: an import would load them for every CNI call. */
function loadCli(): { runCli: typeof runCli } {
  const source = process.getBuiltinModule("node:sea").getAsset("cli.cjs", "utf8");
  const parameters = ["exports", "require", "module", "__filename"];
  const compiled = process.getBuiltinModule("node:vm").compileFunction(source, parameters, { filename: "cli.cjs" }) as (
    ...values: unknown[]
  ) => void;
  // What this build's src/cli/main.ts exports.
  const module = { exports: {} as { runCli: typeof runCli } };
  compiled(module.exports, createRequire(process.execPath), module, process.execPath);
  return module.exports;
}

/** A pipe can take less than all at once; a reader that went away (as head does) wants no more. */
function write(descriptor: 1 | 2, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  try {
    for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EPIPE")) throw thrown;
  }
}
