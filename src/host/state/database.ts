import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { PluginError } from "../../core/base/errors.ts";
import { makeFolder } from "../exec/folders.ts";
import { checksum } from "./columns.ts";
import type { Cell, Row } from "./row.ts";
import { MIGRATIONS } from "./schema.ts";

export interface DatabaseOptions {
  /** Path of state.db; its folder is made when missing. ":memory:" keeps everything in this process. */
  readonly path: string;
  /** How long a transaction waits for other processes, milliseconds. */
  readonly busyTimeoutMs: number;
  /** Commits survive a crash of this process at once, and one of the system only after a GroupFlush; absent means that each commit waits for the disk. */
  readonly flushesLater?: true;
}

/** The one file that knows node:sqlite: statements are prepared once, every failure is a STATE_FAILURE that names the file, or STATE_DAMAGED. */
export class Database {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  private constructor(path: string, database: DatabaseSync) {
    this.#path = path;
    this.#database = database;
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

  static #openOnce({ path, busyTimeoutMs, flushesLater }: DatabaseOptions): Database {
    const database = new DatabaseSync(path, { timeout: busyTimeoutMs });
    try {
      const opened = new Database(path, database);
      opened.#prepareFile(flushesLater === true ? "NORMAL" : "FULL");
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

  /** Writes a row whose last column, `sum`, is the checksum of the others; one of the same primary key is replaced. */
  put(table: string, columns: readonly string[], values: readonly Cell[]): void {
    const marks = columns.map(() => "?").join(", ");
    this.run(`INSERT OR REPLACE INTO ${table} (${columns.join(", ")}, sum) VALUES (${marks}, ?)`, ...values, checksum(values));
  }

  /** Runs `work` between BEGIN and COMMIT; anything thrown rolls back and goes on to the caller. */
  transaction<T>(begin: "BEGIN IMMEDIATE" | "BEGIN", work: () => T): T {
    this.#guard(() => this.#database.exec(begin));
    let outcome: T;
    try {
      outcome = work();
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
    try {
      this.#guard(() => this.#database.exec("COMMIT"));
    } catch (thrown) {
      this.#rollback();
      throw thrown;
    }
    return outcome;
  }

  close(): void {
    this.#statements.clear();
    this.#guard(() => this.#database.close());
  }

  #prepareFile(synchronous: "FULL" | "NORMAL"): void {
    this.#database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous};`);
    this.#verifyStructure();
    if (this.#version() === MIGRATIONS.length) return;
    this.transaction("BEGIN IMMEDIATE", () => {
      const version = this.#version(); // another process may have migrated while this one waited
      if (version > MIGRATIONS.length) throw tooNew(this.#path, version);
      for (const migration of MIGRATIONS.slice(version)) this.#database.exec(migration);
      this.#database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    });
  }

  /** An index that disagrees with its table hides rows without an error: SQLite notices only when asked. About 1 ms with 250 pods. */
  #verifyStructure(): void {
    const found: unknown = this.#database.prepare("PRAGMA integrity_check(1)").get()?.["integrity_check"];
    if (found !== "ok") throw damagedStructure(this.#path, found);
  }

  #version(): number {
    return Number(this.#database.prepare("PRAGMA user_version").get()?.["user_version"] ?? 0);
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #guard<T>(run: () => T): T {
    try {
      return run();
    } catch (thrown) {
      throw failure(this.#path, thrown);
    }
  }

  #rollback(): void {
    if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
  }
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

/** SQLite does not wait, whatever its time-out, where it sees that waiting could block for ever: two processes that turn a new file's journal to WAL. */
function untilNotBusy<T>(timeoutMs: number, run: () => T): T {
  const until = performance.now() + timeoutMs;
  for (;;) {
    try {
      return run();
    } catch (thrown) {
      if (sqliteCode(thrown) !== SQLITE_BUSY || performance.now() >= until) throw thrown;
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
