import type { Clock } from "../base/async.ts";
import { addressAt, carvableSize, cidrSize, formatCidr, offsetIn, width } from "../base/ip.ts";
import type { WarmConfig } from "../config/plugin-config.ts";
import type { PoolSpec } from "./pool.ts";
import { reservedBefore } from "./blocks.ts";
import { carveNext, findBlockRecord, lostRace } from "./carve.ts";
import { rebase, stamp } from "./release-time.ts";
import type { IpamTransaction, PoolRecord } from "./store.ts";
import { neededAddresses, planBlocks } from "./warm.ts";

/**
 * Carves blocks ahead up to the pool's warm targets, and gives blocks back from the pool's end once they have been superfluous for
 * `shrinkAfterMs`; a block in which anything is held, cooling included, stays. Does nothing without targets. The work depends on the
 * targets, and not on how many addresses are held.
 */
export function keepWarm(tx: IpamTransaction, clock: Clock, spec: PoolSpec): void {
  const { warm } = spec;
  const pool = tx.findPool(spec.id);
  if (warm === undefined || pool === undefined) return;
  const blockSize = 2 ** (width(spec.cidr.address.family) - Math.max(spec.blockPrefix, spec.cidr.prefix));
  const need = findNeed(tx, { spec, warm, owned: pool.carved, blockSize });
  const plan = planBlocks(warm, { need, owned: pool.carved, blockSize });
  const since = tx.findSurplus(spec.id);
  if (plan.action !== "shrink") {
    if (since !== undefined) tx.putSurplus(spec.id, undefined);
    if (plan.action === "grow") growTo(tx, spec, plan.owned);
    return;
  }
  if (since === undefined) tx.putSurplus(spec.id, stamp(clock));
  if (clock.uptime() - rebase(clock, since).uptimeMs < warm.shrinkAfterMs) return;
  shrinkTo(tx, spec, pool, plan.owned);
  tx.putSurplus(spec.id, undefined);
}

/** What is not free is in use or reserved, so the blocks that have room tell the demand, and few of them tell enough. */
function findNeed(tx: IpamTransaction, pool: { spec: PoolSpec; warm: WarmConfig; owned: number; blockSize: number }): number {
  const { spec, warm, owned, blockSize } = pool;
  const enough = Math.max(warm.ips, warm.blocks * blockSize) + 3 * blockSize;
  const free = tx.listRoomiest(spec.id, enough).reduce((sum, { usable, held }) => sum + usable - held, 0);
  const reserved = warm.minimum > 0 ? reservedBefore(spec, owned) : 0;
  const assigned = Math.max(0, owned - free - reserved); // blocks carved out of order are free beside those owned
  return neededAddresses(warm, { assigned, waiting: 0, cooling: 0, quarantined: 0, reserved }, blockSize);
}

function growTo(tx: IpamTransaction, spec: PoolSpec, owned: number): void {
  const end = Math.min(owned, carvableSize(spec.cidr));
  while ((tx.findPool(spec.id)?.carved ?? 0) < end) {
    if (carveNext(tx, spec) === undefined) return;
  }
}

/** The last block goes first, so that what is carved stays in one piece. */
function shrinkTo(tx: IpamTransaction, spec: PoolSpec, pool: PoolRecord, owned: number): void {
  let current = pool;
  for (;;) {
    const last = current.carved > 0 ? findBlockRecord(tx, spec, addressAt(spec.cidr, current.carved - 1)) : undefined;
    if (last === undefined || last.record.held > 0) return;
    const start = offsetIn(spec.cidr, last.cidr.address) ?? 0;
    if (start < owned || start + cidrSize(last.cidr) !== current.carved) return;
    if (!tx.removeBlock(spec.id, formatCidr(last.cidr), last.record.version)) throw lostRace(`block ${last.record.cidr}`);
    const next = { ...current, carved: start, version: current.version + 1 };
    if (!tx.swapPool(next, current.version)) throw lostRace(`pool ${spec.id}`);
    current = next;
  }
}
