/** The packaged Linux program as a child process, the way a container runtime starts it. */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { emulatorLibrary, linuxProgram } from "./paths.ts";

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

/** Why suites over the packaged program and the emulator cannot run here; undefined when they can. */
export function packagedReason(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the program for tests is built for Linux on x64 only";
  if (!existsSync(linuxProgram)) return "the program is not built: npm run package";
  if (!existsSync(emulatorLibrary)) return "the emulator's library is not built (it needs gcc): npm run package";
  return undefined;
}

/** Runs the packaged program to its end. Rejects when it cannot be started or runs out of time. */
export function runPackaged(run: ProgramRun): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(linuxProgram, run.args ?? [], { env: { ...run.env }, stdio: "pipe" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    const timeoutMs = run.timeoutMs ?? 30_000;
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`hns-cni did not end within ${timeoutMs} ms\n${output.stdout}${output.stderr}`));
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
