import { appendFileSync, mkdirSync, renameSync, rmSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PluginError } from "../../core/base/errors.ts";
import { LOG_LEVELS, type LogFields, type Logger, type LogLevel } from "../../core/base/log.ts";

export interface LogFileOptions {
  readonly path: string;
  readonly level: LogLevel;
  /** Fields of every line, such as the command and the container. */
  readonly context: LogFields;
  /** Size at which the file is set aside, bytes. */
  readonly maxBytes: number;
  /** How many files set aside are kept, as path.1 to path.N. */
  readonly keep: number;
  readonly now: () => number;
}

/**
 * One JSON object a line, each written by a single append, so that lines of several processes never mix. A log that cannot be
 * written is no reason for a pod to fail: then lines are lost.
 */
export function openLogFile(options: LogFileOptions): Logger {
  const threshold = LOG_LEVELS.indexOf(options.level);
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (LOG_LEVELS.indexOf(level) > threshold) return;
    const line = { time: new Date(options.now()).toISOString(), level, message, ...options.context, ...plain(fields) };
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
    mkdirSync(dirname(options.path), { recursive: true });
    appendFileSync(options.path, line);
  }
}

/** Renames path to path.1 and so on. Two processes that do it at once lose nothing: the second finds a small file and leaves it. */
function rotateWhenFull(options: LogFileOptions): void {
  const { path, maxBytes, keep } = options;
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size < maxBytes) return;
  rmSync(`${path}.${keep}`, { force: true });
  for (let number = keep - 1; number >= 1; number--) renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
  renameIfThere(path, `${path}.1`);
}

function renameIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (thrown) {
    if (!isMissing(thrown) && !isShared(thrown)) throw thrown;
  }
}

function plain(fields: LogFields): LogFields {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, value instanceof Error ? describeError(value) : value]));
}

function describeError(error: Error): object {
  if (!(error instanceof PluginError)) return { message: error.message, stack: error.stack };
  const { hresult, details } = error.data;
  return { code: error.code, message: error.message, ...(hresult !== undefined && { hresult: `0x${hresult.toString(16)}` }), ...(details !== undefined && { details }) };
}

function isMissing(thrown: unknown): boolean {
  return errorCode(thrown) === "ENOENT";
}

/** Windows refuses to rename a file that another process has open at that moment. */
function isShared(thrown: unknown): boolean {
  return ["EBUSY", "EPERM", "EACCES"].includes(errorCode(thrown) ?? "");
}

function errorCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && "code" in thrown && typeof thrown.code === "string" ? thrown.code : undefined;
}
