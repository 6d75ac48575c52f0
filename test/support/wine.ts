/** The Windows program under Wine: what can be known about it without Windows. */
import { spawn } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withFileLock } from "../../scripts/setup/file-lock.ts";
import { build, emulatorDlls, windowsKoffi, windowsProgram } from "./paths.ts";
import { installFile } from "./wine-files.ts";
import { ensurePrefix, findWine, wineEnvironment, type WinePrefix } from "./wine-prefix.ts";

export interface WineRun {
  /** A Linux path; default the product's program. */
  readonly exe?: string;
  readonly args?: readonly string[];
  /** Variables of the Windows program, beside those that Wine itself makes (PATH, SystemRoot, …). */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  /** Standard input is a pipe that stays open after `stdin`. Not for Node, which cannot read a Unix pipe under Wine. */
  readonly isEndless?: boolean;
  /** The current folder as a Linux path; default the root of drive C. */
  readonly cwd?: string;
  /** Default 60 s; then the program is killed and the promise rejected. */
  readonly timeoutMs?: number;
}

export interface WineResult {
  /** The low byte of the Windows exit code; null when a signal ended the loader. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Why suites under Wine cannot run here; undefined when they can. */
export function wineReason(): string | undefined {
  if (findWine() === undefined) return "Wine is missing (packages wine64 and wine)";
  if (!existsSync(windowsProgram)) return "the Windows program is not built: npm run package";
  if (!emulatorDlls.every((dll) => existsSync(dll)))
    return "the emulator's DLLs are not built (they need gcc-mingw-w64-x86-64): npm run package";
  return undefined;
}

/** Wine ready for use, and the copy of the program that runs in it. */
export interface WineMachine {
  readonly prefix: WinePrefix;
  readonly program: string;
}

/** Makes the prefix and the copy of the program, or finds them made. Call in beforeAll with a generous timeout; safe in parallel. */
export async function startWine(): Promise<WineMachine> {
  const wine = findWine();
  if (wine === undefined) throw new Error("Wine is missing");
  const prefix = await ensurePrefix(wine);
  const folder = join(build, "wine");
  const program = await withFileLock(`${prefix.folder}.program.lock`, () => {
    installFile(windowsKoffi, folder);
    return Promise.resolve(installFile(windowsProgram, folder, prefix.version < 10 ? hideVirtualAlloc2 : undefined));
  });
  return { prefix, program };
}

/**
 * Wine before 10 has VirtualAlloc2 without the placeholders that V8 asks it for, and V8 dies of that. Where the function is not
 * found V8 does without, so a test copy looks for one under a name that does not exist. The program itself is never changed.
 */
export function hideVirtualAlloc2(content: Buffer): void {
  const name = Buffer.from("VirtualAlloc2\0");
  const places: number[] = [];
  for (let at = content.indexOf(name); at >= 0; at = content.indexOf(name, at + 1)) places.push(at);
  if (places.length === 0) throw new Error("the program does not look up VirtualAlloc2");
  for (const at of places) content.write("X", at + name.length - 2, "latin1");
}

/** Runs a Windows program to its end. Rejects when it cannot be started or runs out of time. */
export async function runUnderWine(machine: WineMachine, options: WineRun): Promise<WineResult> {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-wine-"));
  const file = (name: string): string => join(folder, name);
  writeFileSync(file("stdin"), options.stdin ?? "");
  // Files, not pipes: Node under Wine cannot read or write a Unix pipe (EBADF).
  const stdio = [openSync(file("stdin"), "r"), openSync(file("stdout"), "w"), openSync(file("stderr"), "w")];
  try {
    const code = await waitForEnd(machine, options, options.isEndless === true ? ["pipe", ...stdio.slice(1)] : stdio);
    return { code, stdout: readFileSync(file("stdout"), "utf8"), stderr: readFileSync(file("stderr"), "utf8") };
  } finally {
    for (const descriptor of stdio) closeSync(descriptor);
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Keeps Wine's Windows up until the function it gives is called. It goes down a few seconds after its last program has ended, and with the next
 * program it boots, which starts the services that start by themselves.
 */
export function keepWineUp(machine: WineMachine): () => Promise<void> {
  const env = wineEnvironment(machine.prefix.folder);
  const shell = spawn(machine.prefix.wine, ["cmd.exe"], { env, stdio: ["pipe", "ignore", "ignore"] }); // it waits for a line that never comes
  const ended = new Promise<void>((resolve) => {
    shell.once("exit", () => resolve());
    shell.once("error", () => resolve());
  });
  return () => {
    shell.stdin.end();
    shell.kill("SIGKILL");
    return ended;
  };
}

function waitForEnd(machine: WineMachine, options: WineRun, stdio: (number | "pipe")[]): Promise<number | null> {
  const env = { ...wineEnvironment(machine.prefix.folder), ...options.env };
  const exe = options.exe ?? machine.program;
  const timeoutMs = options.timeoutMs ?? 60_000;
  return new Promise((resolve, reject) => {
    const child = spawn(machine.prefix.wine, [exe, ...(options.args ?? [])], {
      env,
      stdio,
      cwd: options.cwd ?? join(machine.prefix.folder, "drive_c"),
    });
    child.stdin?.on("error", () => undefined).write(options.stdin ?? "");
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${exe} did not end within ${timeoutMs} ms`));
    }, timeoutMs);
    child.once("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.once("exit", (code) => {
      clearTimeout(timer);
      resolve(code);
    });
  });
}
