import { join } from "node:path";
import winston from "winston";
import Transport from "winston-transport";
import { plainFields } from "../../core/base/log-fields.ts";
import type { LogFields, Logger, LogLevel } from "../../core/base/log.ts";
import { makeFolder } from "../exec/folders.ts";
import type { EventJournal } from "./event-journal.ts";

const FILE_BYTES = 10 * 1024 * 1024;
const FILES_KEPT = 5;
const LEVELS: Readonly<Record<LogLevel, number>> = { error: 0, warn: 1, info: 2, debug: 3 };

export interface AgentLogOptions {
  readonly folder: string;
  readonly level: LogLevel;
  /** Lines go to standard error too, for an agent in the foreground. */
  readonly isVerbose: boolean;
  /** Windows' event log; undefined where there is none. */
  readonly journal: EventJournal | undefined;
  /** Is told each error, for the status. */
  readonly onError: (line: { readonly time: string; readonly message: string; readonly fields: LogFields }) => void;
}

export interface AgentLog extends Logger {
  /** A logger whose lines all carry `context`. */
  child(context: LogFields): Logger;
  /** Returns once every line is written; the event log has a moment for that, and no more. */
  close(): Promise<void>;
}

const JOURNAL_MS = 1_000;
const JOURNAL_LEVEL = "info";

/** Hands lines on to the event log, whatever level the file has. */
class JournalTransport extends Transport {
  readonly #journal: EventJournal;

  constructor(journal: EventJournal) {
    super({ level: JOURNAL_LEVEL });
    this.#journal = journal;
  }

  override log(info: { readonly line: LogLine }, next: () => void): void {
    const { level, message, fields } = info.line;
    this.#journal.add(level, message, fields);
    next();
  }
}

/** A line in its parts, beside its JSON. */
interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: LogFields;
}

/** The agent's log: agent.log in the folder, one JSON object a line, the full files set aside as agent1.log and so on, oldest removed. */
export function openAgentLog(options: AgentLogOptions): AgentLog {
  makeFolder(options.folder);
  const file = new winston.transports.File({
    filename: join(options.folder, "agent.log"),
    maxsize: FILE_BYTES,
    maxFiles: FILES_KEPT,
    tailable: true,
  });
  const terminal = options.isVerbose ? [new winston.transports.Console({ stderrLevels: ["error", "warn", "info", "debug"] })] : [];
  const { journal } = options;
  const events = journal === undefined ? [] : [new JournalTransport(journal)];
  const threshold = Math.max(LEVELS[options.level], journal === undefined ? 0 : LEVELS[JOURNAL_LEVEL]);
  const logger = winston.createLogger({
    // winston's own types give its transports as interfaces.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [file, ...terminal, ...events],
    levels: { ...LEVELS },
    level: options.level,
    format: winston.format.printf(({ message }) => String(message)), // lines come whole, see below
  });
  logger.on("error", () => undefined); // a log that cannot be written stops no pod
  const build = (context: LogFields): Logger => {
    const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
      if (LEVELS[level] > threshold) return; // before the line is made: each call to HNS has one at level debug
      const time = new Date().toISOString();
      const plain = { ...context, ...plainFields(fields) };
      // Ordered here: winston's own JSON format sorts the level and message behind the fields.
      const line: LogLine = { level, message, fields: plain };
      logger.log({ level, message: JSON.stringify({ time, level, message, pid: process.pid, ...plain }), line });
      if (level === "error") options.onError({ time, message, fields: plain });
    };
    return {
      error: (message, fields) => write("error", message, fields),
      warn: (message, fields) => write("warn", message, fields),
      info: (message, fields) => write("info", message, fields),
      debug: (message, fields) => write("debug", message, fields),
    };
  };
  return {
    ...build({}),
    child: build,
    close: async () => {
      const isWritten = new Promise<void>((resolve) => file.on("finish", () => resolve()));
      logger.end();
      await Promise.all([isWritten, journal?.flush(JOURNAL_MS)]);
    },
  };
}
