import { findGuid, type Guid } from "../../src/core/base/ids.ts";
import type { Attachment } from "../../src/core/engine/attachment.ts";
import type { LeakRecord, LeaseRecord, NetworkRecord, RequestRecord, StateStore } from "../../src/core/engine/store.ts";
import type { AddressRecord, BlockRecord, PoolRecord } from "../../src/core/ipam/store.ts";

export function guid(index: number): Guid {
  const found = findGuid(`00000000-0000-4000-8000-${String(index).padStart(12, "0")}`);
  if (found === undefined) throw new Error(String(index));
  return found;
}

export const POOL: PoolRecord = { id: "pods/10.244.3.0/24", cidr: "10.244.3.0/24", carved: 64, version: 1 };
export const BLOCK: BlockRecord = { pool: POOL.id, cidr: "10.244.3.0/26", usable: 61, held: 1, next: 4, version: 1 };
export const ADDRESS: AddressRecord = {
  pool: POOL.id,
  address: "10.244.3.3",
  block: BLOCK.cidr,
  state: "assigned",
  owner: guid(1),
  released: undefined,
};
export const ATTACHMENT: Attachment = {
  id: guid(1),
  network: "pods",
  containerId: "c1",
  ifname: "eth0",
  netns: guid(9),
  endpoint: guid(1),
  phase: "attached",
  result: '{"ips":[],"note":"größe \u{1F680}"}',
  isCancelled: false,
  bootId: "boot-1",
  updatedAt: 1_735_689_600_123,
};
export const LEASE: LeaseRecord = { attachment: guid(1), pid: 4711, startedAt: "133789", bootId: "boot-1", expiresAt: 1_000_000.25 };
export const NETWORK: NetworkRecord = { name: "pods", id: guid(5), isOurs: true, isCreating: false, verified: "stamp", hnsVersion: "15.2" };

export const REQUEST: RequestRecord = { id: guid(1), config: '{"name":"pods","note":"größe"}', program: "win-overlay" };

