import { closeSync, fdatasync, open } from "node:fs";
import { promisify } from "node:util";
import { PluginError } from "../../core/base/errors.ts";

const openFile = promisify(open);

/** Returns once the data of an open file is on the disk. */
export type SyncFile = (descriptor: number) => Promise<void>;

export interface GroupFlushOptions {
  /** How many commits this process has tried so far; whatever else writes to the file flushes it itself. */
  readonly countCommits: () => number;
  readonly sync?: SyncFile;
}

/**
 * Makes what was committed to a database that flushes later durable, for many callers with one wait for the disk: whoever asks while a
 * flush is under way shares the next one, and who asks although nothing was committed since the last one that worked waits for no disk. SQLite itself
 * flushes the journal before it moves pages from there into the database.
 */
export class GroupFlush {
  readonly #path: string;
  readonly #sync: SyncFile;
  readonly #countCommits: () => number;
  #descriptor: Promise<number> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;
  /** How many commits there were when the flush began that runs or was the last; undefined when that one failed. */
  #covered: number | undefined;

  /** `path` is that of the database; its journal beside it must exist by the first flush. */
  constructor(path: string, { countCommits, sync = promisify(fdatasync) }: GroupFlushOptions) {
    this.#path = `${path}-wal`;
    this.#countCommits = countCommits;
    this.#sync = sync;
  }

  /** Returns once everything committed before this call is on the disk. Throws STATE_FAILURE. */
  flush(): Promise<void> {
    if (this.#running !== undefined && this.#covered === this.#countCommits()) return this.#running;
    this.#next ??= this.#startNext();
    return this.#next;
  }

  /** Gives the file back; a later flush opens it anew. Never throws. */
  close(): void {
    const opened = this.#descriptor;
    this.#descriptor = undefined;
    opened?.then(closeSync).catch(() => undefined);
  }

  async #startNext(): Promise<void> {
    await this.#running?.catch(() => undefined); // its own callers hear of it
    this.#running = this.#next;
    this.#next = undefined;
    this.#covered = this.#countCommits(); // before the disk is asked: a commit that comes meanwhile belongs to the next
    try {
      this.#descriptor ??= openFile(this.#path, "r+");
      await this.#sync(await this.#descriptor);
    } catch (thrown) {
      this.#covered = undefined;
      this.close();
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const data = { message: `cannot flush ${this.#path}: ${reason}`, remedy: "check the disk of the state folder" };
      throw new PluginError("STATE_FAILURE", data, { cause: thrown, retryable: true });
    }
  }
}
