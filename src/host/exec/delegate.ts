import type { ChildProcessWithoutNullStreams } from "node:child_process";
import { statSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { PluginError } from "../../core/base/errors.ts";
import type { Logger } from "../../core/base/log.ts";
import { splitPathList } from "../../core/cni/environment.ts";
import { type DelegateCommand, type DelegateOutput, type DelegateProgram, outOfTime } from "../../core/engine/delegate.ts";

export interface DelegateOptions {
  /** `ipam.type`: the file name without .exe. */
  readonly type: string;
  /** CNI_PATH. */
  readonly path: string;
  /** The environment of this call. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The configuration as it arrived. */
  readonly stdin: string;
  /** Gets what the program writes to its stderr, line by line. */
  readonly log: Logger;
}

/** A result has a few hundred bytes; a program that goes on writing is ended. */
const MAX_STDOUT_CHARS = 1024 * 1024;
const MAX_STDERR_LINES = 100;

/** How long the pipes of a program that has ended may stay open in the hands of one that it started, milliseconds. */
const PIPES_MS = 1_000;

/** An IPAM plugin as a child process. */
export class DelegateProcess implements DelegateProgram {
  readonly type: string;
  readonly #options: DelegateOptions;

  constructor(options: DelegateOptions) {
    this.type = options.type;
    this.#options = options;
  }

  async run(
    command: DelegateCommand,
    options: { timeoutMs: number; variables: Readonly<Record<string, string>> },
  ): Promise<DelegateOutput> {
    const file = findProgram(this.type, this.#options.path);
    // Asked for here alone: loading it costs every call that does not delegate.
    const { spawn } = process.getBuiltinModule("node:child_process");
    const env = replaceVariables(this.#options.env, { ...options.variables, CNI_COMMAND: command });
    // Pipes on all three: our stdout belongs to our own answer, and a program that lives on must not keep it open.
    const child = spawn(file, [], { env, stdio: "pipe", windowsHide: true });
    logStderr(child, this.type, this.#options.log);
    return waitForEnd(child, { type: this.type, file, command, timeoutMs: options.timeoutMs, stdin: this.#options.stdin });
  }
}

/**
 * The program's file: in the first folder of `path` that has it, with .exe before without on Windows.
 * Throws INVALID_CONFIG for a name that is a path, IO_FAILURE when no folder has it.
 */
export function findProgram(type: string, path: string): string {
  if (/[/\\]/.test(type)) {
    const data = {
      message: `ipam.type "${type}" is a path`,
      remedy: "give the file name alone; its folder is in CNI_PATH",
      field: "ipam.type",
    };
    throw new PluginError("INVALID_CONFIG", data);
  }
  const isWindows = process.platform === "win32";
  const folders = splitPathList(path, isWindows ? ";" : ":").filter((folder) => isAbsolute(folder));
  const names = isWindows ? [`${type}.exe`, type] : [type];
  const found = folders.flatMap((folder) => names.map((name) => join(folder, name))).find(isFile);
  if (found !== undefined) return found;
  const message = `the IPAM plugin "${type}" (ipam.type) is in no folder of CNI_PATH: ${folders.join(", ") || "it names none"}`;
  throw new PluginError("IO_FAILURE", { message, remedy: "install it there, or correct ipam.type" });
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** Windows takes names that differ in case alone for one. */
function replaceVariables(env: DelegateOptions["env"], changes: Readonly<Record<string, string>>): Record<string, string> {
  const changed = new Set(Object.keys(changes).map((name) => name.toUpperCase()));
  const kept = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !changed.has(entry[0].toUpperCase()),
  );
  return { ...Object.fromEntries(kept), ...changes };
}

function logStderr(child: ChildProcessWithoutNullStreams, type: string, log: Logger): void {
  let lines = 0;
  let rest = "";
  const write = (line: string): void => {
    if (line.trim() !== "" && lines++ < MAX_STDERR_LINES) log.info("message of the IPAM plugin", { ipam: type, line: line.trim() });
  };
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = (parts.pop() ?? "").slice(-MAX_STDOUT_CHARS);
    parts.forEach(write);
  });
  child.stderr.on("end", () => write(rest));
}

interface Run {
  readonly type: string;
  readonly file: string;
  readonly command: DelegateCommand;
  readonly timeoutMs: number;
  readonly stdin: string;
}

function waitForEnd(child: ChildProcessWithoutNullStreams, run: Run): Promise<DelegateOutput> {
  return new Promise((resolve, reject) => {
    let stdout = "";
    let grace: NodeJS.Timeout | undefined;
    const limit = setTimeout(() => giveUp(), run.timeoutMs);
    const finish = (settle: () => void): void => {
      clearTimeout(limit);
      clearTimeout(grace);
      settle();
    };
    const giveUp = (): void => {
      child.kill("SIGKILL");
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      child.unref();
      finish(() => reject(outOfTime(run.type, run.command)));
    };
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
      if (stdout.length > MAX_STDOUT_CHARS) child.kill("SIGKILL");
    });
    child.once("error", (error) => finish(() => reject(notStarted(run, error))));
    child.once("exit", () => {
      grace = setTimeout(() => [child.stdout, child.stderr].forEach((stream) => stream.destroy()), PIPES_MS);
    });
    child.once("close", (code) => finish(() => resolve({ exitCode: code ?? 1, stdout })));
    // A program that ends without reading closes the pipe under us; how it ended tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(run.stdin);
  });
}

function notStarted({ type, file }: Run, cause: Error): PluginError {
  const data = { message: `the IPAM plugin "${type}" cannot be started: ${file}`, remedy: "see that it is a program of this platform" };
  return new PluginError("IO_FAILURE", data, { cause });
}
