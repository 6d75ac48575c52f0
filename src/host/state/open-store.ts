import { existsSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Clock } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import type { Logger } from "../../core/base/log.ts";
import type { StateStore, StateTransaction } from "../../core/engine/store.ts";
import { Database } from "./database.ts";
import { SqliteStateStore } from "./sqlite-store.ts";

/**
 * Longest wait of a short-lived program for other writers, milliseconds: below an operation's 90 s, and long enough for all the pods of a node that
 * starts, each with a handful of commits, on a disk that takes a third of a second to flush.
 */
const BUSY_MS = 60_000;

export interface OpenStoreOptions {
  readonly stateDir: string;
  readonly log: Logger;
  readonly clock: Clock;
}

/**
 * Runs `work` with the node's state in `stateDir`, opened when it is first used and closed at the end. State that turns out to be damaged is set aside as
 * `state.db.damaged-<time>`, and `work` runs once more on a new one, which is filled from HNS as networks are used.
 * Throws STATE_FAILURE when there can be no state, STATE_DAMAGED when the damaged one cannot be set aside.
 */
export async function withStateStore<T>(options: OpenStoreOptions, work: (store: StateStore) => Promise<T>): Promise<T> {
  try {
    return await runWith(options, work);
  } catch (thrown) {
    if (!(thrown instanceof PluginError) || thrown.code !== "STATE_DAMAGED") throw thrown;
    options.log.error("state damaged, setting it aside", { error: thrown });
    setAside(options, thrown);
    return runWith(options, work);
  }
}

async function runWith<T>(options: OpenStoreOptions, work: (store: StateStore) => Promise<T>): Promise<T> {
  const path = join(options.stateDir, "state.db");
  const store = new LazyStateStore(() => new SqliteStateStore(Database.open({ path, busyTimeoutMs: BUSY_MS })));
  try {
    return await work(store);
  } finally {
    closeQuietly(store, options.log);
  }
}

/** Opened when first used: a DEL whose state cannot be opened must still get to removing the endpoint. */
class LazyStateStore implements StateStore {
  readonly #open: () => StateStore;
  #store: StateStore | undefined;

  constructor(open: () => StateStore) {
    this.#open = open;
  }

  transaction<T>(work: (tx: StateTransaction) => T): T {
    return this.#get().transaction(work);
  }

  read<T>(work: (tx: StateTransaction) => T): T {
    return this.#get().read(work);
  }

  close(): void {
    this.#store?.close();
  }

  #get(): StateStore {
    return (this.#store ??= this.#open());
  }
}

/** A close that fails leaves nothing undone: every transaction was durable before. */
function closeQuietly(store: StateStore, log: Logger): void {
  try {
    store.close();
  } catch (thrown) {
    log.warn("state not closed", { error: thrown });
  }
}

/** The journal goes first: a database must never meet the journal of another. */
export function setAside(options: OpenStoreOptions, reason: PluginError): void {
  const path = join(options.stateDir, "state.db");
  const suffix = `.damaged-${options.clock.now()}-${process.pid}`;
  for (const part of ["-wal", "-shm", "-checked", ""]) {
    try {
      if (existsSync(path + part)) renameSync(path + part, path + suffix + part);
    } catch (thrown) {
      const why = thrown instanceof Error ? thrown.message : String(thrown);
      throw new PluginError(
        "STATE_DAMAGED",
        { ...reason.data, message: `${reason.message}; it could not be set aside: ${why}` },
        { cause: thrown },
      );
    }
  }
}
