import { type Cidr, findCidr, formatCidr, width } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";

/** The three ways to write the pools; exactly one is to be used. */
export const SPELLINGS = ["cidr", "cidrs", "pools"] as const;

/** Keys that with `pools` belong into each entry. */
export const POOL_KEYS = ["blockSize", "reserved", "exclude", "windowsReserved", "gateway"] as const;

/** A range as it was written, and where. */
export interface WrittenRange {
  readonly path: string;
  readonly text: string;
}

export interface PoolRange extends WrittenRange {
  readonly cidr: Cidr;
}

/** Ranges that share settings: one range, or all of `cidrs`. */
export interface PoolGroup<R extends WrittenRange = PoolRange> {
  /** The object that has the settings, and its path. */
  readonly keys: JsonObject;
  readonly base: string;
  readonly ranges: readonly R[];
}

/** The pools of an ipam section, whichever way they are written. What has a wrong type is passed over. */
export function listPoolGroups(ipam: JsonObject): PoolGroup<WrittenRange>[] {
  const { cidr, cidrs, pools } = ipam;
  if (typeof cidr === "string") return [{ keys: ipam, base: "ipam", ranges: [{ path: "ipam.cidr", text: cidr }] }];
  if (Array.isArray(cidrs)) {
    const ranges = cidrs.flatMap((text: unknown, at) => (typeof text === "string" ? [{ path: `ipam.cidrs[${at}]`, text }] : []));
    return [{ keys: ipam, base: "ipam", ranges }];
  }
  const list: readonly unknown[] = Array.isArray(pools) ? pools : [];
  return list.flatMap((pool, at) => {
    if (!isJsonObject(pool) || typeof pool["cidr"] !== "string") return [];
    return [{ keys: pool, base: `ipam.pools[${at}]`, ranges: [{ path: `ipam.pools[${at}].cidr`, text: pool["cidr"] }] }];
  });
}

/** The group with those of its ranges that are networks. */
export function parseRanges({ keys, base, ranges }: PoolGroup<WrittenRange>): PoolGroup {
  return {
    keys,
    base,
    ranges: ranges.flatMap((range) => {
      const cidr = findCidr(range.text);
      return cidr === undefined ? [] : [{ ...range, cidr }];
    }),
  };
}

/** For messages: where each range is written, and what it is. */
export function describeRanges(ranges: readonly PoolRange[]): string {
  return ranges.map(({ path, cidr }) => `${path} ${formatCidr(cidr)}`).join(" and ");
}

/** Whether a block size is for ranges of this family: up to 32 for IPv4. */
export function isBlockSizeFor(size: number, { address }: Cidr): boolean {
  return size <= width(4) === (address.family === 4);
}
