import { compareIp, findIp } from "../base/ip.ts";
import { CONFLICT_OWNER } from "./allocator.ts";
import type { IpamTransaction } from "./store.ts";

/** An address that HNS refused as in use, and nobody gets until it is found free. */
export interface Conflict {
  readonly address: string;
  /** When it was refused last, milliseconds since 1970 by the wall clock. */
  readonly since: number;
}

/**
 * The conflicts of a pool that are not settled, lowest address first. What an import keeps from everybody was never refused and is no
 * conflict. The cost grows with the conflicts alone.
 */
export function listConflicts(tx: IpamTransaction, pool: string): Conflict[] {
  const found = tx.listOwned(CONFLICT_OWNER).flatMap(({ pool: of, address, state, released }) => {
    const ip = findIp(address);
    const isConflict = of === pool && state === "quarantined" && released !== undefined && ip !== undefined;
    return isConflict ? [{ address, since: released.wallMs, ip }] : [];
  });
  return found.sort((left, right) => compareIp(left.ip, right.ip)).map(({ address, since }) => ({ address, since }));
}
