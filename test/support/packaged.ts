/** The packaged Linux program as a child process, the way a container runtime starts it. */
import { existsSync } from "node:fs";
import { emulatorLibrary, linuxProgram } from "./paths.ts";
import { type ProgramResult, type ProgramRun, runProcess } from "./run-process.ts";

export type { ProgramResult, ProgramRun };

/** Why suites over the packaged program and the emulator cannot run here; undefined when they can. */
export function packagedReason(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return "the program for tests is built for Linux on x64 only";
  if (!existsSync(linuxProgram)) return "the program is not built: npm run package";
  if (!existsSync(emulatorLibrary)) return "the emulator's library is not built (it needs gcc): npm run package";
  return undefined;
}

/** Runs the packaged program to its end. Rejects when it cannot be started or runs out of time. */
export function runPackaged(run: ProgramRun): Promise<ProgramResult> {
  return runProcess(linuxProgram, run);
}