/** What every store of the node's state does, whatever keeps it. `open` gives a fresh, empty store. */
export function describeStateStore(name: string, open: () => StateStore): void {
  describe(`${name} as a state store`, () => {
    let store: StateStore;

    beforeEach(() => {
      store = open();
    });
    afterEach(() => store.close());

    test("gives back what was put, field by field", () => {
      const released = { wallMs: 1_735_689_600_000, uptimeMs: -12.5, bootId: "boot-0" };
      const cooling: AddressRecord = { ...ADDRESS, address: "10.244.3.4", state: "cooling", released };
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        tx.swapBlock(BLOCK, undefined);
        tx.putAddress(ADDRESS);
        tx.putAddress(cooling);
        tx.putAttachment(ATTACHMENT);
        tx.putLease(LEASE);
        tx.putNetwork(NETWORK);
        tx.putRequest(REQUEST);
      });
      store.read((tx) => {
        expect(tx.listNetworks()).toEqual([NETWORK]);
        expect(tx.findRequest(REQUEST.id)).toEqual(REQUEST);
        expect(tx.findPool(POOL.id)).toEqual(POOL);
        expect(tx.listPools()).toEqual([POOL]);
        expect(tx.findBlock(POOL.id, BLOCK.cidr)).toEqual(BLOCK);
        expect(tx.findAddress(POOL.id, ADDRESS.address)).toEqual(ADDRESS);
        expect(tx.findAddress(POOL.id, cooling.address)).toEqual(cooling);
        expect(tx.findAttachment(ATTACHMENT.id)).toEqual(ATTACHMENT);
        expect(tx.findLease(LEASE.attachment)).toEqual(LEASE);
        expect(tx.findNetwork(NETWORK.name)).toEqual(NETWORK);
      });
    });

    test("gives back who holds an address, and finds what is kept in mind for a pod", () => {
      const pod = { namespace: "shop", name: "db-0", uid: "u-1" };
      const held: AddressRecord = { ...ADDRESS, holder: { containerId: "c1", ifname: "eth0", pod, isSticky: true } };
      const plain: AddressRecord = { ...ADDRESS, address: "10.244.3.4", holder: { containerId: "c2", ifname: "net1", isSticky: false } };
      const others = {
        ...plain,
        address: "10.244.3.5",
        holder: { ...plain.holder, ...held.holder, pod: { namespace: "shop", name: "db-1" }, isSticky: false },
      };
      store.transaction((tx) => [held, plain, others as AddressRecord].forEach((record) => tx.putAddress(record)));
      store.read((tx) => {
        expect(tx.findAddress(POOL.id, held.address)).toEqual(held);
        expect(tx.findAddress(POOL.id, plain.address)).toEqual(plain);
        expect(tx.listSticky("shop/db-0")).toEqual([held]);
        expect(tx.listSticky("shop/db-1")).toEqual([]);
      });
      store.transaction((tx) => tx.putAddress(ADDRESS));
      store.read((tx) => {
        expect(tx.findAddress(POOL.id, ADDRESS.address)).toEqual(ADDRESS);
        expect(tx.listSticky("shop/db-0")).toEqual([]);
      });
    });

    test("finds the oldest free address, and one kept in mind for a pod only when there is no other", () => {
      const free = (last: number, wallMs: number): AddressRecord => {
        const released = { wallMs, uptimeMs: wallMs, bootId: "boot-1" };
        return { ...ADDRESS, address: `10.244.3.${last}`, state: "free", owner: "", released };
      };
      const pod = { namespace: "shop", name: "db-0" };
      const kept = { ...free(5, 1), holder: { containerId: "c", ifname: "eth0", pod, isSticky: true } };
      store.transaction((tx) => [kept, free(7, 3), free(6, 2)].forEach((record) => tx.putAddress(record)));
      const take = (): string | undefined =>
        store.transaction((tx) => {
          const found = tx.findOldestFree(POOL.id, BLOCK.cidr);
          if (found !== undefined) tx.removeAddress(POOL.id, found.address);
          return found?.address;
        });
      expect([take(), take(), take(), take()]).toEqual(["10.244.3.6", "10.244.3.7", "10.244.3.5", undefined]);
    });

    test("a request is there until its attachment is gone, and no longer", () => {
      store.transaction((tx) => {
        tx.putAttachment(ATTACHMENT);
        tx.putRequest({ ...REQUEST, config: "{}" });
        tx.putRequest(REQUEST);
      });
      store.transaction((tx) => tx.putAttachment({ ...ATTACHMENT, phase: "deleting" }));
      expect(store.read((tx) => tx.findRequest(REQUEST.id))).toEqual(REQUEST);
      store.transaction((tx) => tx.putAttachment({ ...ATTACHMENT, phase: "gone" }));
      expect(store.read((tx) => tx.findRequest(REQUEST.id))).toBeUndefined();
      expect(store.read((tx) => tx.listNetworks())).toEqual([]);
    });

    test("finds nothing in an empty store", () => {
      store.read((tx) => {
        expect([
          tx.findPool("x"),
          tx.findBlock("x", "y"),
          tx.findAddress("x", "y"),
          tx.findFullestBlock("x"),
          tx.findOldestFree("x", "y"),
        ]).toEqual(Array(5).fill(undefined));
        expect([tx.findAttachment(guid(1)), tx.findLease(guid(1)), tx.findNetwork("x")]).toEqual(Array(3).fill(undefined));
        expect([
          tx.listPools(),
          tx.listOwned("x"),
          tx.listOwned(""),
          tx.listCooling("x", "b", 9),
          tx.listAttachments({ network: "x" }),
        ]).toEqual(Array(5).fill([]));
        expect(tx.countAddresses("x")).toEqual({ free: 0, assigned: 0, cooling: 0, quarantined: 0 });
      });
    });

    test("replaces a record of the same key, and keeps undefined fields undefined", () => {
      store.transaction((tx) => {
        tx.putAttachment(ATTACHMENT);
        tx.putAttachment({ ...ATTACHMENT, phase: "gone", result: undefined });
        tx.putNetwork(NETWORK);
        tx.putNetwork({ ...NETWORK, id: undefined, isCreating: true });
        tx.putLease(LEASE);
        tx.putLease({ ...LEASE, pid: 1 });
        tx.removeLease(guid(77));
      });
      store.read((tx) => {
        expect(tx.findAttachment(ATTACHMENT.id)).toEqual({ ...ATTACHMENT, phase: "gone", result: undefined });
        expect(tx.findNetwork("pods")).toEqual({ ...NETWORK, id: undefined, isCreating: true });
        expect(tx.findLease(LEASE.attachment)?.pid).toBe(1);
      });
      store.transaction((tx) => tx.removeLease(LEASE.attachment));
      expect(store.read((tx) => tx.findLease(LEASE.attachment))).toBeUndefined();
    });

    test("keeps one leak an attachment, until it is removed", () => {
      const leak: LeakRecord = {
        attachment: guid(1),
        life: ATTACHMENT.updatedAt,
        since: { wallMs: 1_735_689_600_000, uptimeMs: -12.5, bootId: "b" },
      };
      expect(store.read((tx) => tx.listLeaks())).toEqual([]);
      store.transaction((tx) => {
        tx.putLeak({ ...leak, life: 1 });
        tx.putLeak(leak);
        tx.putLeak({ ...leak, attachment: guid(2) });
        tx.removeLeak(guid(77));
      });
      expect(store.read((tx) => tx.listLeaks())).toEqual([leak, { ...leak, attachment: guid(2) }]);
      store.transaction((tx) => tx.removeLeak(guid(1)));
      expect(store.read((tx) => tx.listLeaks())).toEqual([{ ...leak, attachment: guid(2) }]);
    });

    test("a compare-and-swap with another version than the stored one loses and writes nothing", () => {
      store.transaction((tx) => {
        expect(tx.swapPool(POOL, 1)).toBe(false);
        expect(tx.swapPool(POOL, undefined)).toBe(true);
        expect(tx.swapPool({ ...POOL, carved: 128 }, undefined)).toBe(false);
        expect(tx.swapPool({ ...POOL, carved: 128, version: 3 }, 2)).toBe(false);
        expect(tx.findPool(POOL.id)).toEqual(POOL);
        expect(tx.swapPool({ ...POOL, carved: 128, version: 2 }, 1)).toBe(true);
        expect(tx.findPool(POOL.id)).toMatchObject({ carved: 128, version: 2 });
        expect(tx.swapBlock(BLOCK, 1)).toBe(false);
        expect(tx.swapBlock(BLOCK, undefined)).toBe(true);
        expect(tx.swapBlock({ ...BLOCK, held: 9 }, undefined)).toBe(false);
        expect(tx.swapBlock({ ...BLOCK, held: 9, version: 3 }, 2)).toBe(false);
        expect(tx.findBlock(POOL.id, BLOCK.cidr)).toEqual(BLOCK);
        expect(tx.swapBlock({ ...BLOCK, held: 9, version: 2 }, 1)).toBe(true);
        expect(tx.findBlock(POOL.id, BLOCK.cidr)).toMatchObject({ held: 9, version: 2 });
      });
    });

    test("nothing remains of a transaction that throws, and the next one works", () => {
      store.transaction((tx) => tx.putNetwork(NETWORK));
      const failing = (): void =>
        store.transaction((tx) => {
          tx.putAttachment(ATTACHMENT);
          tx.putNetwork({ ...NETWORK, verified: "other" });
          throw new RangeError("on purpose");
        });
      expect(failing).toThrow(RangeError);
      expect(store.read((tx) => [tx.findAttachment(ATTACHMENT.id), tx.findNetwork("pods")])).toEqual([undefined, NETWORK]);
      store.transaction((tx) => tx.putAttachment(ATTACHMENT));
      expect(store.read((tx) => tx.findAttachment(ATTACHMENT.id))).toEqual(ATTACHMENT);
    });

    test("a transaction gives back what its work gives, and so does a read", () => {
      expect(store.transaction(() => 42)).toBe(42);
      expect(store.read(() => "x")).toBe("x");
    });

    test("finds the fullest block that has room", () => {
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        for (const [index, held] of [3, 61, 60, 0].entries())
          tx.swapBlock({ ...BLOCK, cidr: `10.244.3.${index * 64}/26`, held }, undefined);
        tx.swapBlock({ ...BLOCK, pool: "other", held: 60 }, undefined);
        expect(tx.findFullestBlock(POOL.id)?.held).toBe(60);
        expect(tx.findFullestBlock("none")).toBeUndefined();
      });
    });

    test("finds the free address released longest ago, one without a release time first", () => {
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        tx.swapBlock(BLOCK, undefined);
        for (const [last, wallMs] of [
          [7, 300],
          [5, 100],
          [6, 200],
        ] as const) {
          tx.putAddress({
            ...ADDRESS,
            address: `10.244.3.${last}`,
            state: "free",
            owner: "",
            released: { wallMs, uptimeMs: 1, bootId: "b" },
          });
        }
        tx.putAddress({ ...ADDRESS, address: "10.244.3.8", state: "cooling", released: { wallMs: 1, uptimeMs: 1, bootId: "b" } });
        expect(tx.findOldestFree(POOL.id, BLOCK.cidr)?.address).toBe("10.244.3.5");
        tx.putAddress({ ...ADDRESS, address: "10.244.3.9", state: "free", owner: "", released: undefined });
        expect(tx.findOldestFree(POOL.id, BLOCK.cidr)?.address).toBe("10.244.3.9");
        tx.removeAddress(POOL.id, "10.244.3.9");
        expect(tx.findOldestFree(POOL.id, BLOCK.cidr)?.address).toBe("10.244.3.5");
        expect(tx.findOldestFree(POOL.id, "10.244.3.64/26")).toBeUndefined();
      });
    });

    test("lists cooling addresses of other boots first, then by uptime of their release, up to the limit", () => {
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        tx.swapBlock(BLOCK, undefined);
        const boots = [
          ["b", 30],
          ["b", 10],
          ["a", 90],
          ["c", 80],
          ["b", 20],
        ] as const;
        for (const [index, [bootId, uptimeMs]] of boots.entries()) {
          tx.putAddress({ ...ADDRESS, address: `10.244.3.${10 + index}`, state: "cooling", released: { wallMs: 1, uptimeMs, bootId } });
        }
        const list = (limit: number): string[] => tx.listCooling(POOL.id, "b", limit).map(({ address }) => address);
        expect(list(9)).toEqual(["10.244.3.12", "10.244.3.13", "10.244.3.11", "10.244.3.14", "10.244.3.10"]);
        expect(list(3)).toEqual(["10.244.3.12", "10.244.3.13", "10.244.3.11"]);
        expect(list(0)).toEqual([]);
      });
    });

    test("lists the blocks with room, the roomiest first, and all blocks by address", () => {
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        for (const [cidr, held] of [
          ["10.244.3.128/26", 5],
          ["10.244.3.0/26", 61],
          ["10.244.3.64/26", 2],
          ["10.244.3.192/26", 9],
        ] as const) {
          tx.swapBlock({ ...BLOCK, cidr, held }, undefined);
        }
        tx.swapBlock({ ...BLOCK, pool: "other", held: 0 }, undefined);
        expect(tx.listRoomiest(POOL.id, 9).map(({ held }) => held)).toEqual([2, 5, 9]);
        expect(tx.listRoomiest(POOL.id, 2).map(({ held }) => held)).toEqual([2, 5]);
        expect(tx.listBlocks(POOL.id).map(({ cidr }) => cidr)).toEqual([
          "10.244.3.0/26",
          "10.244.3.64/26",
          "10.244.3.128/26",
          "10.244.3.192/26",
        ]);
      });
    });

    test("forgets a block with its addresses, once nothing of it is held and nobody was quicker", () => {
      store.transaction((tx) => {
        const free: AddressRecord = { ...ADDRESS, address: "10.244.3.4", state: "free", owner: "" };
        tx.swapPool(POOL, undefined);
        tx.swapBlock(BLOCK, undefined);
        tx.putAddress(free);
        expect(tx.removeBlock(POOL.id, BLOCK.cidr, 1)).toBe(false);
        tx.swapBlock({ ...BLOCK, held: 0, version: 2 }, 1);
        expect(tx.removeBlock(POOL.id, BLOCK.cidr, 1)).toBe(false);
        expect(tx.listAddresses(POOL.id)).toEqual([free]);
        expect(tx.removeBlock(POOL.id, BLOCK.cidr, 2)).toBe(true);
        expect([tx.findBlock(POOL.id, BLOCK.cidr), tx.listAddresses(POOL.id)]).toEqual([undefined, []]);
      });
    });

    test("remembers since when a pool has too many blocks", () => {
      const since = { wallMs: 1_735_689_600_000, uptimeMs: -7.5, bootId: "boot-1" };
      store.transaction((tx) => {
        expect(tx.findSurplus(POOL.id)).toBeUndefined();
        tx.putSurplus(POOL.id, since);
        expect([tx.findSurplus(POOL.id), tx.findSurplus("other")]).toEqual([since, undefined]);
        tx.putSurplus(POOL.id, undefined);
        expect(tx.findSurplus(POOL.id)).toBeUndefined();
      });
    });

    test("counts and lists addresses by owner, over pools", () => {
      store.transaction((tx) => {
        for (const pool of [POOL, { ...POOL, id: "other/10.9.0.0/24" }]) {
          tx.swapPool(pool, undefined);
          tx.swapBlock({ ...BLOCK, pool: pool.id }, undefined);
          tx.putAddress({ ...ADDRESS, pool: pool.id });
        }
        tx.putAddress({ ...ADDRESS, address: "10.244.3.4", owner: guid(2), state: "quarantined" });
        tx.putAddress({ ...ADDRESS, address: "10.244.3.5", owner: "", state: "free" });
        expect(
          tx
            .listOwned(guid(1))
            .map(({ pool }) => pool)
            .sort(),
        ).toEqual(["other/10.9.0.0/24", POOL.id]);
        expect(tx.listOwned("")).toEqual([]);
        expect(tx.countAddresses(POOL.id)).toEqual({ free: 1, assigned: 1, cooling: 0, quarantined: 1 });
      });
    });

    test("lists attachments of one network, of all phases or of some", () => {
      store.transaction((tx) => {
        for (const [index, phase] of (["intent", "created", "attached", "deleting", "gone"] as const).entries()) {
          tx.putAttachment({ ...ATTACHMENT, id: guid(index), phase });
        }
        tx.putAttachment({ ...ATTACHMENT, id: guid(50), network: "pods2" });
        const phases = (filter: Parameters<typeof tx.listAttachments>[0]): string[] =>
          tx
            .listAttachments(filter)
            .map(({ phase }) => phase)
            .sort();
        expect(phases({ network: "pods" })).toEqual(["attached", "created", "deleting", "gone", "intent"]);
        expect(phases({ network: "pods", phases: ["intent", "deleting"] })).toEqual(["deleting", "intent"]);
        expect(phases({ network: "pods2", phases: ["gone"] })).toEqual([]);
        expect(phases({ network: "pod" })).toEqual([]);
        expect(phases({ phases: ["attached"] })).toEqual(["attached", "attached"]);
        expect(phases({ phases: [] })).toEqual([]);
        expect(phases({})).toHaveLength(6);
        expect(Object.fromEntries(tx.countAttachments())).toEqual({ intent: 1, created: 1, attached: 2, deleting: 1, gone: 1 });
      });
    });

    test("names the owners of held addresses whose attachment is gone or unknown", () => {
      store.transaction((tx) => {
        tx.swapPool(POOL, undefined);
        tx.swapBlock(BLOCK, undefined);
        const states = ["assigned", "quarantined", "assigned", "cooling", "assigned"] as const;
        for (const [index, state] of states.entries())
          tx.putAddress({ ...ADDRESS, address: `10.244.3.${10 + index}`, owner: guid(index), state });
        tx.putAddress({ ...ADDRESS, address: "10.244.3.30", owner: "conflict", state: "quarantined" });
        tx.putAttachment({ ...ATTACHMENT, id: guid(0), phase: "gone" });
        tx.putAttachment({ ...ATTACHMENT, id: guid(2), phase: "attached" });
        expect(tx.listOwnersWithoutAttachment("pods").sort()).toEqual([guid(0), guid(1), guid(4)]);
        expect(tx.listOwnersWithoutAttachment("pod")).toEqual([]);
      });
    });

    test("forgets only finished attachments that are old enough", () => {
      store.transaction((tx) => {
        tx.putAttachment({ ...ATTACHMENT, id: guid(1), phase: "gone", updatedAt: 99 });
        tx.putAttachment({ ...ATTACHMENT, id: guid(2), phase: "gone", updatedAt: 100 });
        tx.putAttachment({ ...ATTACHMENT, id: guid(3), phase: "deleting", updatedAt: 1 });
        tx.pruneGone(100);
        expect(
          tx
            .listAttachments({ network: "pods" })
            .map(({ id }) => id)
            .sort(),
        ).toEqual([guid(2), guid(3)]);
      });
    });
  });
}
