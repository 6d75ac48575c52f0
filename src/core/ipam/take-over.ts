import { containsIp, findIp, formatIp } from "../base/ip.ts";
import type { PoolSpec } from "./pool.ts";
import { isReserved } from "./blocks.ts";
import { adoptAddress, CONFLICT_OWNER } from "./import.ts";
import type { AddressRecord, Holder, IpamTransaction } from "./store.ts";

/** An address that somebody else gave out. Without an owner it is kept from everybody. */
export interface Takeover {
  readonly address: string;
  readonly owner: string | undefined;
  /** What is known of the owner. */
  readonly holder?: Holder;
}

/**
 * taken: it is held here from now on · known: it was already · outside, reserved: not an address that this pool gives to pods ·
 * conflict: another owner has it here.
 */
export type TakeoverOutcome = "taken" | "known" | "outside" | "reserved" | "conflict";

/** Records one address as held. Changes nothing unless the outcome is "taken". */
export function takeOver(tx: IpamTransaction, spec: PoolSpec, takeover: Takeover): TakeoverOutcome {
  const ip = findIp(takeover.address);
  if (ip === undefined || !containsIp(spec.cidr, ip)) return "outside";
  const text = formatIp(ip);
  if (isReserved(spec, text)) return "reserved";
  const wanted = describe(takeover);
  const existing = tx.findAddress(spec.id, text);
  if (existing !== undefined && existing.state !== "free") return compare(existing, wanted.owner);
  adoptAddress(tx, spec, ip, wanted);
  // A block of an earlier size may lie across the place.
  return tx.findAddress(spec.id, text)?.owner === wanted.owner ? "taken" : "outside";
}

function describe({ owner, holder }: Takeover): { owner: string; state: "quarantined" | "assigned"; holder?: Holder } {
  if (owner === undefined) return { owner: CONFLICT_OWNER, state: "quarantined" };
  return { owner, state: "assigned", ...(holder !== undefined && { holder }) };
}

function compare({ owner, state }: AddressRecord, wanted: string): TakeoverOutcome {
  return owner === wanted && state !== "cooling" ? "known" : "conflict";
}
