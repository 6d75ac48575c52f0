/** HNS_CNI_LONG=1 takes all the steps that are promised; HNS_CNI_SEED another way. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { windowsOffsets } from "../../../../src/core/ipam/blocks.ts";
import type { IpamTransaction } from "../../../../src/core/ipam/store.ts";
import { Database } from "../../../../src/host/state/database.ts";
import { SqliteStateStore } from "../../../../src/host/state/sqlite-store.ts";
import { MemoryIpam } from "../../../support/memory-ipam.ts";
import { PoolWalk, type WalkStore } from "../../../support/pool-walk.ts";
import { createRandom } from "../../../support/random.ts";
import { buildSpec } from "./pool-kit.ts";

const isLong = process.env["HNS_CNI_LONG"] === "1";
const seed = Number(process.env["HNS_CNI_SEED"] ?? 20_260_815);
const steps = { memory: isLong ? 1_000_000 : 100_000, sqlite: isLong ? 10_000 : 2_000 };

const WARM = { ips: 2, minimum: 4, blocks: 0, shrinkAfterMs: 20_000 };

/** Pools of several forms; all are small, so that they run full and dry often. */
const SPECS: readonly PoolSpec[] = [
  buildSpec("10.244.3.0/28", 29),
  { ...buildSpec("10.244.3.0/27", 29), warm: WARM },
  {
    ...buildSpec("10.244.3.0/27", 28),
    keptBack: [
      { first: 5, last: 6 },
      { first: 14, last: 19 },
    ],
  },
  { ...buildSpec("10.244.3.0/26", 29), warm: { ...WARM, blocks: 1, ips: 0, minimum: 0 }, isReservedPerBlock: true },
  { ...buildSpec("10.244.3.0/27", 27), cooldownMs: 1_000 },
  { ...buildSpec("fd00::/123", 125), reserved: windowsOffsets(buildSpec("fd00::/123", 125).cidr) },
];

/** The pool of the second family; one so small is full more often than the first. */
function buildSecond({ cooldownMs, cidr }: PoolSpec): PoolSpec {
  const range = cidr.address.family === 4 ? "fd00:1::/124" : "10.9.0.0/28";
  const spec = buildSpec(range, cidr.address.family === 4 ? 126 : 29);
  return { ...spec, reserved: windowsOffsets(spec.cidr), cooldownMs };
}

async function walkAll(total: number, open: (index: number) => WalkStore & { close(): void }): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const [index, spec] of SPECS.entries()) {
    const store = open(index);
    const walk = new PoolWalk(store, { first: spec, second: buildSecond(spec) }, createRandom(seed + index));
    await walk.run(Math.ceil(total / SPECS.length), total > 50_000 ? 250 : 20);
    for (const [step, count] of Object.entries(walk.counts)) counts[step] = (counts[step] ?? 0) + count;
    store.close();
  }
  return counts;
}

/** What was walked, for the log of the run. */
function tell(store: string, counts: Readonly<Record<string, number>>): void {
  const list = Object.entries(counts).map(([step, count]) => `${step} ${count}`);
  process.stderr.write(`${store}, seed ${seed}: ${list.join(", ")}\n`);
}

describe(`promise 6, seed ${seed}: one owner an address, none lost, reserved ones never given, cool-down and floor kept, nothing at rest counted as free`, () => {
  test(`over ${steps.memory} random steps in memory`, async () => {
    const counts = await walkAll(steps.memory, () => {
      const tables = new MemoryIpam();
      return { transaction: (work) => tables.transaction(work), restart: () => undefined, close: () => undefined };
    });
    tell("memory", counts);
    expect(Object.keys(counts)).toHaveLength(17);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(steps.memory);
  }, 300_000);

  test(`over ${steps.sqlite} random steps on SQLite, which is opened anew at every restart`, async () => {
    const folder = mkdtempSync(join(tmpdir(), "hns-walk-"));
    try {
      const counts = await walkAll(steps.sqlite, (index) => new SqliteWalk(join(folder, String(index), "state.db")));
      tell("SQLite", counts);
      expect(counts["restart"]).toBeGreaterThan(0);
      expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(steps.sqlite);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }, 300_000);
});

class SqliteWalk implements WalkStore {
  readonly #path: string;
  #store: SqliteStateStore;

  constructor(path: string) {
    this.#path = path;
    this.#store = this.#open();
  }

  transaction<T>(work: (tx: IpamTransaction) => T): T {
    return this.#store.transaction(work);
  }

  restart(): void {
    this.#store.close();
    this.#store = this.#open();
  }

  close(): void {
    this.#store.close();
  }

  #open(): SqliteStateStore {
    return new SqliteStateStore(Database.open({ path: this.#path, busyTimeoutMs: 0 }));
  }
}
