import { cidrSize, findCidr } from "../../../../src/core/base/ip.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import type { IpamTransaction } from "../../../../src/core/ipam/store.ts";
import { Database } from "../../../../src/host/state/database.ts";
import { SqliteStateStore } from "../../../../src/host/state/sqlite-store.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

export const COOLDOWN_MS = 30_000;

/** The pool of a pod range as the engine builds it. */
export function buildSpec(range: string, blockPrefix: number, cooldownMs = COOLDOWN_MS): PoolSpec {
  const cidr = findCidr(range);
  if (cidr === undefined) throw new Error(range);
  return { id: `pods/${range}`, cidr, blockPrefix, cooldownMs, reserved: [0, 1, 2, cidrSize(cidr) - 1] };
}

type Row = Readonly<Record<string, unknown>>;

/** Pool, store and clock together, with the tables as they are. */
export class PoolKit {
  readonly clock = new FakeClock({ autoAdvance: true });
  readonly database = Database.open({ path: ":memory:", busyTimeoutMs: 0 });
  readonly store = new SqliteStateStore(this.database);

  run<T>(work: (tx: IpamTransaction) => T): T {
    return this.store.transaction(work);
  }

  rows(table: "addresses" | "blocks" | "pools"): Row[] {
    return this.database.all(`SELECT * FROM ${table}`, (row) => ({ ...row }));
  }

  /** Every table without what only counts writes: versions and checksums. */
  dump(): unknown {
    return (["pools", "blocks", "addresses"] as const).map((table) => this.rows(table).map((row) => ({ ...row, version: "", sum: "" })));
  }

  state(address: string): unknown {
    return this.rows("addresses").find((row) => row["address"] === address)?.["state"];
  }
}
