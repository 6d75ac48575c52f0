import type { Clock } from "../base/async.ts";
import {
  type Allocation,
  exhausted,
  findReusable,
  getBlock,
  type OwnerRef,
  restedMs,
  reuseEarly,
  revertAllocation,
  setFree,
  takeFree,
  tryAllocate,
} from "./allocator.ts";
import type { PoolSpec } from "./pool.ts";
import { isReserved } from "./blocks.ts";
import { stamp } from "./release-time.ts";
import type { AddressRecord, IpamTransaction } from "./store.ts";
import { takeWanted } from "./wanted.ts";

/** One of the addresses that a pod gets: the pools it may come from, in order. With `wanted`, the one pool that has that address. */
export interface AddressSet {
  readonly pools: readonly PoolSpec[];
  readonly wanted?: string;
}

/** Who asks for addresses, and what it had before. */
export interface Asker {
  readonly owner: OwnerRef;
  /** Absent when no address is kept in mind for the pod. */
  readonly sticky?: StickyPod;
}

export interface StickyPod {
  /** As podKey gives it. */
  readonly pod: string;
  readonly ifname: string;
  /** Rather wait for the own address, while it rests, than have another one. */
  readonly isWaiting: boolean;
}

/** What an ADD may take that has waited: addresses which rested for the floor, when no endpoint has them. */
export interface Pressure {
  readonly floorMs: number;
  readonly held: ReadonlySet<string>;
}

/** Taken and given back in the search for an address that nobody is known to have: at most so many, and then HNS decides. */
const MAX_PASSED_OVER = 8;

/** What an ADD asks of the pools. */
export interface AssignRequest {
  readonly sets: readonly AddressSet[];
  readonly pressure?: Pressure;
  /** Addresses that somebody else's endpoints are believed to have: others come first, and where there is none these are given out all the same. */
  readonly avoid?: ReadonlySet<string> | undefined;
}

/** The addresses taken, one for each set; or the first set that had none, with the address it has to wait for, if only one will do. */
export type Assignment = { readonly taken: readonly Allocation[] } | { readonly lacking: AddressSet };

/** Takes one address of every set, or none at all. Throws ADDRESS_CONFLICT when an address that is asked for is another's. */
export function tryAssign(tx: IpamTransaction, clock: Clock, asker: Asker, request: AssignRequest): Assignment {
  const own = findOwn(tx, asker);
  const taken: Allocation[] = [];
  for (const set of request.sets) {
    const choice = focus(clock, set, { own, sticky: asker.sticky });
    const allocation = takeOne(tx, clock, choice, { ...request, owner: asker.owner });
    if (allocation === undefined) {
      for (const one of taken.reverse()) revertAllocation(tx, one);
      return { lacking: choice.set };
    }
    taken.push(allocation);
  }
  return { taken };
}

/** Whether some of the sets has an address that has rested for the floor, as far as the tables tell. */
export function hasReusable(
  tx: IpamTransaction,
  clock: Clock,
  asker: Asker,
  request: { sets: readonly AddressSet[]; floorMs: number },
): boolean {
  const own = findOwn(tx, asker);
  return request.sets.some((entry) => {
    const { set } = focus(clock, entry, { own, sticky: asker.sticky });
    const address = set.wanted === undefined ? {} : { address: set.wanted };
    const reuse = { owner: asker.owner, floorMs: request.floorMs, held: new Set<string>(), ...address };
    return set.pools.some((spec) => findReusable(tx, clock, { ...reuse, spec }) !== undefined);
  });
}

/**
 * The addresses that the owner has already, one for each set, undefined where it has none. What it has beside is put to rest: the
 * configuration, or what is asked for, is another one by now.
 */
export function keepOwned(tx: IpamTransaction, clock: Clock, owner: string, sets: readonly AddressSet[]): (AddressRecord | undefined)[] {
  const left = tx.listOwned(owner).filter(({ state }) => state === "assigned" || state === "quarantined");
  const kept = sets.map((set) => {
    const at = left.findIndex((record) => isOf(set, record));
    const [record] = at < 0 ? [] : left.splice(at, 1);
    if (record?.state === "quarantined") tx.putAddress({ ...record, state: "assigned" });
    return record;
  });
  for (const record of left) tx.putAddress({ ...record, state: "cooling", released: stamp(clock) });
  return kept;
}

