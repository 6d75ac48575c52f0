/** A program as a child process, from its start to its end. */
import { spawn } from "node:child_process";

export interface ProgramRun {
  /** The whole environment the program sees; nothing of this process's own is added. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly args?: readonly string[];
  /** Default 30 s; then the program is killed and the promise rejected. */
  readonly timeoutMs?: number;
}

export interface ProgramResult {
  /** The exit code; null when a signal ended the program. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `file` to its end. Rejects when it cannot be started or runs out of time. */
export function runProcess(file: string, run: ProgramRun): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, run.args ?? [], { env: { ...run.env }, stdio: "pipe" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    const timeoutMs = run.timeoutMs ?? 30_000;
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${file} did not end within ${timeoutMs} ms\n${output.stdout}${output.stderr}`));
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output });
    });
    // A program that ends without reading its stdin closes the pipe under us; its exit code tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(run.stdin ?? "");
  });
}
