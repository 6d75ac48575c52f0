import type { Clock } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import { addressAt, type Cidr, cidrSize, findCidr, formatCidr, formatIp } from "../base/ip.ts";
import { isReserved, nextUsable, usableIn } from "./blocks.ts";
import { carveNext, lostRace } from "./carve.ts";
import type { PoolSpec } from "./pool.ts";
import { rebase, stamp } from "./release-time.ts";
import type { AddressRecord, AddressState, BlockRecord, Holder, IpamTransaction } from "./store.ts";
import { keepWarm } from "./warm-pool.ts";

/** What an address was before it was taken, so that a failed ADD can put it back exactly. */
export interface Allocation {
  readonly pool: string;
  readonly address: string;
  readonly before: AddressRecord | undefined;
  /** The block's cursor as it was, when the address had never been used. */
  readonly cursor: number | undefined;
}

/** An owner, alone or with what is known of it. */
export type OwnerRef = string | { readonly id: string; readonly holder: Holder };

/** Owner of the addresses that HNS refused because an endpoint unknown to us holds them. */
export const CONFLICT_OWNER = "conflict";

/** Owner of the addresses that were free when the configuration began to reserve them. */
export const RESERVED_OWNER = "reserved";

/** How long an address that HNS refused is left alone, milliseconds. */
export const CONFLICT_MS = 60_000;

/** Rows swept from cooling to free in one allocation: more than one allocation can add, so the sweep keeps up. */
const SWEEP_LIMIT = 16;

/** Blocks that are looked at for an address that was never used, before one is given away that another pod may come back for. */
const SPARE_BLOCKS = 8;

/**
 * Gives `owner` an address of the pool: the fullest block first, in it one never used, else the one released longest ago.
 * The work does not grow with the number of addresses held. Throws ADDRESS_EXHAUSTED with the counts.
 */
export function allocateAddress(tx: IpamTransaction, clock: Clock, spec: PoolSpec, owner: OwnerRef): Allocation {
  const allocation = tryAllocate(tx, clock, spec, owner);
  if (allocation === undefined) throw exhausted(tx, [spec]);
  return allocation;
}

/** As allocateAddress; undefined when there is none. */
export function tryAllocate(tx: IpamTransaction, clock: Clock, spec: PoolSpec, owner: OwnerRef): Allocation | undefined {
  freeRested(tx, clock, spec);
  for (;;) {
    const block = findRoom(tx, clock, spec);
    if (block === undefined) return undefined;
    const taken = takeFrom(tx, spec, block, owner);
    if (taken === undefined) continue;
    keepWarm(tx, clock, spec);
    return taken;
  }
}

/** An address of the block; undefined when what the block offered is reserved by now, which its record then says. */
function takeFrom(tx: IpamTransaction, spec: PoolSpec, block: BlockRecord, owner: OwnerRef): Allocation | undefined {
  const fresh = takeUnused(tx, spec, block, owner);
  if (fresh !== undefined) return fresh;
  const free = tx.findOldestFree(block.pool, block.cidr);
  if (free === undefined) {
    recount(tx, spec, block, parseStored(block.cidr));
    return undefined;
  }
  if (!isReserved(spec, free.address))
    return (isKept(free) ? takeElsewhere(tx, spec, owner) : undefined) ?? takeFree(tx, block, free, owner);
  updateBlock(tx, block, { held: block.held + 1, next: block.next });
  tx.putAddress({ ...withoutHolder(free), state: "quarantined", owner: RESERVED_OWNER });
  return undefined;
}

/** The next address of the block that was never used; undefined when there is none. */
function takeUnused(tx: IpamTransaction, spec: PoolSpec, block: BlockRecord, owner: OwnerRef): Allocation | undefined {
  const cidr = parseStored(block.cidr);
  const offset = nextUsable(spec, cidr, block.next);
  return offset < cidrSize(cidr) ? takeFresh(tx, block, { address: formatIp(addressAt(cidr, offset)), offset, owner }) : undefined;
}

/** An address that was never used of another block, carved if need be, rather than one that a pod may come back for. */
function takeElsewhere(tx: IpamTransaction, spec: PoolSpec, owner: OwnerRef): Allocation | undefined {
  for (const block of tx.listRoomiest(spec.id, SPARE_BLOCKS)) {
    const taken = takeUnused(tx, spec, block, owner);
    if (taken !== undefined) return taken;
  }
  const carved = carveNext(tx, spec);
  return carved === undefined ? undefined : takeUnused(tx, spec, carved.record, owner);
}

/** Whether the free address is kept in mind for a pod. */
function isKept({ holder }: AddressRecord): boolean {
  return holder?.isSticky === true;
}

