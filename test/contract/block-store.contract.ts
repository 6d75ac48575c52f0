import { type BlockStore, claimNextBlock, type SharedPool } from "../../src/core/ipam/block-store.ts";
import { findCidr } from "../../src/core/base/ip.ts";

export function sharedPool(range: string, blockPrefix: number): SharedPool {
  const cidr = findCidr(range);
  if (cidr === undefined) throw new Error(range);
  return { id: `cluster/${range}`, cidr, blockPrefix };
}

/** What every store of block claims does, whatever keeps it. `open` gives a fresh, empty store. */
export function describeBlockStore(name: string, open: () => { store: BlockStore; close(): void }): void {
  describe(`${name} as a block store`, () => {
    let store: BlockStore;
    let close: () => void;

    beforeEach(() => {
      ({ store, close } = open());
    });
    afterEach(() => close());

    test("is empty at first", async () => {
      expect(await store.list("p")).toEqual([]);
      expect(await store.list("p", "a")).toEqual([]);
      expect(await store.find("p", "10.0.0.0/26")).toBeUndefined();
    });

    test("gives a block to the first that claims it, and to nobody else", async () => {
      const claim = await store.claim("p", "10.0.0.0/26", "a");
      expect(claim).toMatchObject({ pool: "p", cidr: "10.0.0.0/26", node: "a" });
      expect(await store.claim("p", "10.0.0.0/26", "b")).toBeUndefined();
      expect(await store.claim("p", "10.0.0.0/26", "a")).toBeUndefined();
      expect(await store.find("p", "10.0.0.0/26")).toEqual(claim);
    });

    test("gives a block to one of many that claim it at once", async () => {
      const claims = await Promise.all(Array.from({ length: 50 }, (_, index) => store.claim("p", "10.0.0.0/26", `node-${index}`)));
      const won = claims.filter((claim) => claim !== undefined);
      expect(won).toHaveLength(1);
      expect(await store.list("p")).toEqual(won);
    });

    test("keeps pools apart", async () => {
      expect(await store.claim("p", "10.0.0.0/26", "a")).toBeDefined();
      expect(await store.claim("q", "10.0.0.0/26", "b")).toBeDefined();
      expect((await store.list("q")).map(({ node }) => node)).toEqual(["b"]);
    });

    test("lists by address, of one node or of all", async () => {
      for (const [cidr, node] of [
        ["10.0.0.128/26", "a"],
        ["9.0.0.0/26", "b"],
        ["10.0.0.64/26", "a"],
        ["100.0.0.0/26", "a"],
      ] as const) {
        await store.claim("p", cidr, node);
      }
      expect((await store.list("p")).map(({ cidr }) => cidr)).toEqual(["9.0.0.0/26", "10.0.0.64/26", "10.0.0.128/26", "100.0.0.0/26"]);
      expect((await store.list("p", "a")).map(({ cidr }) => cidr)).toEqual(["10.0.0.64/26", "10.0.0.128/26", "100.0.0.0/26"]);
      expect(await store.list("p", "c")).toEqual([]);
    });

    test("takes back what is released, once, and only as it stands", async () => {
      const claim = await store.claim("p", "10.0.0.0/26", "a");
      if (claim === undefined) throw new Error("no claim");
      expect(await store.release({ ...claim, node: "b" })).toBe(false);
      expect(await store.release({ ...claim, version: claim.version + 1 })).toBe(false);
      expect(await store.release(claim)).toBe(true);
      expect(await store.release(claim)).toBe(false);
      expect(await store.find("p", "10.0.0.0/26")).toBeUndefined();
    });

    test("does not take a block from one who claimed it after a late release by its former owner", async () => {
      const first = await store.claim("p", "10.0.0.0/26", "a");
      if (first === undefined) throw new Error("no claim");
      await store.release(first);
      const second = await store.claim("p", "10.0.0.0/26", "a");
      expect(await store.release(first)).toBe(false);
      expect(await store.find("p", "10.0.0.0/26")).toEqual(second);
    });

    test("is carved by nodes to the last block, which each of them has alone", async () => {
      const pool = sharedPool("10.0.0.0/20", 26);
      const nodes = Array.from({ length: 16 }, (_, index) => `node-${index}`);
      const taken = new Set<string>();
      for (let round = 0; round < 4; round++) {
        const outcomes = await Promise.all(nodes.map((node) => claimNextBlock(store, pool, node, round)));
        for (const outcome of outcomes) taken.add(outcome?.claim.cidr ?? "none");
      }
      expect(taken.size).toBe(64);
      expect(taken.has("none")).toBe(false);
      expect(await claimNextBlock(store, pool, "late")).toBeUndefined();
      expect(await store.list(pool.id, "node-3")).toHaveLength(4);
    });
  });
}
