import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { PluginError } from "../../core/base/errors.ts";
import { makeFolder } from "../exec/folders.ts";
import { monotonicMs } from "../exec/time.ts";
import { checksum } from "./columns.ts";
import { type CheckTime, findCheck, isLarge, writeStamp } from "./file-stamp.ts";
import type { Cell, Row } from "./row.ts";
import { MIGRATIONS } from "./schema.ts";

export interface DatabaseOptions {
  /** Path of state.db; its folder is made when missing. ":memory:" keeps everything in this process. */
  readonly path: string;
  /** How long a transaction waits for other processes, milliseconds. */
  readonly busyTimeoutMs: number;
  /** Both clocks; the machine's unless given. */
  readonly readTime?: () => CheckTime;
  /** Commits survive a crash of this process at once, and one of the system only after a GroupFlush; absent means that each commit waits for the disk. */
  readonly flushesLater?: true;
}

/** The one file that knows node:sqlite: statements are prepared once, every failure is a STATE_FAILURE that names the file, or STATE_DAMAGED. */
export class Database {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #busyTimeoutMs: number;
  readonly #statements = new Map<string, StatementSync>();
  /** The statement that writes a row, by its list of columns. */
  readonly #puts = new Map<readonly string[], string>();
  /** When the whole structure was last looked at. */
  readonly #checked: CheckTime;
  #commits = 0;

  private constructor({ path, busyTimeoutMs }: DatabaseOptions, database: DatabaseSync, checked: CheckTime) {
    this.#path = path;
    this.#database = database;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#checked = checked;
  }

  /** Opens or creates the database and brings its schema to the newest version. Throws STATE_FAILURE, or STATE_DAMAGED. */
  static open(options: DatabaseOptions): Database {
    const { path } = options;
    try {
      if (path !== ":memory:") makeFolder(dirname(path));
      return untilNotBusy(options.busyTimeoutMs, () => Database.#openOnce(options));
    } catch (thrown) {
      throw failure(path, thrown);
    }
  }

  static #openOnce(options: DatabaseOptions): Database {
    const { path, busyTimeoutMs, flushesLater, readTime = readClocks } = options;
    const now = readTime();
    // Before the file is opened: what counts is how the last user left it.
    const check = isLarge(path) ? findCheck(path, now) : undefined;
    const database = new DatabaseSync(path, { timeout: Math.min(busyTimeoutMs, BUSY_POLL_MS) });
    try {
      const opened = new Database(options, database, check ?? now);
      opened.#prepareFile(flushesLater === true ? "NORMAL" : "FULL", check === undefined ? WHOLE_FILE : SMALL_TABLES);
      return opened;
    } catch (thrown) {
      database.close();
      throw thrown;
    }
  }

