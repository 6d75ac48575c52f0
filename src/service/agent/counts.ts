import type { StateTransaction } from "../../core/engine/store.ts";
import type { AddressCounts } from "../../core/ipam/store.ts";

/** Addresses of each pool by state. */
export function countAddresses(tx: StateTransaction): Map<string, AddressCounts> {
  return new Map(tx.listPools().map(({ id }) => [id, tx.countAddresses(id)]));
}

/** Attachments by phase, over all networks. */
export function countAttachments(tx: StateTransaction): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { phase } of tx.listAttachments({})) counts.set(phase, (counts.get(phase) ?? 0) + 1);
  return counts;
}
