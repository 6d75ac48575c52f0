import {
  allocateAddress,
  CONFLICT_OWNER,
  freeRested,
  quarantineForeign,
  quarantineOwned,
  reassignOwned,
  releaseOwned,
  revertAllocation,
} from "../../../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { buildSpec, COOLDOWN_MS, PoolKit } from "./pool-kit.ts";
import { errorWith } from "../../../support/matchers.ts";

let kit: PoolKit;
const spec = buildSpec("10.244.3.0/28", 29);

beforeEach(() => {
  kit = new PoolKit();
});
afterEach(() => kit.store.close());

function allocate(owner: string, from: PoolSpec = spec): string {
  return kit.run((tx) => allocateAddress(tx, kit.clock, from, owner)).address;
}

function release(owner: string): string[] {
  return kit.run((tx) => releaseOwned(tx, kit.clock, owner));
}

function owners(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `pod-${index}`);
}

describe("an allocation", () => {
  test("gives the usable addresses in order, block after block, and never a reserved one", () => {
    const given = owners(12).map((owner) => allocate(owner));
    expect(given).toEqual([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].map((last) => `10.244.3.${last}`));
    expect(kit.rows("blocks")).toMatchObject([
      { cidr: "10.244.3.0/29", usable: 5, held: 5, next: 8 },
      { cidr: "10.244.3.8/29", usable: 7, held: 7, next: 7 },
    ]);
  });

  test("takes the fullest block first", async () => {
    for (const owner of owners(8)) allocate(owner);
    for (const owner of ["pod-0", "pod-1", "pod-2"]) release(owner);
    await kit.clock.advance(COOLDOWN_MS);
    // The first block has 2 held of 5, the second 3 of 7: the second is filled up before the first is touched.
    expect(["a", "b", "c", "d", "e"].map((owner) => allocate(owner))).toEqual([
      "10.244.3.11",
      "10.244.3.12",
      "10.244.3.13",
      "10.244.3.14",
      "10.244.3.3",
    ]);
  });

  test("takes addresses never used first, then the one released longest ago", async () => {
    for (const owner of owners(5)) allocate(owner);
    for (const owner of ["pod-3", "pod-1", "pod-4"]) {
      release(owner);
      await kit.clock.advance(1_000);
    }
    await kit.clock.advance(COOLDOWN_MS);
    const one = buildSpec("10.244.3.0/29", 29);
    expect(one.id).not.toBe(spec.id);
    expect(["a", "b", "c"].map((owner) => allocate(owner))).toEqual(["10.244.3.6", "10.244.3.4", "10.244.3.7"]);
    expect(allocate("d")).toBe("10.244.3.8");
  });

  test("keeps two pools apart", () => {
    allocate("a");
    expect(allocate("a", buildSpec("10.244.9.0/28", 28))).toBe("10.244.9.3");
    expect(kit.rows("pools")).toHaveLength(2);
  });

  test("says how many addresses are where when there is none", () => {
    for (const owner of owners(12)) allocate(owner);
    release("pod-0");
    release("pod-1");
    kit.run((tx) => quarantineOwned(tx, "pod-2"));
    expect(() => allocate("one-more")).toThrow(
      errorWith({
        code: "ADDRESS_EXHAUSTED",
        retryable: true,
        message: "no free address in 10.244.3.0/28: 9 assigned, 2 resting after release, 1 quarantined",
      }),
    );
  });

  test("skips blocks in which everything is reserved", () => {
    expect(allocate("a", buildSpec("10.244.3.0/29", 31))).toBe("10.244.3.3");
    expect(allocate("b", buildSpec("10.244.3.0/29", 31))).toBe("10.244.3.4");
  });
});

