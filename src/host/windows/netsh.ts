import { execFile } from "node:child_process";
import { PluginError } from "../../core/base/errors.ts";

const TIMEOUT_MS = 30_000;

/** Runs Windows' own netsh.exe with these words. Throws IO_FAILURE with what it says when it ends with another code than 0. */
export type Netsh = (words: readonly string[]) => Promise<void>;

/** `directory` is the system directory: the program is never looked for on a path. */
export function openNetsh(directory: string): Netsh {
  const program = `${directory}\\netsh.exe`;
  return (words) =>
    new Promise((resolve, reject) => {
      execFile(program, [...words], { windowsHide: true, timeout: TIMEOUT_MS }, (error, stdout, stderr) => {
        if (error === null) resolve();
        else reject(failed(words, `${stdout}${stderr}`.trim().replaceAll(/\s+/g, " ") || error.message, error));
      });
    });
}

function failed(words: readonly string[], reason: string, cause: Error): PluginError {
  const message = `netsh ${words.join(" ")} failed: ${reason}`;
  return new PluginError("IO_FAILURE", { message, remedy: "run the command as an administrator and look at its answer" }, { cause });
}
