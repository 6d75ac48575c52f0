import { type Cidr, cidrSize, findOffsets, formatCidr, mergeRanges, type OffsetRange } from "../base/ip.ts";
import type { JsonObject } from "./canonical-keys.ts";
import { buildFault, type Fault } from "./faults.ts";
import type { PoolConfig, WarmConfig } from "./plugin-config.ts";

/** How long blocks must have been superfluous when the configuration does not say. */
const SHRINK_AFTER_SECONDS = 60;

/** What of the ipam section concerns the pool's blocks, once the schema has vouched for it. */
export interface PoolDocument {
  readonly reserved?: readonly string[];
  readonly exclude?: readonly string[];
  readonly windowsReserved?: "subnet" | "block";
  readonly warm?: Partial<Omit<WarmConfig, "shrinkAfterMs">> & { readonly shrinkAfterSeconds?: number };
}

export function buildPoolSettings(cidr: Cidr, ipam: PoolDocument): Pick<PoolConfig, "keptBack" | "isReservedPerBlock"> {
  const keptBack = readRanges(cidr, [...(ipam.reserved ?? []), ...(ipam.exclude ?? [])]);
  return {
    ...(keptBack.length === 0 ? {} : { keptBack }),
    ...(ipam.windowsReserved === "block" ? { isReservedPerBlock: true } : {}),
  };
}

export function buildWarm({ ips = 0, minimum = 0, blocks = 0, max, shrinkAfterSeconds }: NonNullable<PoolDocument["warm"]>): WarmConfig {
  const shrinkAfterMs = (shrinkAfterSeconds ?? SHRINK_AFTER_SECONDS) * 1000;
  return { ips, minimum, blocks, ...(max === undefined ? {} : { max }), shrinkAfterMs };
}

/** Faults of `reserved` and `exclude`, whose entries name a part of `cidr` and must leave some of it. */
export function findKeptBackFaults(ipam: JsonObject, cidr: Cidr): Fault[] {
  const faults: Fault[] = [];
  const texts: string[] = [];
  for (const key of ["reserved", "exclude"]) {
    const list: readonly unknown[] = Array.isArray(ipam[key]) ? ipam[key] : [];
    for (const [index, text] of list.entries()) {
      if (typeof text !== "string") continue;
      const found = findOffsets(cidr, text);
      const path = `ipam.${key}[${index}]`;
      if (found === undefined) faults.push(buildFault(path, text, "is no address, no network in CIDR form and no range first-last"));
      else if (found === "outside") faults.push(buildFault(path, text, `lies outside ipam.cidr ${formatCidr(cidr)}`));
      else texts.push(text);
    }
  }
  if (faults.length > 0 || !isEverything(cidr, readRanges(cidr, texts))) return faults;
  const path = ipam["exclude"] === undefined ? "ipam.reserved" : "ipam.exclude";
  return [buildFault(path, ipam[path.slice("ipam.".length)], `leaves no address of ipam.cidr ${formatCidr(cidr)} for pods`)];
}

function readRanges(cidr: Cidr, texts: readonly string[]): OffsetRange[] {
  return mergeRanges(texts.map((text) => findOffsets(cidr, text)).filter((found) => found !== undefined && found !== "outside"));
}

/** Whether nothing is left beside the ranges and Windows' four addresses. */
function isEverything(cidr: Cidr, ranges: readonly OffsetRange[]): boolean {
  const last = cidrSize(cidr) - 1;
  const all = mergeRanges([...ranges, { first: 0, last: 2 }, { first: last, last }]);
  return all.length === 1;
}