  get<T>(sql: string, parse: (row: Row) => T, ...values: SQLInputValue[]): T | undefined {
    return this.#guard(() => {
      const row = this.#prepare(sql).get(...values);
      return row === undefined ? undefined : parse(row);
    });
  }

  all<T>(sql: string, parse: (row: Row) => T, ...values: SQLInputValue[]): T[] {
    return this.#guard(() =>
      this.#prepare(sql)
        .all(...values)
        .map(parse),
    );
  }

  /** Runs a writing statement; returns how many rows it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#guard(() => Number(this.#prepare(sql).run(...values).changes));
  }

  /**
   * Writes a row whose last column, `sum`, is the checksum of the others; one of the same primary key is replaced. A list of columns is one table's, and
   * the same object each time.
   */
  put(table: string, columns: readonly string[], values: readonly Cell[]): void {
    let sql = this.#puts.get(columns);
    if (sql === undefined) {
      const marks = columns.map(() => "?").join(", ");
      sql = `INSERT OR REPLACE INTO ${table} (${columns.join(", ")}, sum) VALUES (${marks}, ?)`;
      this.#puts.set(columns, sql);
    }
    this.run(sql, ...values, checksum(values));
  }

  /** How often a transaction that may have written was committed, or tried to be. */
  get commits(): number {
    return this.#commits;
  }

  /** Runs `work` between BEGIN and COMMIT; anything thrown rolls back and goes on to the caller. */
  transaction<T>(begin: "BEGIN IMMEDIATE" | "BEGIN", work: () => T): T {
    this.#guard(() => this.#begin(begin));
    let outcome: T;
    try {
      outcome = work();
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
    if (begin === "BEGIN IMMEDIATE") this.#commits++; // before: one that fails may have reached the file
    try {
      this.#guard(() => this.#prepare("COMMIT").run());
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
    return outcome;
  }

  close(): void {
    this.#statements.clear();
    this.#guard(() => this.#database.close());
    if (isLarge(this.#path)) writeStamp(this.#path, this.#checked);
  }

  #prepareFile(synchronous: "FULL" | "NORMAL", checkedParts: readonly string[]): void {
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
    this.#verifyStructure(checkedParts);
    if (this.#version() === MIGRATIONS.length) return;
    this.transaction("BEGIN IMMEDIATE", () => {
      const version = this.#version(); // another process may have migrated while this one waited
      if (version > MIGRATIONS.length) throw tooNew(this.#path, version);
      for (const migration of MIGRATIONS.slice(version)) this.#database.exec(migration);
      this.#database.exec(`PRAGMA user_version = ${encodeVersion(MIGRATIONS.length)}`);
    });
  }

  /**
   * An index that disagrees with its table hides rows without an error: SQLite notices only when asked, and then reads the whole file, some 8 ms a
   * megabyte. So a small file is looked at whenever it is opened, and a large one, which is one with thousands of addresses, unless it is known to be as a
   * process left it that knew it whole (file-stamp.ts); the tables that stay small are looked at in any case. What rots on the disk meanwhile can hide an
   * address until the next look. It cannot give one away twice: whether SQLite takes a column from an index or from the table, the row's checksum covers it.
   */
  #verifyStructure(parts: readonly string[]): void {
    for (const part of parts) {
      const found: unknown = this.#database.prepare(`PRAGMA integrity_check(${part})`).get()?.["integrity_check"];
      if (found !== "ok") throw damagedStructure(this.#path, found);
    }
  }

  #version(): number {
    const stored = Number(this.#database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
    const version = stored >>> 16;
    if (stored !== 0 && stored !== encodeVersion(version)) throw damagedStructure(this.#path, `its schema version reads ${stored}`);
    return version;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /** A transaction that reads takes its look at the state at once: nothing after it has to wait for others. */
  #begin(begin: "BEGIN IMMEDIATE" | "BEGIN"): void {
    try {
      this.#prepare(begin).run();
      if (begin === "BEGIN") this.#prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get();
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
  }

  #guard<T>(run: () => T): T {
    try {
      return this.#database.isTransaction ? run() : untilNotBusy(this.#busyTimeoutMs, run);
    } catch (thrown) {
      throw failure(this.#path, thrown);
    }
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }
}

/** Arguments of integrity_check: one problem is enough. */
const WHOLE_FILE = ["1"];

/** The tables that do not grow with the addresses that were ever given out. */
const SMALL_TABLES = ["attachments", "leases", "pools", "blocks", "networks", "waiters", "pool_surplus"];

function readClocks(): CheckTime {
  return { wall: Date.now(), uptime: monotonicMs() };
}

/** The version with its complement beside it: a bit that flips must not make the state that of a newer program, which nobody has. */
export function encodeVersion(version: number): number {
  return (version << 16) | (~version & 0xffff);
}

function tooNew(path: string, version: number): PluginError {
  const message = `${path} has schema version ${version}; this program knows ${MIGRATIONS.length}`;
  return new PluginError("STATE_FAILURE", { message, remedy: "run the newer program that wrote it" });
}

function damagedStructure(path: string, found: unknown): PluginError {
  const data = { message: `the state database ${path} is damaged: ${String(found)}`, remedy: "move it aside; it is rebuilt from HNS" };
  return new PluginError("STATE_DAMAGED", data);
}

function failure(path: string, thrown: unknown): PluginError {
  if (thrown instanceof PluginError) return thrown;
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  const data = {
    message: `cannot use the state database ${path}: ${reason}`,
    remedy: "check the folder's permissions and free space, or set stateDir",
  };
  const code = sqliteCode(thrown);
  if (code === SQLITE_CORRUPT || code === SQLITE_NOTADB) return new PluginError("STATE_DAMAGED", data, { cause: thrown });
  return new PluginError("STATE_FAILURE", data, { cause: thrown, retryable: code === SQLITE_BUSY });
}

const BUSY_POLL_MS = 10;

/**
 * Waits for other processes, asking all the time as often as at first. SQLite's own waiting is left to the first milliseconds of each attempt: it
 * asks ever more seldom, so that of many processes those who came last are served first, and some not within a minute. And it does not wait at all
 * where it sees that waiting could block for ever: two processes that turn a new file's journal to WAL.
 */
function untilNotBusy<T>(timeoutMs: number, run: () => T): T {
  const until = monotonicMs() + timeoutMs; // performance.now would load its module, a tenth of what starting Node costs
  for (;;) {
    try {
      return run();
    } catch (thrown) {
      if (sqliteCode(thrown) !== SQLITE_BUSY || monotonicMs() >= until) throw thrown;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, BUSY_POLL_MS);
    }
  }
}

// Result codes of SQLite (sqlite3.h).
const SQLITE_BUSY = 5;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;

/** The primary SQLite result code of an error of node:sqlite; undefined for other errors. */
export function sqliteCode(thrown: unknown): number | undefined {
  const code: unknown = typeof thrown === "object" && thrown !== null && "errcode" in thrown ? thrown.errcode : undefined;
  return typeof code === "number" ? code & 0xff : undefined;
}
