import { fdatasync, open } from "node:fs";
import { promisify } from "node:util";
import { PluginError } from "../../core/base/errors.ts";

const openFile = promisify(open);
const syncData = promisify(fdatasync);

/**
 * Makes what was committed to a database that flushes later durable, for many callers with one wait for the disk: whoever asks while a
 * flush is under way shares the next one. SQLite itself flushes the journal before it moves pages from there into the database.
 */
export class GroupFlush {
  readonly #path: string;
  #descriptor: Promise<number> | undefined;
  #running: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  /** `path` is that of the database; its journal beside it must exist by the first flush. */
  constructor(path: string) {
    this.#path = `${path}-wal`;
  }

  /** Returns once everything committed before this call is on the disk. Throws STATE_FAILURE. */
  flush(): Promise<void> {
    this.#next ??= this.#startNext();
    return this.#next;
  }

  async #startNext(): Promise<void> {
    await this.#running?.catch(() => undefined); // its own callers hear of it
    this.#running = this.#next;
    this.#next = undefined;
    try {
      this.#descriptor ??= openFile(this.#path, "r+");
      await syncData(await this.#descriptor);
    } catch (thrown) {
      this.#descriptor = undefined;
      const reason = thrown instanceof Error ? thrown.message : String(thrown);
      const data = { message: `cannot flush ${this.#path}: ${reason}`, remedy: "check the disk of the state folder" };
      throw new PluginError("STATE_FAILURE", data, { cause: thrown, retryable: true });
    }
  }
}
