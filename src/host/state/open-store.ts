import { join } from "node:path";
import type { Clock } from "../../core/base/async.ts";
import type { Logger } from "../../core/base/log.ts";
import type { StateStore } from "../../core/engine/store.ts";
import { Database } from "./database.ts";
import { SqliteStateStore } from "./sqlite-store.ts";

/** Longest wait of a short-lived program for other writers, milliseconds. */
const BUSY_MS = 10_000;

export interface OpenStoreOptions {
  readonly stateDir: string;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Opens the node's state in `stateDir`, creating it when absent. Throws STATE_FAILURE. */
export function openStateStore(options: OpenStoreOptions): StateStore {
  return new SqliteStateStore(Database.open({ path: join(options.stateDir, "state.db"), busyTimeoutMs: BUSY_MS }));
}