/** The configuration reserves other addresses than when the block was carved. Throws STATE_DAMAGED when that explains nothing. */
function recount(tx: IpamTransaction, spec: PoolSpec, block: BlockRecord, cidr: Cidr): void {
  const usable = Math.max(usableIn(spec, cidr), block.held);
  if (usable >= block.usable) throw inconsistent(`block ${block.cidr} counts a free address that is in no row`);
  if (!tx.swapBlock({ ...block, usable, version: block.version + 1 }, block.version)) throw lostRace(`block ${block.cidr}`);
}

/** A block with a free address. Once all are used up, addresses that HNS refused long ago count as free again: HNS will say. */
function findRoom(tx: IpamTransaction, clock: Clock, spec: PoolSpec): BlockRecord | undefined {
  const block = tx.findFullestBlock(spec.id) ?? carveNext(tx, spec)?.record;
  if (block !== undefined) return block;
  for (const record of tx.listOwned(CONFLICT_OWNER)) {
    const isDue = restedMs(clock, record) >= CONFLICT_MS;
    if (record.pool === spec.id && isDue) setFree(tx, record);
  }
  return tx.findFullestBlock(spec.id);
}

function takeFresh(tx: IpamTransaction, block: BlockRecord, fresh: { address: string; offset: number; owner: OwnerRef }): Allocation {
  const { address, offset, owner } = fresh;
  if (tx.findAddress(block.pool, address) !== undefined) throw inconsistent(`${address} was handed out although its block says never`);
  updateBlock(tx, block, { held: block.held + 1, next: offset + 1 });
  putAssigned(tx, { pool: block.pool, address, block: block.cidr, released: undefined }, owner);
  return { pool: block.pool, address, before: undefined, cursor: block.next };
}

/** Gives `owner` a free address. */
export function takeFree(tx: IpamTransaction, block: BlockRecord, before: AddressRecord, owner: OwnerRef): Allocation {
  if (before.state !== "free") throw inconsistent(`${before.address} is listed as free and is ${before.state}`);
  updateBlock(tx, block, { held: block.held + 1, next: block.next });
  putAssigned(tx, before, owner);
  return { pool: block.pool, address: before.address, before, cursor: undefined };
}

function putAssigned(tx: IpamTransaction, place: Pick<AddressRecord, "pool" | "address" | "block" | "released">, owner: OwnerRef): void {
  const { pool, address, block, released } = place;
  const known = typeof owner === "string" ? { owner } : { owner: owner.id, holder: owner.holder };
  tx.putAddress({ pool, address, block, state: "assigned", released, ...known });
}

function withoutHolder(record: AddressRecord): AddressRecord {
  const { holder, ...rest } = record;
  return holder === undefined ? record : rest;
}

/** An early reuse: the floor of the rest in milliseconds (0 = never early), and the addresses that endpoints have. */
export interface Reuse {
  readonly spec: PoolSpec;
  readonly owner: OwnerRef;
  readonly floorMs: number;
  readonly held: ReadonlySet<string>;
  /** Only this address will do. */
  readonly address?: string;
}

/** How long a cooling address has rested, milliseconds. */
export function restedMs(clock: Clock, record: AddressRecord): number {
  return clock.uptime() - rebase(clock, record.released).uptimeMs;
}

/** The address that has rested longest, if it has for at least the floor and no endpoint has it. */
export function findReusable(tx: IpamTransaction, clock: Clock, reuse: Reuse): AddressRecord | undefined {
  const { spec, floorMs, held, address } = reuse;
  if (floorMs <= 0) return undefined;
  const one = address === undefined ? undefined : tx.findAddress(spec.id, address);
  const cooling = address === undefined ? tx.listCooling(spec.id, clock.bootId(), SWEEP_LIMIT) : one?.state === "cooling" ? [one] : [];
  return cooling.find((record) => {
    return restedMs(clock, record) >= floorMs && !held.has(record.address) && !isReserved(spec, record.address);
  });
}

/** Gives `owner` an address whose rest is not over. Only for an ADD that waits. */
export function reuseEarly(tx: IpamTransaction, clock: Clock, reuse: Reuse): Allocation | undefined {
  const before = findReusable(tx, clock, reuse);
  if (before === undefined) return undefined;
  putAssigned(tx, before, reuse.owner);
  return { pool: before.pool, address: before.address, before, cursor: undefined };
}

/** Puts every address of `owner` to rest: it becomes free after the cool-down. Addresses of others are never touched. */
export function releaseOwned(tx: IpamTransaction, clock: Clock, owner: string): string[] {
  const released = stamp(clock);
  const held = tx.listOwned(owner).filter((record) => record.state === "assigned" || record.state === "quarantined");
  for (const record of held) tx.putAddress({ ...record, state: "cooling", released });
  return held.map((record) => record.address);
}

