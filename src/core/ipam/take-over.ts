import { containsIp, findIp, formatIp } from "../base/ip.ts";
import type { PoolSpec } from "./allocator.ts";
import { isReserved } from "./blocks.ts";
import { adoptAddress, CONFLICT_OWNER } from "./import.ts";
import type { AddressRecord, IpamTransaction } from "./store.ts";

/** An address that somebody else gave out. Without an owner it is kept from everybody. */
export interface Takeover {
  readonly address: string;
  readonly owner: string | undefined;
}

/**
 * taken: it is held here from now on · known: it was already · outside, reserved: not an address that this pool gives to pods ·
 * conflict: another owner has it here.
 */
export type TakeoverOutcome = "taken" | "known" | "outside" | "reserved" | "conflict";

/** Records one address as held. Changes nothing unless the outcome is "taken". */
export function takeOver(tx: IpamTransaction, spec: PoolSpec, { address, owner }: Takeover): TakeoverOutcome {
  const ip = findIp(address);
  if (ip === undefined || !containsIp(spec.cidr, ip)) return "outside";
  const text = formatIp(ip);
  if (isReserved(spec, text)) return "reserved";
  const wanted = { owner: owner ?? CONFLICT_OWNER, state: owner === undefined ? "quarantined" : "assigned" } as const;
  const existing = tx.findAddress(spec.id, text);
  if (existing !== undefined && existing.state !== "free") return compare(existing, wanted.owner);
  adoptAddress(tx, spec, ip, wanted);
  // A block of an earlier size may lie across the place.
  return tx.findAddress(spec.id, text)?.owner === wanted.owner ? "taken" : "outside";
}

function compare({ owner, state }: AddressRecord, wanted: string): TakeoverOutcome {
  return owner === wanted && state !== "cooling" ? "known" : "conflict";
}