describe("the rest after a release", () => {
  const single = buildSpec("10.244.3.0/29", 29);

  /** A pool whose four addresses are taken and one of which, 10.244.3.3, was just released. */
  function fill(): void {
    for (const owner of owners(4)) allocate(owner, single);
    release("pod-0");
  }

  function isFree(): boolean {
    try {
      kit.store.transaction((tx) => {
        allocateAddress(tx, kit.clock, single, "probe");
        throw new RangeError("only a look");
      });
    } catch (thrown) {
      return thrown instanceof RangeError;
    }
    return false;
  }

  test("lasts as long as configured, to the millisecond", async () => {
    fill();
    await kit.clock.advance(COOLDOWN_MS - 1);
    expect(isFree()).toBe(false);
    await kit.clock.advance(1);
    expect(isFree()).toBe(true);
    expect(allocate("next", single)).toBe("10.244.3.3");
  });

  test.each([
    ["back", -86_400_000],
    ["forward", 86_400_000],
  ])("is not bent by a wall clock that is set %s", async (_where, byMs) => {
    fill();
    kit.clock.setWallClock(kit.clock.now() + byMs);
    await kit.clock.advance(COOLDOWN_MS - 1);
    expect(isFree()).toBe(false);
    await kit.clock.advance(1);
    expect(isFree()).toBe(true);
  });

  test("goes on over a reboot by the wall clock", async () => {
    fill();
    await kit.clock.advance(10_000);
    kit.clock.reboot("boot-2");
    await kit.clock.advance(19_999);
    expect(isFree()).toBe(false);
    await kit.clock.advance(1);
    expect(isFree()).toBe(true);
  });

  test("starts anew when the wall clock went back over a reboot: never too short", async () => {
    fill();
    await kit.clock.advance(10_000);
    kit.clock.reboot("boot-2");
    kit.clock.setWallClock(Date.UTC(2001, 0, 1));
    expect(isFree()).toBe(false);
    kit.run((tx) => freeRested(tx, kit.clock, single));
    await kit.clock.advance(COOLDOWN_MS - 1);
    expect(isFree()).toBe(false);
    await kit.clock.advance(1);
    expect(isFree()).toBe(true);
  });

  test("goes on over two reboots", async () => {
    fill();
    await kit.clock.advance(10_000);
    kit.clock.reboot("boot-2");
    kit.run((tx) => freeRested(tx, kit.clock, single));
    await kit.clock.advance(10_000);
    kit.clock.reboot("boot-1a"); // sorts before and after the others
    kit.run((tx) => freeRested(tx, kit.clock, single));
    await kit.clock.advance(9_999);
    expect(isFree()).toBe(false);
    await kit.clock.advance(1);
    expect(isFree()).toBe(true);
  });

  test("is none with a cool-down of 0", () => {
    const restless = { ...single, cooldownMs: 0 };
    for (const owner of owners(4)) allocate(owner, restless);
    release("pod-2");
    expect(allocate("next", restless)).toBe("10.244.3.5");
  });

  test("ends for many addresses released before a reboot, a bounded number an allocation", async () => {
    const wide = buildSpec("10.244.0.0/24", 24);
    const many = owners(200);
    for (const owner of many) allocate(owner, wide);
    for (const owner of many) release(owner);
    kit.clock.reboot("boot-2");
    await kit.clock.advance(COOLDOWN_MS);
    expect(many.map((owner) => allocate(owner, wide))).toHaveLength(200);
    expect(kit.rows("addresses").filter(({ state }) => state === "cooling").length).toBeLessThan(200);
  });
});

describe("taking an allocation back", () => {
  test("of an address never used leaves the tables exactly as they were", () => {
    allocate("a");
    const before = kit.dump();
    const allocation = kit.run((tx) => allocateAddress(tx, kit.clock, spec, "b"));
    expect(kit.dump()).not.toEqual(before);
    kit.run((tx) => revertAllocation(tx, allocation));
    expect(kit.dump()).toEqual(before);
    expect(allocate("c")).toBe("10.244.3.4");
  });

  test("of an address used before leaves the tables exactly as they were, its place in the order included", async () => {
    for (const owner of owners(12)) allocate(owner);
    release("pod-5");
    await kit.clock.advance(COOLDOWN_MS);
    kit.run((tx) => freeRested(tx, kit.clock, spec));
    const before = kit.dump();
    const allocation = kit.run((tx) => allocateAddress(tx, kit.clock, spec, "b"));
    expect(allocation.address).toBe("10.244.3.8");
    kit.run((tx) => revertAllocation(tx, allocation));
    expect(kit.dump()).toEqual(before);
  });

  test("of one that a later allocation follows leaves it free, without rest", () => {
    const allocation = kit.run((tx) => allocateAddress(tx, kit.clock, spec, "a"));
    allocate("b");
    kit.run((tx) => revertAllocation(tx, allocation));
    expect(kit.state("10.244.3.3")).toBe("free");
    expect(kit.rows("blocks")).toMatchObject([{ held: 1 }]);
    for (const last of [5, 6, 7]) expect(allocate(`pod-${last}`)).toBe(`10.244.3.${last}`);
    expect(allocate("c")).toBe("10.244.3.3");
  });

  test("twice, or after its release, changes nothing more", () => {
    const allocation = kit.run((tx) => allocateAddress(tx, kit.clock, spec, "a"));
    allocate("b");
    release("a");
    const before = kit.dump();
    kit.run((tx) => revertAllocation(tx, allocation));
    expect(kit.dump()).toEqual(before);
    const second = kit.run((tx) => allocateAddress(tx, kit.clock, spec, "c"));
    kit.run((tx) => revertAllocation(tx, second));
    const after = kit.dump();
    kit.run((tx) => revertAllocation(tx, second));
    expect(kit.dump()).toEqual(after);
  });
});

