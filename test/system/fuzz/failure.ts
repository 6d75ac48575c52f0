import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../../support/paths.ts";
import type { FuzzCall } from "./calls.ts";

/** Throws, naming the seed, the call and a file under build/ with the call and all before it, unless there are no problems. */
export function reportProblems(problems: readonly string[], run: { name: string; seed: number; calls: readonly FuzzCall[] }): void {
  if (problems.length === 0) return;
  const calls = run.calls.map(({ env, stdin }) => ({ env, stdin: Buffer.from(stdin).toString("base64") }));
  const last = run.calls.at(-1);
  const file = join(build, `fuzz-${run.name}-${run.seed}.json`);
  mkdirSync(build, { recursive: true });
  writeFileSync(file, JSON.stringify({ seed: run.seed, problems, calls }, null, 1));
  const shown = last === undefined ? "" : `${JSON.stringify(last.env)}\n${Buffer.from(last.stdin).toString("utf8").slice(0, 2_000)}`;
  throw new Error(`${problems.join("\n")}\nHNS_CNI_FUZZ_SEED=${run.seed}, calls saved in ${file}, the last one:\n${shown}`);
}
