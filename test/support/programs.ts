/** The two packaged programs as one table, so that a case is written once and runs on both. */
import { runPackaged, packagedReason } from "./packaged.ts";
import { emulatorLibrary } from "./paths.ts";
import { describeUnless } from "./skip.ts";
import { runUnderWine, startWine, type WineMachine, wineReason } from "./wine.ts";

export interface ProgramCall {
  /** The CNI_* variables and what a case adds; nothing of this process's own environment is passed on. */
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
  /** For the command line; a runtime gives none. */
  readonly args?: readonly string[];
  readonly timeoutMs?: number;
}

export interface ProgramOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CniProgram {
  readonly name: string;
  /** Why it cannot run here. */
  readonly reason: string | undefined;
  /** Makes ready what it runs in; safe to call again. */
  start(): Promise<void>;
  /** Runs it to its end against the emulator at `address`. */
  run(call: ProgramCall, address: string): Promise<ProgramOutcome>;
  /** A Linux path as the program sees it. */
  path(linuxPath: string): string;
}

/** Making a Wine prefix takes a minute. */
export const START_MS = 240_000;

export const linux: CniProgram = {
  name: "the Linux program",
  reason: packagedReason(),
  start: () => Promise.resolve(),
  run: ({ env, ...call }, address) =>
    runPackaged({ ...call, env: { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: address, ...env } }),
  path: (linuxPath) => linuxPath,
};

export const windows: CniProgram = buildWindows();

/** The suite once for each program; skipped, with the reason recorded, where one cannot run. */
export function describePrograms(suite: string, body: (program: CniProgram) => void): void {
  for (const program of [linux, windows]) describeProgram(program, suite, () => body(program));
}

export function describeProgram(program: CniProgram, suite: string, body: () => void): void {
  describeUnless(program.reason, `${suite}: ${program.name}`, () => {
    beforeAll(() => program.start(), START_MS);
    body();
  });
}

function buildWindows(): CniProgram {
  let machine: Promise<WineMachine> | undefined;
  const start = (): Promise<WineMachine> => (machine ??= startWine());
  return {
    name: "the Windows program under Wine",
    reason: wineReason(),
    start: async () => {
      await start();
    },
    run: async ({ env, ...call }, address) => runUnderWine(await start(), { ...call, env: { HNS_EMULATOR_ADDRESS: address, ...env } }),
    // Wine shows the root of Linux as drive Z.
    path: (linuxPath) => `Z:${linuxPath.replaceAll("/", "\\")}`,
  };
}
