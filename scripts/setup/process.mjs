/** Child processes for the set-up code, which has to run before anything is installed. */
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * Runs a program to its end without a shell and gives its output; its stderr is part of the error's text.
 * Throws when it cannot be started, takes longer than `timeoutMs`, or ends with another code than 0.
 */
export function capture(command, args, options = {}) {
  const result = spawnSync(command, args, {
    cwd: options.cwd,
    env: options.env ?? process.env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: options.timeoutMs ?? 300_000,
    killSignal: "SIGKILL",
    maxBuffer: 64 * 1024 * 1024,
  });
  const line = [command, ...args].join(" ");
  if (result.error !== undefined) throw new Error(`${line}: ${result.error.message}`, { cause: result.error });
  if (result.status !== 0) throw new Error(`${line} ended with ${result.status ?? result.signal}\n${head(result.stderr || result.stdout)}`);
  return result.stdout;
}

/** Runs a program with this process's stdout and stderr and no stdin; resolves with its exit code (1 for death by a signal). */
export function runVisible(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: options.cwd, env: options.env ?? process.env, stdio: ["ignore", "inherit", "inherit"] });
    const forward = (signal) => child.kill(signal);
    process.on("SIGINT", forward).on("SIGTERM", forward);
    child.once("error", reject);
    child.once("exit", (code) => {
      process.off("SIGINT", forward).off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}

/** The full path of a program on PATH, or undefined. */
export function findProgram(name) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      continue; // not in this folder
    }
  }
  return undefined;
}

/** The beginning of what a program said: npm names the reason first, then explains itself at length. */
function head(text) {
  return text.trim().split("\n").slice(0, 40).join("\n");
}
