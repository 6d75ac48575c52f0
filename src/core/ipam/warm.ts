import type { WarmConfig } from "../config/plugin-config.ts";

/** Addresses of a pool that are not free, by why, and how many ADDs wait for one. */
export interface Demand {
  readonly assigned: number;
  readonly waiting: number;
  readonly cooling: number;
  readonly quarantined: number;
  /** Never handed out, and yet part of the blocks. */
  readonly reserved: number;
}

/** What a pool should do about its blocks; `owned` counts addresses, reserved ones included. */
export interface WarmPlan {
  readonly action: "keep" | "grow" | "shrink";
  /** What the pool should own: a multiple of the block size. */
  readonly owned: number;
}

/** What `blocks` means is whole blocks beside those in use; `ips` and `minimum` count addresses. */
type Targets = Pick<WarmConfig, "ips" | "minimum" | "blocks" | "max">;

/**
 * How many addresses the pool needs so that the targets are met. Cooling and quarantined addresses are in nobody's hands and not free
 * either, so they count like assigned ones.
 */
export function neededAddresses(targets: Targets, demand: Demand, blockSize: number): number {
  const { assigned, waiting, cooling, quarantined, reserved } = demand;
  const busy = assigned + waiting + cooling + quarantined + reserved;
  if (targets.blocks > 0) return roundUp(busy, blockSize) + targets.blocks * blockSize;
  return Math.max(busy + targets.ips, targets.minimum + reserved);
}

/**
 * Grows in one step to what is needed, however much that is. Shrinks only when half a block more than is needed would still leave a
 * whole block over: after a grow, demand has to fall by more than half a block first, and after a shrink to rise by as much.
 * The caller lets a shrink wait until it has been due for `shrinkAfterMs`.
 */
export function planBlocks(targets: Targets, pool: { need: number; owned: number; blockSize: number }): WarmPlan {
  const { need, owned, blockSize } = pool;
  const cap = targets.max === undefined ? Infinity : Math.floor(targets.max / blockSize) * blockSize;
  const wanted = Math.min(roundUp(need, blockSize), cap);
  if (wanted > owned) return { action: "grow", owned: wanted };
  const enough = roundUp(need + blockSize / 2, blockSize);
  return enough <= owned - blockSize ? { action: "shrink", owned: enough } : { action: "keep", owned };
}

function roundUp(count: number, blockSize: number): number {
  return Math.ceil(count / blockSize) * blockSize;
}
