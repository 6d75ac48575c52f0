import type { WarmConfig } from "../../../../src/core/config/plugin-config.ts";
import { allocateAddress, freeRested, releaseOwned } from "../../../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { buildSpec, COOLDOWN_MS, PoolKit } from "./pool-kit.ts";

const SHRINK_MS = 60_000;
const NONE: WarmConfig = { ips: 0, minimum: 0, blocks: 0, shrinkAfterMs: SHRINK_MS };

let kit: PoolKit;

beforeEach(() => {
  kit = new PoolKit();
});
afterEach(() => kit.store.close());

function buildWarm(warm: Partial<WarmConfig>, range = "10.244.0.0/22"): PoolSpec {
  return { ...buildSpec(range, 28), warm: { ...NONE, ...warm } };
}

function allocate(spec: PoolSpec, owner: string): string {
  return kit.run((tx) => allocateAddress(tx, kit.clock, spec, owner)).address;
}

/** Takes `count` addresses for owners of their own. */
function fill(spec: PoolSpec, count: number, name = "pod"): void {
  for (let index = 0; index < count; index++) allocate(spec, `${name}-${index}`);
}

/** Gives back what `count` owners have, and lets it rest. */
async function drain(spec: PoolSpec, from: number, to: number): Promise<void> {
  for (let index = from; index < to; index++) kit.run((tx) => releaseOwned(tx, kit.clock, `pod-${index}`));
  await kit.clock.advance(COOLDOWN_MS);
  for (let sweep = 0; sweep < to - from; sweep += 16) kit.run((tx) => freeRested(tx, kit.clock, spec));
}

function blocks(): number {
  return kit.rows("blocks").length;
}

describe("blocks carved ahead", () => {
  test.each<[string, Partial<WarmConfig>, number, number]>([
    ["none without targets", {}, 1, 1],
    ["as many as the warm addresses need", { ips: 40 }, 1, 3], // 3 reserved + 1 + 40 = 44
    ["as many as the minimum needs, reserved ones beside", { minimum: 30 }, 1, 3], // 30 + 3
    ["whole ones", { blocks: 2 }, 1, 3],
    ["whole ones beside those in use", { blocks: 2 }, 14, 4],
    ["no more than the maximum", { ips: 100, max: 40 }, 1, 2],
  ])("%s", (_name, warm, pods, expected) => {
    fill(buildWarm(warm), pods);
    expect(blocks()).toBe(expected);
  });

  test("end where the range ends", () => {
    fill(buildWarm({ ips: 1_000 }, "10.244.3.0/26"), 1);
    expect(blocks()).toBe(4);
  });

  test("follow a burst, and the fullest block is still used first", () => {
    const spec = buildWarm({ ips: 8 });
    fill(spec, 30);
    expect(kit.rows("blocks").map(({ held }) => held)).toEqual([13, 16, 1]);
  });
});

describe("superfluous blocks", () => {
  const spec = buildWarm({ ips: 4 });

  test("are given back after the time for it, and not before", async () => {
    fill(spec, 60);
    expect(blocks()).toBe(5);
    await drain(spec, 10, 60);
    allocate(spec, "a"); // notices
    await kit.clock.advance(SHRINK_MS - 1);
    allocate(spec, "b");
    expect(blocks()).toBe(5);
    await kit.clock.advance(1);
    allocate(spec, "c");
    expect(kit.rows("blocks").map(({ cidr }) => cidr)).toEqual(["10.244.0.0/28", "10.244.0.16/28"]);
    expect(kit.rows("pools")).toMatchObject([{ carved: 32 }]);
    // The addresses of the blocks that are gone are not listed any more, and none was lost: all can be had again.
    expect(kit.rows("addresses").every(({ block }) => block === "10.244.0.0/28" || block === "10.244.0.16/28")).toBe(true);
    const all = new Set(Array.from({ length: 1_020 - 13 }, (_, index) => allocate(spec, `again-${index}`)));
    expect(all.size).toBe(1_020 - 13);
  });

  test("stay while demand comes back in time", async () => {
    fill(spec, 60);
    await drain(spec, 10, 60);
    allocate(spec, "a");
    await kit.clock.advance(SHRINK_MS / 2);
    fill(spec, 40, "more");
    for (let index = 0; index < 40; index++) kit.run((tx) => releaseOwned(tx, kit.clock, `more-${index}`));
    await kit.clock.advance(COOLDOWN_MS);
    for (let sweep = 0; sweep < 3; sweep++) kit.run((tx) => freeRested(tx, kit.clock, spec));
    allocate(spec, "b"); // the time starts anew
    await kit.clock.advance(SHRINK_MS - 1);
    allocate(spec, "c");
    expect(blocks()).toBe(5);
  });

  test("stay while something of them is held, be it only at rest", async () => {
    fill(spec, 60);
    await drain(spec, 0, 59);
    expect(kit.rows("blocks").map(({ held }) => held)).toEqual([0, 0, 0, 1, 0]);
    kit.run((tx) => releaseOwned(tx, kit.clock, "pod-59"));
    const quick = { ...spec, cooldownMs: 1_000_000 };
    allocate(quick, "a");
    await kit.clock.advance(SHRINK_MS);
    allocate(quick, "b");
    // The last block goes; the one before it has an address that rests, and what lies before that stays with it.
    expect(kit.rows("blocks").map(({ cidr }) => cidr)).toEqual(["10.244.0.0/28", "10.244.0.16/28", "10.244.0.32/28", "10.244.0.48/28"]);
  });

  test("are timed right over a reboot and a clock that went back", async () => {
    fill(spec, 60);
    await drain(spec, 10, 60);
    allocate(spec, "a");
    kit.clock.reboot("boot-2");
    kit.clock.setWallClock(Date.UTC(2001, 0, 1));
    await kit.clock.advance(1);
    allocate(spec, "b");
    expect(blocks()).toBe(5);
  });
});

test("the number of statements an allocation takes does not grow with the addresses held", () => {
  const spec = buildWarm({ ips: 8, minimum: 4 }, "10.240.0.0/18");
  const statements = countStatements();
  const cost = (): number => {
    const before = statements();
    allocate(spec, "probe");
    kit.run((tx) => releaseOwned(tx, kit.clock, "probe"));
    return statements() - before;
  };
  allocate(spec, "first");
  const few = cost();
  fill(spec, 2_000);
  expect(Math.abs(cost() - few)).toBeLessThanOrEqual(6); // one more block may just be due
});

function countStatements(): () => number {
  let count = 0;
  for (const method of ["get", "all", "run"] as const) {
    const original = kit.database[method].bind(kit.database) as (...args: unknown[]) => unknown;
    const counting = (...args: unknown[]): unknown => {
      count++;
      return original(...args);
    };
    Object.defineProperty(kit.database, method, { value: counting });
  }
  return () => count;
}
