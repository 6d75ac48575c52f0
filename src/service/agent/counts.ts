import type { StateTransaction } from "../../core/engine/store.ts";
import type { AddressCounts } from "../../core/ipam/store.ts";

/** Addresses of each pool by state. */
export function countAddresses(tx: StateTransaction): Map<string, AddressCounts> {
  return new Map(tx.listPools().map(({ id }) => [id, tx.countAddresses(id)]));
}