/** Takes an allocation back as if it had never been: the address was on no endpoint, so it needs no rest. */
export function revertAllocation(tx: IpamTransaction, allocation: Allocation): void {
  const current = tx.findAddress(allocation.pool, allocation.address);
  if (current === undefined || current.state === "free" || current.state === "cooling") return;
  const { before, cursor } = allocation;
  const block = getBlock(tx, current);
  const isLastTaken = cursor !== undefined && formatIp(addressAt(parseStored(block.cidr), block.next - 1)) === allocation.address;
  if (isLastTaken) tx.removeAddress(allocation.pool, allocation.address);
  else tx.putAddress(before ?? { ...withoutHolder(current), state: "free", owner: "", released: undefined });
  const held = before?.state === "cooling" ? block.held : block.held - 1; // a resting address counted as held before, too
  updateBlock(tx, block, { held, next: isLastTaken ? cursor : block.next });
}

/** Keeps the addresses of `owner` from everybody until it is known that no endpoint holds them. */
export function quarantineOwned(tx: IpamTransaction, owner: string): void {
  for (const record of tx.listOwned(owner)) {
    if (record.state === "assigned") tx.putAddress({ ...record, state: "quarantined" });
  }
}

/** Marks one address as held by an endpoint that is not ours; it belongs to nobody and rests once it is found free. */
export function quarantineForeign(tx: IpamTransaction, clock: Clock, record: AddressRecord): void {
  tx.putAddress({ ...withoutHolder(record), state: "quarantined", owner: CONFLICT_OWNER, released: stamp(clock) });
}

/** The addresses of `owner` that were quarantined count as assigned again: the attachment lives. */
export function reassignOwned(tx: IpamTransaction, owner: string): string[] {
  const records = tx.listOwned(owner).filter((record) => record.state === "assigned" || record.state === "quarantined");
  for (const record of records) {
    if (record.state === "quarantined") tx.putAddress({ ...record, state: "assigned" });
  }
  return records.map((record) => record.address);
}

/** Frees the cooling addresses that have rested; a bounded number a call. */
export function freeRested(tx: IpamTransaction, clock: Clock, spec: Pick<PoolSpec, "id" | "cooldownMs">): void {
  for (const record of tx.listCooling(spec.id, clock.bootId(), SWEEP_LIMIT)) {
    const released = rebase(clock, record.released);
    if (clock.uptime() - released.uptimeMs >= spec.cooldownMs) {
      setFree(tx, { ...record, released });
    } else if (released !== record.released) {
      tx.putAddress({ ...record, released });
    } else {
      return; // the list is ordered by age: all that follow have rested less
    }
  }
}

/** Makes an address that rested, or was refused long ago, free. */
export function setFree(tx: IpamTransaction, record: AddressRecord): void {
  tx.putAddress({ ...(isKept(record) ? record : withoutHolder(record)), state: "free", owner: "" });
  const block = getBlock(tx, record);
  updateBlock(tx, block, { held: block.held - 1, next: block.next });
}

/** The block of an address. Throws STATE_DAMAGED when there is none. */
export function getBlock(tx: IpamTransaction, record: AddressRecord): BlockRecord {
  const block = tx.findBlock(record.pool, record.block);
  if (block === undefined) throw inconsistent(`address ${record.address} names block ${record.block}, which is missing`);
  return block;
}

/** Writes the new counts of a block. Throws STATE_FAILURE when another writer was quicker. */
export function updateBlock(tx: IpamTransaction, block: BlockRecord, change: Pick<BlockRecord, "held" | "next">): void {
  if (!tx.swapBlock({ ...block, ...change, version: block.version + 1 }, block.version)) throw lostRace(`block ${block.cidr}`);
}

function parseStored(text: string): Cidr {
  const cidr = findCidr(text);
  if (cidr === undefined) throw inconsistent(`"${text}" is no CIDR`);
  return cidr;
}

/** The error for pools without a free address, or without the one that is wanted, with the counts. */
export function exhausted(tx: IpamTransaction, specs: readonly PoolSpec[], wanted?: string): PluginError {
  const counts = specs.map(({ id }) => tx.countAddresses(id));
  const sum = (state: AddressState): number => counts.reduce((total, count) => total + count[state], 0);
  const ranges = specs.map(({ cidr }) => formatCidr(cidr)).join(", ");
  const what =
    wanted === undefined ? `no free address in ${ranges}` : `the address ${wanted} that the pod asks for rests after its release`;
  const message = `${what}: ${sum("assigned")} assigned, ${sum("cooling")} resting after release, ${sum("quarantined")} quarantined`;
  const field = specs[0]?.field ?? "ipam.cidr";
  const remedy = `try again after ${Math.ceil((specs[0]?.cooldownMs ?? 0) / 1000)} s, or give ${field} a larger range`;
  return new PluginError("ADDRESS_EXHAUSTED", { message, remedy, field }, { retryable: true });
}

function inconsistent(what: string): PluginError {
  return new PluginError("STATE_DAMAGED", {
    message: `the address tables disagree: ${what}`,
    remedy: "move state.db aside; it is rebuilt from HNS",
  });
}
