import { join } from "node:path";
import winston from "winston";
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
/** Under which lines of any level go through winston together: those that are not wanted were left out before. */
const LINES_LEVEL = "error";

/**
 * The agent's log: agent.log in the folder, one JSON object a line, the full files set aside as agent1.log and so on, oldest removed. Lines of one turn
 * of the event loop are written together: with many pods at once writing each by itself took a tenth of the agent's time.
 */
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
  const journalled = journal === undefined ? -1 : LEVELS[JOURNAL_LEVEL]; // whatever level the file has
  const threshold = Math.max(LEVELS[options.level], journalled);
  const logger = winston.createLogger({
    // winston's own types give its transports as interfaces.
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment
    transports: [file, ...terminal],
    levels: { ...LEVELS },
    level: LINES_LEVEL,
    format: winston.format.printf(({ message }) => String(message)), // lines come whole, see below
  });
  logger.on("error", () => undefined); // a log that cannot be written stops no pod
  const lines = gatherLines((text) => logger.log(LINES_LEVEL, text));
  const build = (context: LogFields): Logger => {
    const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
      if (LEVELS[level] > threshold) return; // before the line is made: each call to HNS has one at level debug
      const time = new Date().toISOString();
      const plain = { ...context, ...plainFields(fields) };
      // Ordered here: winston's own JSON format sorts the level and message behind the fields.
      if (LEVELS[level] <= LEVELS[options.level]) lines.add(JSON.stringify({ time, level, message, pid: process.pid, ...plain }));
      if (LEVELS[level] <= journalled) journal?.add(level, message, plain);
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
      lines.write();
      const isWritten = new Promise<void>((resolve) => file.on("finish", () => resolve()));
      logger.end();
      await Promise.all([isWritten, journal?.flush(JOURNAL_MS)]);
    },
  };
}

interface Lines {
  readonly add: (line: string) => void;
  /** Writes what has been gathered now. */
  readonly write: () => void;
}

/** Hands the lines of one turn of the event loop on as one text. */
function gatherLines(give: (text: string) => void): Lines {
  let gathered: string[] = [];
  const write = (): void => {
    const text = gathered.join("\n");
    gathered = [];
    if (text !== "") give(text);
  };
  return {
    write,
    add: (line) => {
      if (gathered.push(line) === 1) setImmediate(write);
    },
  };
}
