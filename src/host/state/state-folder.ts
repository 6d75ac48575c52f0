import { join } from "node:path";
import type { Clock } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import type { Logger } from "../../core/base/log.ts";
import type { StateStore, StateTransaction } from "../../core/engine/store.ts";
import { Database } from "./database.ts";
import { GroupFlush, type SyncFile } from "./group-flush.ts";
import { setAside } from "./open-store.ts";
import { SqliteStateStore } from "./sqlite-store.ts";

/** Nobody else writes to the state of a program that stays: whoever reads it holds it up for a moment at most. Milliseconds. */
const BUSY_MS = 50;

export interface StateFolderOptions {
  readonly stateDir: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** How a file gets onto the disk; the system's way unless given. */
  readonly sync?: SyncFile;
}

/** An open state: one that is found damaged is followed by another. */
interface Opened {
  readonly store: StateStore;
  readonly flush: GroupFlush;
}

/** The state of a folder for a program that stays and has it for itself: opened once, durable through `flush`. */
export class StateFolder {
  readonly #options: StateFolderOptions;
  #opened: Opened | undefined;

  constructor(options: StateFolderOptions) {
    this.#options = options;
  }

  /** Returns once everything written so far is on the disk. Throws STATE_FAILURE. */
  async flush(): Promise<void> {
    await this.#opened?.flush.flush();
  }

  /**
   * Runs `work` with the state. When that turns out to be damaged it is set aside and `work` runs once more on a new one, which is filled
   * from HNS as networks are used. Throws STATE_FAILURE when there can be no state, STATE_DAMAGED when the damaged one cannot be set aside.
   */
  async run<T>(work: (store: StateStore) => Promise<T>): Promise<T> {
    const used = this.#openSound();
    try {
      return await work(used.store);
    } catch (thrown) {
      const isReplaced = this.#opened !== used; // somebody else met the damage, and closed the state under us
      if (!isReplaced && !isDamage(thrown)) throw thrown;
      if (!isReplaced && isDamage(thrown)) this.#replace(thrown);
      return work(this.#openSound().store);
    }
  }

  /** What `read` finds in the state, without opening it: undefined before it is first used, or when it cannot be read now. */
  inspect<T>(read: (tx: StateTransaction) => T): T | undefined {
    try {
      return this.#opened?.store.read(read);
    } catch (thrown) {
      this.#options.log.warn("state not read", { error: thrown });
      return undefined;
    }
  }

  close(): void {
    const opened = this.#opened;
    this.#opened = undefined;
    opened?.flush.close();
    opened?.store.close();
  }

  /** As #open; a file that is found damaged by opening it is set aside. */
  #openSound(): Opened {
    try {
      return this.#open();
    } catch (thrown) {
      if (!isDamage(thrown)) throw thrown;
      this.#replace(thrown);
      return this.#open();
    }
  }

  #open(): Opened {
    if (this.#opened !== undefined) return this.#opened;
    const { stateDir, sync } = this.#options;
    const path = join(stateDir, "state.db");
    const database = Database.open({ path, busyTimeoutMs: BUSY_MS, flushesLater: true });
    const flush = new GroupFlush(path, { countCommits: () => database.commits, ...(sync !== undefined && { sync }) });
    this.#opened = { store: new SqliteStateStore(database), flush };
    return this.#opened;
  }

  #replace(reason: PluginError): void {
    this.#options.log.error("state damaged, setting it aside", { error: reason });
    try {
      this.close();
    } catch (thrown) {
      this.#options.log.warn("damaged state not closed", { error: thrown });
    }
    setAside(this.#options, reason);
  }
}

function isDamage(thrown: unknown): thrown is PluginError {
  return thrown instanceof PluginError && thrown.code === "STATE_DAMAGED";
}
