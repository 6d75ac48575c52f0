import { PluginError } from "../base/errors.ts";
import {
  carvableSize,
  type Cidr,
  cidrSize,
  containsIp,
  findCidr,
  formatCidr,
  type IpAddress,
  networkOf,
  offsetIn,
  overlaps,
  width,
} from "../base/ip.ts";
import type { PoolSpec } from "./pool.ts";
import { carveBlock, skipReserved, usableIn } from "./blocks.ts";
import type { BlockRecord, IpamTransaction } from "./store.ts";

/** A block with its CIDR parsed. */
export interface FoundBlock {
  readonly cidr: Cidr;
  readonly record: BlockRecord;
}

/**
 * Addresses of a range up to which its blocks are carved one after the other, so that those carved lie in one piece. In a larger range the
 * block of an address that is asked for is carved where it lies, and carving goes around it.
 */
const IN_ONE_PIECE = 65_536;

/** Whether blocks may lie beyond what the pool says is carved. */
export function isSparse(cidr: Cidr): boolean {
  return cidrSize(cidr) > IN_ONE_PIECE;
}

/** The carved block that has `address`. Blocks of the configured size are looked up at once, those of an earlier size one by one. */
export function findBlockRecord(tx: IpamTransaction, spec: PoolSpec, address: IpAddress): FoundBlock | undefined {
  const usual = Math.max(spec.blockPrefix, spec.cidr.prefix);
  const found = findBlockOf(tx, spec, networkOf(address, usual));
  if (found !== undefined) return found;
  for (let prefix = spec.cidr.prefix; prefix <= width(address.family); prefix++) {
    const other = prefix === usual ? undefined : findBlockOf(tx, spec, networkOf(address, prefix));
    if (other !== undefined) return other;
  }
  return undefined;
}

function findBlockOf(tx: IpamTransaction, spec: PoolSpec, cidr: Cidr): FoundBlock | undefined {
  const record = tx.findBlock(spec.id, formatCidr(cidr));
  return record === undefined ? undefined : { cidr, record };
}

/** Carves the next block of the pool's CIDR; undefined when the CIDR is used up. */
export function carveNext(tx: IpamTransaction, spec: PoolSpec): FoundBlock | undefined {
  const stored = tx.findPool(spec.id);
  const carved = carveUsable(tx, spec, stored?.carved ?? 0);
  if (carved === undefined) return undefined;
  const pool = { id: spec.id, cidr: formatCidr(spec.cidr), carved: carved.carved, version: (stored?.version ?? 0) + 1 };
  if (!tx.swapPool(pool, stored?.version)) throw lostRace(`pool ${spec.id}`);
  return putBlock(tx, spec, carved.block);
}

/** The block that has `address`, carved when it is not there yet; undefined when a block of another size is in the way. */
export function findOrCarve(tx: IpamTransaction, spec: PoolSpec, address: IpAddress): FoundBlock | undefined {
  for (;;) {
    const found = findBlockRecord(tx, spec, address);
    if (found !== undefined) return found;
    if (isSparse(spec.cidr)) return carveAt(tx, spec, address);
    const carved = carveNext(tx, spec);
    if (carved === undefined) return undefined;
    if (containsIp(carved.cidr, address)) return carved;
  }
}

function carveAt(tx: IpamTransaction, spec: PoolSpec, address: IpAddress): FoundBlock | undefined {
  const block = networkOf(address, Math.max(spec.blockPrefix, spec.cidr.prefix));
  const isFree = (offsetIn(spec.cidr, address) ?? Infinity) < carvableSize(spec.cidr) && findOverlap(tx, spec, block) === undefined;
  if (!isFree) return undefined;
  if (tx.findPool(spec.id) === undefined) {
    const pool = { id: spec.id, cidr: formatCidr(spec.cidr), carved: 0, version: 1 };
    if (!tx.swapPool(pool, undefined)) throw lostRace(`pool ${spec.id}`);
  }
  return putBlock(tx, spec, block);
}

function putBlock(tx: IpamTransaction, spec: PoolSpec, cidr: Cidr): FoundBlock {
  const record = { pool: spec.id, cidr: formatCidr(cidr), usable: usableIn(spec, cidr), held: 0, next: 0, version: 1 };
  if (!tx.swapBlock(record, undefined))
    throw tx.findBlock(spec.id, record.cidr) === undefined ? lostRace(`block ${record.cidr}`) : forgotten(record);
  return { cidr, record };
}

function findOverlap(tx: IpamTransaction, spec: PoolSpec, block: Cidr): Cidr | undefined {
  const blocks = tx.listBlocks(spec.id).map(({ cidr }) => findCidr(cidr));
  return blocks.find((other) => other !== undefined && overlaps(other, block));
}

/** The next block that is not there yet and has at least one address to give. */
function carveUsable(tx: IpamTransaction, spec: PoolSpec, from: number): { block: Cidr; carved: number } | undefined {
  let start = from;
  for (;;) {
    const carved = carveBlock(spec, spec.blockPrefix, start);
    if (carved === undefined) return undefined;
    const taken = isSparse(spec.cidr) ? findOverlap(tx, spec, carved.block) : undefined;
    if (taken === undefined && usableIn(spec, carved.block) > 0) return carved;
    start = taken === undefined ? skipTo(spec, carved) : (offsetIn(spec.cidr, taken.address) ?? 0) + cidrSize(taken);
  }
}

/** Past a block without an address to give, to the block that has the next one: what is reserved may be almost all of an IPv6 range. */
function skipTo(spec: PoolSpec, { block, carved }: { block: Cidr; carved: number }): number {
  const size = cidrSize(block);
  return Math.max(carved, Math.floor(skipReserved(spec, carved - 1) / size) * size);
}

/** The pool's row is gone or damaged: it has carved a block that it says it has not, and would be in its way for ever. */
function forgotten({ cidr, pool }: BlockRecord): PluginError {
  const message = `the address tables disagree: block ${cidr} is there, and pool ${pool} has not carved it`;
  return new PluginError("STATE_DAMAGED", { message, remedy: "move state.db aside; it is rebuilt from HNS" });
}

/** The error of a compare-and-swap that another writer won. */
export function lostRace(what: string): PluginError {
  return new PluginError("STATE_FAILURE", { message: `${what} was changed by another writer`, remedy: "try again" }, { retryable: true });
}