describe("a release", () => {
  test("gives back all of an owner and nothing of others, once", async () => {
    allocate("a");
    allocate("b");
    allocate("a");
    expect(release("a")).toEqual(["10.244.3.3", "10.244.3.5"]);
    expect(kit.state("10.244.3.4")).toBe("assigned");
    const before = kit.dump();
    await kit.clock.advance(5_000);
    expect(release("a")).toEqual([]);
    expect(release("nobody")).toEqual([]);
    expect(release("")).toEqual([]);
    expect(kit.dump()).toEqual(before);
  });
});

describe("quarantine", () => {
  test("keeps an address from everybody until its owner takes it up again or gives it back", async () => {
    allocate("a");
    kit.run((tx) => quarantineOwned(tx, "a"));
    await kit.clock.advance(10 * COOLDOWN_MS);
    expect(kit.state("10.244.3.3")).toBe("quarantined");
    expect(allocate("b")).toBe("10.244.3.4");
    expect(kit.run((tx) => reassignOwned(tx, "a"))).toEqual(["10.244.3.3"]);
    expect(kit.state("10.244.3.3")).toBe("assigned");
    kit.run((tx) => quarantineOwned(tx, "a"));
    expect(release("a")).toEqual(["10.244.3.3"]);
    expect(kit.state("10.244.3.3")).toBe("cooling");
  });

  test("does not wake what rests already", () => {
    allocate("a");
    release("a");
    kit.run((tx) => quarantineOwned(tx, "a"));
    expect(kit.state("10.244.3.3")).toBe("cooling");
    expect(kit.run((tx) => reassignOwned(tx, "a"))).toEqual([]);
  });

  test("of an address that a foreign endpoint has takes it from its owner", () => {
    allocate("a");
    kit.run((tx) => tx.listOwned("a").forEach((record) => quarantineForeign(tx, kit.clock, record)));
    expect(release("a")).toEqual([]);
    expect(kit.rows("addresses")).toMatchObject([{ address: "10.244.3.3", state: "quarantined", owner: CONFLICT_OWNER }]);
  });
});

describe("tables that disagree", () => {
  test("are an error, never a guess", () => {
    for (const owner of owners(5)) allocate(owner);
    kit.run((tx) => {
      const block = tx.findBlock(spec.id, "10.244.3.0/29");
      if (block !== undefined) tx.swapBlock({ ...block, held: 4 }, block.version);
    });
    expect(() => allocate("a")).toThrow(errorWith({ code: "STATE_DAMAGED" }));
  });

  test("an address that was handed out while its block says never is not handed out again", () => {
    allocate("a");
    kit.run((tx) => {
      const block = tx.findBlock(spec.id, "10.244.3.0/29");
      if (block !== undefined) tx.swapBlock({ ...block, held: 0, next: 0 }, block.version);
    });
    expect(() => allocate("b")).toThrow(errorWith({ code: "STATE_DAMAGED" }));
  });
});

describe("a pool whose row is lost", () => {
  test("is damage where a block of it is there, not a race that is tried again for ever", () => {
    allocate("a");
    kit.run((tx) => {
      const pool = tx.findPool(spec.id);
      if (pool !== undefined) tx.swapPool({ ...pool, carved: 0 }, pool.version);
      const block = tx.findBlock(spec.id, "10.244.3.0/29");
      if (block !== undefined) tx.swapBlock({ ...block, held: block.usable }, block.version);
    });
    expect(() => allocate("b")).toThrow(errorWith({ code: "STATE_DAMAGED" }));
  });
});

describe("a reservation that came after the block was carved", () => {
  const later: PoolSpec = { ...spec, reserved: [...spec.reserved, 4] };

  test("keeps an address that is free back from everybody", async () => {
    for (const owner of owners(5)) allocate(owner);
    release("pod-1");
    await kit.clock.advance(COOLDOWN_MS);
    expect(allocate("next", later)).toBe("10.244.3.8");
    expect(kit.rows("addresses")).toContainEqual(
      expect.objectContaining({ address: "10.244.3.4", state: "quarantined", owner: "reserved" }),
    );
  });

  test("is passed over where the address was never used, and the pool grows instead of failing", () => {
    allocate("pod-0");
    expect(owners(5).map((owner) => allocate(`new-${owner}`, later))).toEqual([5, 6, 7, 8, 9].map((last) => `10.244.3.${last}`));
  });

  test("leaves the address with the pod that has it", () => {
    for (const owner of owners(5)) allocate(owner);
    allocate("next", later);
    expect(kit.rows("addresses")).toContainEqual(expect.objectContaining({ address: "10.244.3.4", state: "assigned", owner: "pod-1" }));
  });
});
