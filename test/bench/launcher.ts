/**
 * A small C program (test/bench/launcher) that starts others and measures them. What it tells is nearer to what a runtime sees than a
 * start by Node, which alone takes longer than a small program runs; and under Wine its programs start inside, as Windows starts them.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { compilerReason, LINUX_COMPILER, WINDOWS_COMPILER } from "../support/compile.ts";
import type { WineMachine } from "../support/wine.ts";
import { wineEnvironment } from "../support/wine-prefix.ts";
import type { ProcessRun } from "./process.ts";

/** A run without arguments: no plugin gets any. On Windows the launcher's own variables stand below those of `env`. */
export type Launch = Pick<ProcessRun, "program" | "env" | "stdin">;

export interface LaunchEnd {
  readonly code: number;
  readonly stdout: string;
  /** From before its start, with the making of its pipes, to its end. */
  readonly ms: number;
}

/** The code of what could not be started. */
const NOT_STARTED = 0xffffffff;
const HEADER = 12;

const run = promisify(execFile);

/** Why it cannot be built; undefined when it can. */
export function launcherReason(): string | undefined {
  return compilerReason(LINUX_COMPILER);
}

/** Three texts, each with its length before it: the program, its variables, its input. */
export function encodeOrder({ program, env = {}, stdin = "" }: Launch): Buffer {
  const variables = Object.entries(env).map(([name, value]) => `${name}=${value}\0`);
  return Buffer.concat(
    [program, variables.join(""), stdin].flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

/** The answer at the start of `bytes`, and what follows it; undefined while it is not whole. */
export function decodeAnswer(bytes: Buffer): { readonly end: LaunchEnd; readonly rest: Buffer } | undefined {
  if (bytes.length < HEADER) return undefined;
  const [code, microseconds, length] = [0, 4, 8].map((at) => bytes.readUInt32LE(at));
  if (code === undefined || microseconds === undefined || length === undefined || bytes.length < HEADER + length) return undefined;
  const end = { code, ms: microseconds / 1000, stdout: bytes.toString("utf8", HEADER, HEADER + length) };
  return { end, rest: bytes.subarray(HEADER + length) };
}

interface Build {
  readonly compiler: string;
  readonly platform: string;
  readonly file: string;
  readonly flags: readonly string[];
}

export class Launcher {
  readonly #child: ChildProcess;
  readonly #folder: string;
  #received: Buffer = Buffer.alloc(0);
  #waiting: { resolve: (end: LaunchEnd) => void; reject: (error: Error) => void } | undefined;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    child.stdout?.on("data", (chunk: Buffer) => this.#take(chunk));
    child.stdin?.on("error", () => undefined);
    child.once("error", (error) => this.#waiting?.reject(error));
    child.once("close", () => this.#waiting?.reject(new Error("the launcher has ended")));
  }

  static async startOnLinux(): Promise<Launcher> {
    return Launcher.#start({ compiler: LINUX_COMPILER, platform: "linux.c", file: "launcher", flags: [] }, (program) =>
      spawn(program, [], { env: {}, stdio: ["pipe", "pipe", "ignore"] }),
    );
  }

  static async startUnderWine({ prefix }: WineMachine): Promise<Launcher> {
    return Launcher.#start({ compiler: WINDOWS_COMPILER, platform: "windows.c", file: "launcher.exe", flags: ["-static"] }, (program) =>
      spawn(prefix.wine, [program], {
        env: wineEnvironment(prefix.folder),
        cwd: join(prefix.folder, "drive_c"),
        stdio: ["pipe", "pipe", "ignore"],
      }),
    );
  }

  static async #start({ compiler, platform, file, flags }: Build, start: (program: string) => ChildProcess): Promise<Launcher> {
    const folder = mkdtempSync(join(tmpdir(), "hns-cni-launcher-"));
    const program = join(folder, file);
    const sources = ["launcher.c", platform].map((name) => join(process.cwd(), "test/bench/launcher", name));
    await run(compiler, ["-std=c11", "-O2", "-Wall", "-Wextra", "-Wconversion", "-Werror", ...flags, "-o", program, ...sources]);
    return new Launcher(start(program), folder);
  }

  /** One program at a time. Rejects when it cannot be started or the launcher has ended. */
  async run(launch: Launch): Promise<LaunchEnd> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error("the launcher has ended");
    const answer = new Promise<LaunchEnd>((resolve, reject) => (this.#waiting = { resolve, reject }));
    this.#child.stdin?.write(encodeOrder(launch));
    const end = await answer;
    if (end.code === NOT_STARTED) throw new Error(`${launch.program} could not be started`);
    return end;
  }

  /** A run that must succeed. */
  async demand(launch: Launch): Promise<LaunchEnd> {
    const end = await this.run(launch);
    if (end.code !== 0) throw new Error(`exit code ${end.code}: ${end.stdout}`);
    return end;
  }

  async close(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.stdin?.end();
      await once(this.#child, "close");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #take(chunk: Buffer): void {
    this.#received = Buffer.concat([this.#received, chunk]);
    const answer = decodeAnswer(this.#received);
    if (answer === undefined) return;
    this.#received = answer.rest;
    this.#waiting?.resolve(answer.end);
    this.#waiting = undefined;
  }
}
