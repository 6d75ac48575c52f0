/** Builds preload-kill.c and makes the environment that has it act in a program; the C file says what each variable does. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { build } from "./paths.ts";

const source = join(process.cwd(), "test/support/preload-kill.c");
const library = join(build, "preload-kill.so");

/** A durable write as the library counts it: the call and the file, without its folder. */
export interface DurableWrite {
  readonly call: string;
  readonly file: string;
}

export interface PreloadOptions {
  /** Files whose path starts with this are watched. */
  readonly prefix?: string;
  readonly at?: number;
  readonly when?: "before" | "after" | "torn";
  /** File that gets one line a watched write. */
  readonly log?: string;
  readonly clockOffsetSeconds?: number;
}

/** Why the library cannot be built here; undefined when it can. */
export function preloadReason(): string | undefined {
  if (process.platform !== "linux") return "LD_PRELOAD is Linux's";
  return spawnSync("gcc", ["--version"], { stdio: "ignore" }).status === 0 ? undefined : "gcc is not installed";
}

/** Builds the library when it is missing or older than its source. Workers may do so at the same time. */
export function buildPreload(): void {
  if (existsSync(library) && statSync(library).mtimeMs > statSync(source).mtimeMs) return;
  mkdirSync(build, { recursive: true });
  const fresh = `${library}.${process.pid}`;
  execFileSync("gcc", ["-O1", "-Wall", "-Wextra", "-shared", "-fPIC", "-o", fresh, source, "-ldl", "-lpthread"], { stdio: "inherit" });
  renameSync(fresh, library);
}

export function preloadEnv(options: PreloadOptions): Record<string, string> {
  const { prefix, at, when, log, clockOffsetSeconds } = options;
  return {
    LD_PRELOAD: library,
    ...(prefix !== undefined && { PRELOAD_KILL_PREFIX: prefix }),
    ...(at !== undefined && { PRELOAD_KILL_AT: String(at) }),
    ...(when !== undefined && { PRELOAD_KILL_WHEN: when }),
    ...(log !== undefined && { PRELOAD_KILL_LOG: log }),
    ...(clockOffsetSeconds !== undefined && { PRELOAD_CLOCK_OFFSET: String(clockOffsetSeconds) }),
  };
}

/** The writes that `log` names, in order; the log is removed. */
export function takeWrites(log: string): DurableWrite[] {
  const lines = existsSync(log) ? readFileSync(log, "utf8").trimEnd().split("\n") : [];
  rmSync(log, { force: true });
  return lines
    .filter((line) => line !== "")
    .map((line) => {
      const [call = "", path = ""] = line.split(" ");
      return { call, file: path.slice(path.lastIndexOf("/") + 1) };
    });
}
