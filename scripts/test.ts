/**
 * Builds what the suites run against, then runs jest: all suites, or those that the arguments name (they go to jest as they are).
 * Ends with jest's summary, each skipped suite with its reason, and one line of counts.
 */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { packageAll } from "./package.ts";
import { paths, root } from "./package/paths.ts";
import { skipFile, type Skip } from "../test/support/skip.ts";
import { stopWine } from "../test/support/wine-prefix.ts";

const suites = ["test/unit", "test/contract", "test/system"];
/** The long runs look at every point instead of a sample. */
const limitMs = (process.env["HNS_CNI_LONG"] === "1" ? 600 : 25) * 60_000;
const resultFile = join(paths.build, "jest.json");

interface JestResult {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  /** Files that failed before a test of theirs ran. */
  readonly numRuntimeErrorTestSuites: number;
}

async function main(args: readonly string[]): Promise<number> {
  await packageAll();
  for (const file of [resultFile, skipFile]) rmSync(file, { force: true });
  const namesFiles = args.some((argument) => argument.startsWith("test/") || existsSync(join(root, argument)));
  const selected = namesFiles ? args : [...args, "--", ...suites];
  const code = await runJest(selected);
  await stopWine();
  return report(code);
}

/** @returns jest's exit code; 1 when it was stopped because it did not end */
function runJest(args: readonly string[]): Promise<number> {
  const jest = join(root, "node_modules/jest/bin/jest.js");
  return new Promise((resolve, reject) => {
    // A group of its own: at the limit the workers, and what they started, go with it.
    const child = spawn(process.execPath, [jest, "--json", `--outputFile=${resultFile}`, ...args], {
      cwd: root,
      stdio: ["ignore", "ignore", "inherit"],
      detached: true,
    });
    const stop = (): void => {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    };
    const timer = setTimeout(() => {
      process.stderr.write(`the suites did not end within ${limitMs / 60_000} minutes and were stopped\n`);
      stop();
    }, limitMs);
    process.once("SIGINT", stop).once("SIGTERM", stop);
    child.once("error", reject);
    child.once("exit", (code) => {
      clearTimeout(timer);
      process.off("SIGINT", stop).off("SIGTERM", stop);
      resolve(code ?? 1);
    });
  });
}

function report(jestCode: number): number {
  for (const [suite, reasons] of Object.entries(readSkips())) process.stdout.write(`skipped: ${suite}: ${reasons.join("; ")}\n`);
  if (!existsSync(resultFile)) {
    process.stdout.write("jest gave no result\n");
    return jestCode === 0 ? 1 : jestCode;
  }
  const result = JSON.parse(readFileSync(resultFile, "utf8")) as JestResult;
  const failed = result.numFailedTests + result.numRuntimeErrorTestSuites;
  process.stdout.write(`${result.numPassedTests} passed, ${failed} failed, ${result.numPendingTests + result.numTodoTests} skipped\n`);
  return failed > 0 && jestCode === 0 ? 1 : jestCode;
}

/** Suite to its reasons, without repeats. */
function readSkips(): Record<string, string[]> {
  const skips: Record<string, string[]> = {};
  if (!existsSync(skipFile)) return skips;
  for (const line of readFileSync(skipFile, "utf8")
    .split("\n")
    .filter((text) => text !== "")) {
    const { suite, reason } = JSON.parse(line) as Skip;
    const reasons = (skips[suite] ??= []);
    if (!reasons.includes(reason)) reasons.push(reason);
  }
  return skips;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
