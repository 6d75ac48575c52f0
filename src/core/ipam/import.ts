import { addressAt, cidrSize, containsIp, formatCidr, formatIp, type IpAddress, offsetIn } from "../base/ip.ts";
import { updateBlock } from "./allocator.ts";
import type { PoolSpec } from "./pool.ts";
import { isReserved, nextUsable } from "./blocks.ts";
import { findOrCarve } from "./carve.ts";
import type { AddressState, Holder, IpamTransaction } from "./store.ts";

export { CONFLICT_OWNER } from "./allocator.ts";

/**
 * Records that `address` is held, as found in HNS. Blocks are carved up to the one that has it, and addresses that the block's
 * cursor passes over become free ones. An address outside the pool, reserved in it, or already recorded is left as it is.
 */
export function adoptAddress(
  tx: IpamTransaction,
  spec: PoolSpec,
  address: IpAddress,
  held: { owner: string; state: AddressState; holder?: Holder },
): void {
  if (!containsIp(spec.cidr, address) || isReserved(spec, formatIp(address))) return;
  const existing = tx.findAddress(spec.id, formatIp(address));
  if (existing !== undefined && existing.state !== "free") return;
  const found = findOrCarve(tx, spec, address);
  if (found === undefined) return;
  const { cidr, record } = found;
  const target = offsetIn(cidr, address) ?? 0;
  let next = nextUsable(spec, cidr, record.next);
  for (; next < target; next = nextUsable(spec, cidr, next + 1)) {
    tx.putAddress({
      pool: spec.id,
      address: formatIp(addressAt(cidr, next)),
      block: formatCidr(cidr),
      state: "free",
      owner: "",
      released: undefined,
    });
  }
  tx.putAddress({ pool: spec.id, address: formatIp(address), block: formatCidr(cidr), ...held, released: existing?.released });
  const cursor = Math.min(Math.max(record.next, target + 1), cidrSize(cidr));
  updateBlock(tx, record, { held: record.held + 1, next: cursor });
}
