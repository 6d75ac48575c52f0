import type { Clock } from "../base/async.ts";
import { formatCidr } from "../base/ip.ts";
import { freeRested } from "./allocator.ts";
import type { PoolSpec } from "./pool.ts";
import type { AddressSet } from "./assign.ts";
import { carveBlock, usableIn } from "./blocks.ts";
import type { IpamTransaction } from "./store.ts";

/** Blocks looked at that are still to be carved; where more of them have nothing to give, what they have does not count. */
const CARVE_LIMIT = 1_000;

/** Whether the set has an address to give beside one for each of `waiting` others. An address that is asked for is never to spare. */
export function hasSpare(tx: IpamTransaction, clock: Clock, { pools, wanted }: AddressSet, waiting: number): boolean {
  if (wanted !== undefined) return false;
  let spare = 0;
  for (const spec of pools) {
    freeRested(tx, clock, spec);
    spare += countFree(tx, spec, waiting + 1 - spare);
    if (spare > waiting) return true;
  }
  return false;
}

/** How many addresses of the pool are free, those of blocks to come included; counted no further than `enough`. */
function countFree(tx: IpamTransaction, spec: PoolSpec, enough: number): number {
  let free = tx.listRoomiest(spec.id, enough).reduce((sum, { usable, held }) => sum + usable - held, 0);
  let carved = tx.findPool(spec.id)?.carved ?? 0;
  for (let looked = 0; free < enough && looked < CARVE_LIMIT; looked++) {
    const next = carveBlock(spec, spec.blockPrefix, carved);
    if (next === undefined) break;
    carved = next.carved;
    // In a large range a block may have been carved out of turn.
    if (tx.findBlock(spec.id, formatCidr(next.block)) === undefined) free += usableIn(spec, next.block);
  }
  return free;
}