/** The error for a set that has no address to give. */
export function lackOf(tx: IpamTransaction, { pools, wanted }: AddressSet): ReturnType<typeof exhausted> {
  return exhausted(tx, pools, wanted);
}

interface Choice {
  readonly set: AddressSet;
  /** An address of the set that is kept in mind for the pod, and free. */
  readonly free?: AddressRecord;
}

function findOwn(tx: IpamTransaction, { sticky }: Asker): readonly AddressRecord[] {
  if (sticky === undefined) return [];
  const found = tx.listSticky(sticky.pod).filter(({ holder }) => holder?.ifname === sticky.ifname);
  return found.sort((left, right) => (right.released?.wallMs ?? 0) - (left.released?.wallMs ?? 0)); // the last one first
}

/** What of the set will do for the pod: its own address, if that is free or worth waiting for, else any. */
function focus(clock: Clock, set: AddressSet, { own, sticky }: { own: readonly AddressRecord[]; sticky: StickyPod | undefined }): Choice {
  if (set.wanted !== undefined) return { set };
  const usable = own.filter(
    (record) => isOf(set, record) && set.pools.every((spec) => spec.id !== record.pool || !isReserved(spec, record.address)),
  );
  const free = usable.find((record) => {
    const spec = set.pools.find(({ id }) => id === record.pool);
    return record.state === "free" || (record.state === "cooling" && restedMs(clock, record) >= (spec?.cooldownMs ?? 0));
  });
  if (free !== undefined) return { set, free };
  const resting = sticky?.isWaiting === true ? usable.find(({ state }) => state === "cooling") : undefined;
  if (resting === undefined) return { set };
  return { set: { pools: set.pools.filter(({ id }) => id === resting.pool), wanted: resting.address } };
}

function isOf({ pools, wanted }: AddressSet, { pool, address }: AddressRecord): boolean {
  return pools.some(({ id }) => id === pool) && (wanted === undefined || wanted === address);
}

function takeOne(
  tx: IpamTransaction,
  clock: Clock,
  { set, free }: Choice,
  { owner, pressure, avoid }: Omit<AssignRequest, "sets"> & { owner: OwnerRef },
): Allocation | undefined {
  if (free !== undefined) {
    if (free.state === "cooling") setFree(tx, free);
    return takeFree(tx, getBlock(tx, free), { ...free, state: "free", owner: "" }, owner);
  }
  for (const spec of set.pools) {
    const taken =
      set.wanted === undefined ? takeAny(tx, clock, spec, { owner, avoid }) : takeWanted(tx, clock, { spec, address: set.wanted, owner });
    if (taken !== undefined) return taken;
  }
  if (pressure === undefined) return undefined;
  const reuse = { owner, ...pressure, ...(set.wanted !== undefined && { address: set.wanted }) };
  for (const spec of set.pools) {
    const taken = reuseEarly(tx, clock, { ...reuse, spec });
    if (taken !== undefined) return taken;
  }
  return undefined;
}

/** An address of the pool that is not to be avoided, or the first there was where there is no other. */
function takeAny(
  tx: IpamTransaction,
  clock: Clock,
  spec: PoolSpec,
  { owner, avoid }: { owner: OwnerRef; avoid: ReadonlySet<string> | undefined },
): Allocation | undefined {
  if (avoid === undefined || avoid.size === 0) return tryAllocate(tx, clock, spec, owner);
  const taken: Allocation[] = [];
  let chosen: Allocation | undefined;
  while (chosen === undefined && taken.length <= MAX_PASSED_OVER) {
    const next = tryAllocate(tx, clock, spec, owner);
    if (next === undefined) break;
    taken.push(next);
    if (!avoid.has(next.address)) chosen = next;
  }
  chosen ??= taken[0];
  for (const one of taken.reverse()) if (one !== chosen) revertAllocation(tx, one);
  return chosen;
}
