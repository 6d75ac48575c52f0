/** The allocator over the SQLite store, in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/core/base/async.ts";
import { findCidr } from "../../src/core/base/ip.ts";
import { allocateAddress, releaseOwned } from "../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../src/core/ipam/pool.ts";
import { monotonicMs, sleep } from "../../src/host/exec/time.ts";
import { Database } from "../../src/host/state/database.ts";
import { SqliteStateStore } from "../../src/host/state/sqlite-store.ts";
import type { Contestant } from "./benchmark.ts";

/** Pairs in one measurement, whose mean it gives. */
const PAIRS = 50;

/** What a call may cost, as a multiple of one on an empty pool, however many addresses are held. */
export const FLAT = 1.3;

const clock: Clock = { now: Date.now, uptime: monotonicMs, bootId: () => "bench", sleep };

export interface AllocatorUnderTest {
  readonly contestant: Contestant;
  close(): void;
}

/** A store that holds `count` addresses, and the contestant that takes one more and gives it back. */
export function prepareAllocator(count: number): AllocatorUnderTest {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-bench-"));
  const store = new SqliteStateStore(Database.open({ path: join(folder, "state.db"), busyTimeoutMs: 1000 }));
  const spec = buildSpec();
  fillPool(store, spec, count);
  const measure = (): Promise<number> => {
    const start = performance.now();
    for (let pair = 0; pair < PAIRS; pair++) {
      store.transaction((tx) => allocateAddress(tx, clock, spec, "pod"));
      store.transaction((tx) => releaseOwned(tx, clock, "pod"));
    }
    return Promise.resolve(((performance.now() - start) * 1000) / PAIRS);
  };
  const close = (): void => {
    store.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const name = nameOf(count);
  return { contestant: { name, measure, ...(count > 0 && { rival: nameOf(0), ratioGoal: FLAT }) }, close };
}

/** Takes `count` addresses of the pool, each for an owner of its own, in one transaction. */
export function fillPool(store: SqliteStateStore, spec: PoolSpec, count: number): void {
  store.transaction((tx) => {
    for (let index = 0; index < count; index++) allocateAddress(tx, clock, spec, `held-${index}`);
  });
}

function nameOf(count: number): string {
  return `${count.toLocaleString("en")} held`;
}

/** A cool-down as short as can be: else a measurement would find a pool that earlier ones have used up. */
function buildSpec(): PoolSpec {
  const cidr = findCidr("10.244.0.0/16");
  if (cidr === undefined) throw new Error("the pool's range is no CIDR");
  return { id: "pods/10.244.0.0/16", cidr, blockPrefix: 26, reserved: [0, 1, 2, 65535], cooldownMs: 0 };
}
