import { appendFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from "../../core/base/log.ts";
import { plainFields } from "../../core/base/log-fields.ts";
import { makeFolder } from "./folders.ts";

export interface LogFileOptions {
  readonly path: string;
  readonly level: LogLevel;
  /** Fields of every line, such as the command and the container. */
  readonly context: LogFields;
  /** Size at which the file is set aside, bytes. */
  readonly maxBytes: number;
  /** How many full files are kept, as path.TIME-PID-COUNT; of smaller ones as many as fill these. */
  readonly keep: number;
  readonly now: () => number;
}

/** A file that cannot be set aside, since a reader holds it, grows to this many times its size; then lines are lost. */
const MOST_OVERSIZE = 2;

/** What follows the path in the name of a file set aside. */
const ASIDE = /^\d{8}T\d{9}Z-\d+-\d+$/;

/**
 * One JSON object a line, each written by a single append, so that lines of several processes never mix. A log that cannot be
 * written is no reason for a pod to fail: then lines are lost.
 */
export function openLogFile(options: LogFileOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) > threshold) return;
    const line = { time: new Date(options.now()).toISOString(), level, message, ...options.context, ...plainFields(fields) };
    try {
      append(options, `${JSON.stringify(line)}\n`);
    } catch {
      // nowhere is left to say so: stdout is the runtime's and stderr stays empty
    }
  };
  return {
    error: (message, fields) => write("error", message, fields),
    warn: (message, fields) => write("warn", message, fields),
    info: (message, fields) => write("info", message, fields),
    debug: (message, fields) => write("debug", message, fields),
  };
}

function append(options: LogFileOptions, line: string): void {
  try {
    rotateWhenFull(options);
    appendFileSync(options.path, line);
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown;
    makeFolder(dirname(options.path));
    appendFileSync(options.path, line);
  }
}

/**
 * Sets a full file aside under a name that nobody else uses, so that of two processes that do it at once none overwrites what the
 * other kept: the second at worst sets a small file aside. No lock, hence nothing that a process which dies could leave locked.
 */
function rotateWhenFull(options: LogFileOptions): void {
  const { path, maxBytes } = options;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxBytes) return;
  if (renameUnlessShared(path, `${path}.${asideName(options.now())}`)) prune(options);
  else if (size >= maxBytes * MOST_OVERSIZE) throw new Error("the log is full and cannot be set aside");
}

/** Sorts by time; the process and its monotonic clock keep names apart. */
function asideName(now: number): string {
  const time = new Date(now).toISOString().replaceAll(/[-:.]/g, "");
  return `${time}-${process.pid}-${process.hrtime.bigint()}`;
}

/** Removes what is older than the newest files that together hold `keep` full ones; two processes that do it at once remove the same. */
function prune({ path, maxBytes, keep }: LogFileOptions): void {
  const folder = dirname(path);
  const prefix = `${basename(path)}.`;
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix) && ASIDE.test(name.slice(prefix.length)));
  let kept = 0;
  for (const name of names.sort().reverse()) {
    const file = join(folder, name);
    if (kept >= maxBytes * keep) rmSync(file, { force: true });
    else kept += statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  }
}

/** @returns false when another process keeps the file from being renamed; one that is gone already counts as done */
function renameUnlessShared(from: string, to: string): boolean {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if (isShared(thrown)) return false;
    if (!isMissing(thrown)) throw thrown;
  }
  return true;
}

function isMissing(thrown: unknown): boolean {
  return errorCode(thrown) === "ENOENT";
}

/** Windows refuses to rename a file that another process has open at that moment. */
function isShared(thrown: unknown): boolean {
  return ["EBUSY", "EPERM", "EACCES"].includes(errorCode(thrown) ?? "");
}

function errorCode(thrown: unknown): string | undefined {
  const code: unknown = typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined;
  return typeof code === "string" ? code : undefined;
}
