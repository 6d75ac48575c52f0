import { formatCidr } from "../../../../src/core/base/ip.ts";
import { blockAt, claimNextBlock, countBlocks } from "../../../../src/core/ipam/block-store.ts";
import { MemoryBlockStore } from "../../../../src/core/ipam/memory-block-store.ts";
import { sharedPool } from "../../../contract/block-store.contract.ts";
import { simulateCarving } from "../../../support/carve-simulation.ts";

test.each([
  ["10.0.0.0/8", 26, 262_144, 262_143, "10.255.255.192/26"],
  ["10.244.3.0/24", 26, 4, 1, "10.244.3.64/26"],
  ["10.244.3.0/28", 26, 1, 0, "10.244.3.0/28"],
  ["fd00::/112", 122, 1_024, 3, "fd00::c0/122"],
])("%s in blocks of /%i has %i of them", (...[range, prefix, count, index, block]) => {
  const pool = sharedPool(range, prefix);
  expect([countBlocks(pool), formatCidr(blockAt(pool, index))]).toEqual([count, block]);
});

test("a node finds its place again, and says how many blocks were taken before it found one", async () => {
  const pool = sharedPool("10.244.0.0/20", 26);
  const store = new MemoryBlockStore();
  const first = await claimNextBlock(store, pool, "node-a");
  expect(first?.retries).toBe(0);
  const second = await claimNextBlock(store, pool, "node-a");
  expect(second?.retries).toBe(1);
  expect(await claimNextBlock(new MemoryBlockStore(), pool, "node-a")).toMatchObject({ claim: { cidr: first?.claim.cidr }, retries: 0 });
});

test("5,000 nodes that carve a /8 at the same time: no block has two owners, and a claim seldom meets another", async () => {
  const result = await simulateCarving(new MemoryBlockStore(), { pool: sharedPool("10.0.0.0/8", 26), nodes: 5_000, blocksPerNode: 4 });
  expect(result).toMatchObject({ claims: 20_000, failures: 0, overlaps: 0 });
  expect(result.retries / result.claims).toBeLessThan(0.2);
});

test("nodes whose names differ in their numbers alone begin far apart", async () => {
  const pool = sharedPool("10.0.0.0/8", 26);
  const store = new MemoryBlockStore();
  for (let index = 0; index < 1_000; index++) await claimNextBlock(store, pool, `akswin00000${index.toString(36)}`);
  const places = (await store.list(pool.id)).map(({ cidr }) => Number(cidr.split(".")[1]));
  expect(new Set(places).size).toBeGreaterThan(200);
});
