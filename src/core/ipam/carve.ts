import { PluginError } from "../base/errors.ts";
import { type Cidr, formatCidr, type IpAddress, networkOf, width } from "../base/ip.ts";
import type { PoolSpec } from "./allocator.ts";
import { carveBlock, usableIn } from "./blocks.ts";
import type { BlockRecord, IpamTransaction } from "./store.ts";

/** A block with its CIDR parsed. */
export interface FoundBlock {
  readonly cidr: Cidr;
  readonly record: BlockRecord;
}

/** The carved block that has `address`. Blocks of the configured size are looked up at once, those of an earlier size one by one. */
export function findBlockRecord(tx: IpamTransaction, spec: PoolSpec, address: IpAddress): FoundBlock | undefined {
  for (let prefix = spec.cidr.prefix; prefix <= width(address.family); prefix++) {
    const cidr = networkOf(address, prefix);
    const record = tx.findBlock(spec.id, formatCidr(cidr));
    if (record !== undefined) return { cidr, record };
  }
  return undefined;
}

/** Carves the next block of the pool's CIDR; undefined when the CIDR is used up. */
export function carveNext(tx: IpamTransaction, spec: PoolSpec): FoundBlock | undefined {
  const stored = tx.findPool(spec.id);
  const carved = carveUsable(spec, stored?.carved ?? 0);
  if (carved === undefined) return undefined;
  const pool = { id: spec.id, cidr: formatCidr(spec.cidr), carved: carved.carved, version: (stored?.version ?? 0) + 1 };
  if (!tx.swapPool(pool, stored?.version)) throw lostRace(`pool ${spec.id}`);
  const usable = usableIn(spec, carved.block);
  const block = { pool: spec.id, cidr: formatCidr(carved.block), usable, held: 0, next: 0, version: 1 };
  if (!tx.swapBlock(block, undefined)) throw lostRace(`block ${block.cidr}`);
  return { cidr: carved.block, record: block };
}

/** The next block that has at least one address to give. */
function carveUsable(spec: PoolSpec, from: number): { block: Cidr; carved: number } | undefined {
  let carved = carveBlock(spec, spec.blockPrefix, from);
  while (carved !== undefined && usableIn(spec, carved.block) <= 0) carved = carveBlock(spec, spec.blockPrefix, carved.carved);
  return carved;
}

/** The error of a compare-and-swap that another writer won. */
export function lostRace(what: string): PluginError {
  return new PluginError("STATE_FAILURE", { message: `${what} was changed by another writer`, remedy: "try again" }, { retryable: true });
}
