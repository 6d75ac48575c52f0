import { type Cidr, cidrSize, findCidr, findIp, offsetIn } from "../base/ip.ts";
import { reservedOffsets, type Subnet, windowsOffsets } from "./blocks.ts";
import type { AddressRecord, AddressState, BlockRecord } from "./store.ts";

export type CellState = AddressState | "reserved";

/** One character an address. */
export const CELLS: Readonly<Record<CellState, string>> = { free: ".", assigned: "#", cooling: "~", quarantined: "!", reserved: "-" };

export interface BlockView {
  readonly cidr: string;
  /** One character an address, as in CELLS. */
  readonly map: string;
  readonly counts: Readonly<Record<CellState, number>>;
}

/**
 * What a block looks like: its addresses one by one, and how many are in which state. The tables do not tell which of the addresses that
 * were never handed out are reserved; `subnet` does, or else the number of them, from which Windows' own are told. Counts are exact.
 */
export function viewBlock(block: BlockRecord, addresses: readonly AddressRecord[], subnet: Subnet | undefined): BlockView | undefined {
  const cidr = findCidr(block.cidr);
  if (cidr === undefined) return undefined;
  const size = cidrSize(cidr);
  const states = new Map<number, AddressState>();
  for (const { address, state } of addresses) {
    const ip = findIp(address);
    const offset = ip === undefined ? undefined : offsetIn(cidr, ip);
    if (offset !== undefined) states.set(offset, state);
  }
  const reserved = subnet === undefined ? guessReserved(block, states, cidr) : reservedOffsets(subnet, cidr);
  const counts = { free: 0, assigned: 0, cooling: 0, quarantined: 0, reserved: 0 };
  let map = "";
  for (let offset = 0; offset < size; offset++) {
    const state: CellState = states.get(offset) ?? (reserved.has(offset) ? "reserved" : "free");
    counts[state] += 1;
    map += CELLS[state];
  }
  const usable = Math.max(0, block.usable - counts.assigned - counts.cooling - counts.quarantined);
  return { cidr: block.cidr, map, counts: { ...counts, free: usable, reserved: size - block.usable } };
}

/** Below the cursor, what has no record is reserved. Beyond it: the ends of the block, as far as their number says that they are. */
function guessReserved(block: BlockRecord, states: ReadonlyMap<number, AddressState>, cidr: Cidr): Set<number> {
  const size = cidrSize(cidr);
  const reserved = new Set<number>();
  for (let offset = 0; offset < block.next; offset++) if (!states.has(offset)) reserved.add(offset);
  const order = size - block.usable >= 3 ? windowsOffsets(cidr) : [size - 1];
  for (const offset of order) if (reserved.size < size - block.usable && !states.has(offset)) reserved.add(offset);
  return reserved;
}
