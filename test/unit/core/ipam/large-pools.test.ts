/** IPv6 pools, and ranges too large to be carved in one piece. */
import { findCidr, findIp, formatIp } from "../../../../src/core/base/ip.ts";
import { type Allocation, allocateAddress, revertAllocation } from "../../../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { type AddressSet, tryAssign } from "../../../../src/core/ipam/assign.ts";
import { windowsOffsets } from "../../../../src/core/ipam/blocks.ts";
import { poolCapacity } from "../../../../src/core/ipam/capacity.ts";
import { findInconsistencies } from "../../../../src/core/ipam/consistency.ts";
import { adoptAddress } from "../../../../src/core/ipam/import.ts";
import { createRandom } from "../../../support/random.ts";
import { PoolKit } from "./pool-kit.ts";

let kit: PoolKit;
beforeEach(() => {
  kit = new PoolKit();
});
afterEach(() => {
  expect(kit.run(findInconsistencies)).toEqual([]);
  kit.store.close();
});

function buildSpec(range: string, blockPrefix: number, changes: Partial<PoolSpec> = {}): PoolSpec {
  const cidr = findCidr(range);
  if (cidr === undefined) throw new Error(range);
  return { id: `pods/${range}`, cidr, blockPrefix, cooldownMs: 30_000, reserved: windowsOffsets(cidr), ...changes };
}

function allocate(spec: PoolSpec, owner: string): string {
  return kit.run((tx) => allocateAddress(tx, kit.clock, spec, owner)).address;
}

/** Takes that very address. */
function take(spec: PoolSpec, wanted: string, owner = "asker"): Allocation {
  const sets: AddressSet[] = [{ pools: [spec], wanted }];
  const assignment = kit.run((tx) => tryAssign(tx, kit.clock, { owner }, { sets }));
  if (!("taken" in assignment) || assignment.taken[0] === undefined) throw new Error(`${wanted} was not given`);
  return assignment.taken[0];
}

const wide = buildSpec("fd00::/64", 122);

describe("an IPv6 pool", () => {
  test("keeps back the anycast address, the gateway and the host endpoint, and has no broadcast address", () => {
    const small = buildSpec("fd00::/125", 125);
    expect(Array.from({ length: 5 }, (_, index) => allocate(small, `pod-${index}`))).toEqual([
      "fd00::3",
      "fd00::4",
      "fd00::5",
      "fd00::6",
      "fd00::7",
    ]);
    expect(() => allocate(small, "more")).toThrow("no free address in fd00::/125: 5 assigned");
  });

  test("is carved into blocks of 64 that are used up one after the other", () => {
    for (let index = 0; index < 61; index++) allocate(wide, `pod-${index}`);
    expect(allocate(wide, "next")).toBe("fd00::40");
    expect(kit.rows("blocks").map(({ cidr, usable }) => [cidr, usable])).toEqual([
      ["fd00::/122", 61],
      ["fd00::40/122", 64],
    ]);
  });

  test("of more than 2^48 addresses has its first 2^48 given out", () => {
    expect(poolCapacity(wide, 122)).toEqual({ addresses: 2 ** 48, reserved: 3, usable: 2 ** 48 - 3, blocks: 2 ** 42, blockSize: 64 });
    expect(take(wide, "fd00::ffff:ffff:ffff").address).toBe("fd00::ffff:ffff:ffff");
    expect(() => take(wide, "fd00::1:0:0:0")).toThrow("around which no block can be carved");
  });

  test("passes over what is kept back at once, however much that is", () => {
    const late = buildSpec("fd00::/64", 122, { keptBack: [{ first: 0, last: 2 ** 40 }] });
    expect(allocate(late, "a")).toBe("fd00::100:0:1");
    expect(kit.rows("blocks")).toHaveLength(1);
  });

  test("goes on where blocks are kept back one by one", () => {
    const blocks = buildSpec("fd00::/120", 124, { isReservedPerBlock: true });
    for (let index = 0; index < 13; index++) allocate(blocks, `pod-${index}`);
    expect(allocate(blocks, "next")).toBe("fd00::13");
  });
});

describe("an address asked for in a large range", () => {
  test("is taken where it lies, and carving in order goes around it", () => {
    expect(take(wide, "fd00::1234:5678:9abc").address).toBe("fd00::1234:5678:9abc");
    expect(take(wide, "fd00::50").address).toBe("fd00::50");
    expect(kit.rows("blocks").map(({ cidr }) => cidr)).toEqual(["fd00::1234:5678:9a80/122", "fd00::40/122"]);
    const found = new Set(Array.from({ length: 250 }, (_, index) => allocate(wide, `pod-${index}`)));
    expect(found.size).toBe(250);
    expect(found.has("fd00::50")).toBe(false);
    expect(kit.rows("blocks").filter(({ cidr }) => cidr === "fd00::40/122")).toHaveLength(1);
  });

  test("is free again, and its place as it was for others, when its ADD fails", () => {
    const taken = take(wide, "fd00::99");
    kit.run((tx) => revertAllocation(tx, taken));
    expect(kit.state("fd00::99")).toBe("free");
    expect(take(wide, "fd00::99", "other").address).toBe("fd00::99");
  });

  test("is refused where a block of another size is in the way", () => {
    allocate(buildSpec("fd00::/64", 124), "a");
    expect(() => take(wide, "fd00::20")).toThrow("one of another size is in the way");
    expect(allocate(wide, "b")).toBe("fd00::4");
  });

  test("seldom meets another: random ones and those in order never have two owners", () => {
    const random = createRandom(7);
    const huge = buildSpec("10.0.0.0/8", 26);
    const given = new Set<string>();
    const give = (address: string): void => {
      if (given.has(address)) throw new Error(`${address} was given twice`);
      given.add(address);
    };
    for (let step = 0; step < 300; step++) {
      const wanted = formatIp({ family: 4, value: 0x0a000000 + 3 + Math.floor(random() * (step % 3 === 0 ? 400 : 2 ** 24 - 5)) });
      if (random() < 0.5) give(allocate(huge, `pod-${step}`));
      else if (given.has(wanted)) expect(() => take(huge, wanted, `pod-${step}`)).toThrow("has it");
      else give(take(huge, wanted, `pod-${step}`).address);
    }
    expect(given.size).toBeGreaterThan(250);
  });

  test("is the same for one that is found in HNS", () => {
    const address = findIp("fd00::abcd:0:1");
    if (address === undefined) throw new Error("no address");
    kit.run((tx) => adoptAddress(tx, wide, address, { owner: "conflict", state: "quarantined" }));
    expect(kit.state("fd00::abcd:0:1")).toBe("quarantined");
    expect(kit.rows("blocks")).toHaveLength(1);
  });
});
