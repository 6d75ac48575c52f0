import type { Clock } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import { findIp } from "../base/ip.ts";
import { type Allocation, CONFLICT_MS, CONFLICT_OWNER, type OwnerRef, restedMs, setFree } from "./allocator.ts";
import type { PoolSpec } from "./pool.ts";
import { adoptAddress } from "./import.ts";
import { type AddressRecord, type IpamTransaction, podKey } from "./store.ts";

/** One address that an owner asks for. It lies in the pool and is not reserved. */
export interface Wish {
  readonly spec: PoolSpec;
  readonly address: string;
  readonly owner: OwnerRef;
}

/** Gives the owner that very address; undefined while it rests. Throws ADDRESS_CONFLICT when it is another's. */
export function takeWanted(tx: IpamTransaction, clock: Clock, { spec, address, owner }: Wish): Allocation | undefined {
  const existing = tx.findAddress(spec.id, address);
  if (existing !== undefined && existing.state !== "free") {
    if (!canBeFreed(clock, spec, existing)) return undefined;
    setFree(tx, existing);
  }
  const before = tx.findAddress(spec.id, address);
  const known = typeof owner === "string" ? { owner } : { owner: owner.id, holder: owner.holder };
  const ip = findIp(address);
  if (ip !== undefined) adoptAddress(tx, spec, ip, { state: "assigned", ...known });
  if (tx.findAddress(spec.id, address)?.owner !== known.owner) throw isOutOfReach(address);
  return { pool: spec.id, address, before, cursor: undefined };
}

/** Whether its rest is over, or HNS refused it long ago. Throws ADDRESS_CONFLICT when somebody has it. */
function canBeFreed(clock: Clock, spec: PoolSpec, record: AddressRecord): boolean {
  if (record.state === "cooling") return restedMs(clock, record) >= spec.cooldownMs;
  if (record.owner === CONFLICT_OWNER && restedMs(clock, record) >= CONFLICT_MS) return true;
  throw isAnothers(record);
}

function isAnothers({ address, owner, holder, state }: AddressRecord): PluginError {
  const who =
    holder === undefined
      ? `the owner ${owner}`
      : holder.pod === undefined
        ? `container ${holder.containerId}`
        : `pod ${podKey(holder.pod)}`;
  const why =
    owner === CONFLICT_OWNER ? "HNS has an endpoint with it" : `${who} has it${state === "quarantined" ? ", as far as is known" : ""}`;
  const message = `the pod asks for the address ${address}, and ${why}`;
  const remedy = "let the pod ask for another one, or remove what has it: hns-cni ipam show -o wide";
  return new PluginError("ADDRESS_CONFLICT", { message, remedy }, { retryable: true });
}

/** Blocks of an earlier size lie across the place, so that none can be carved around the address. */
function isOutOfReach(address: string): PluginError {
  const message = `the pod asks for the address ${address}, around which no block can be carved: one of another size is in the way`;
  return new PluginError("ADDRESS_CONFLICT", { message, remedy: "let the pod ask for another one" });
}
