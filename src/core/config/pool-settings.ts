import { PluginError } from "../base/errors.ts";
import { addressAt, carvableSize, type Cidr, containsIp, findIp, findOffsets, mergeRanges, type OffsetRange } from "../base/ip.ts";
import type { JsonObject } from "../cni/json.ts";
import { buildFault, type Fault } from "./faults.ts";
import type { IpamConfig, PoolConfig, WarmConfig } from "./plugin-config.ts";
import { describeRanges, isBlockSizeFor, listPoolGroups, parseRanges, type PoolGroup, type PoolRange } from "./pool-groups.ts";

/** How long blocks must have been superfluous when the configuration does not say. */
const SHRINK_AFTER_SECONDS = 60;

/** The block size of a range that has room for it. */
const DEFAULT_BLOCK_PREFIX = { 4: 26, 6: 122 } as const;

export type WarmDocument = Partial<Omit<WarmConfig, "shrinkAfterMs">> & { readonly shrinkAfterSeconds?: number };

/** The settings of a group of pools, once the schema has vouched for it. */
interface PoolDocument {
  readonly blockSize?: number;
  readonly reserved?: readonly string[];
  readonly exclude?: readonly string[];
  readonly windowsReserved?: "subnet" | "block";
  readonly gateway?: string;
  readonly namespaces?: readonly string[];
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** The pools of an ipam section without faults, those of IPv4 first: the first one is the network's main range. */
export function buildPools(ipam: JsonObject): IpamConfig["pools"] {
  const pools = listPoolGroups(ipam).flatMap((group) =>
    parseRanges(group).ranges.map((range) => buildPool(range, group.keys as PoolDocument)),
  );
  const [first, ...others] = pools.sort((left, right) => left.cidr.address.family - right.cidr.address.family);
  if (first === undefined) throw new PluginError("INTERNAL", { message: "ipam passed validation and has no pool" });
  return [first, ...others];
}

function buildPool({ cidr, path }: PoolRange, keys: PoolDocument): PoolConfig {
  const { blockSize, gateway = "", namespaces, nodeSelector } = keys;
  const usual = Math.max(DEFAULT_BLOCK_PREFIX[cidr.address.family], cidr.prefix);
  const own = findIp(gateway);
  return {
    cidr,
    blockSize: blockSize !== undefined && isBlockSizeFor(blockSize, cidr) ? blockSize : usual,
    gateway: own !== undefined && containsIp(cidr, own) ? own : addressAt(cidr, 1),
    ...(path === "ipam.cidr" ? {} : { field: path }),
    ...(namespaces === undefined ? {} : { namespaces }),
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...buildKeptBack(cidr, keys),
  };
}

function buildKeptBack(cidr: Cidr, keys: PoolDocument): Pick<PoolConfig, "keptBack" | "isReservedPerBlock"> {
  const keptBack = readRanges(cidr, [...(keys.reserved ?? []), ...(keys.exclude ?? [])]);
  return {
    ...(keptBack.length === 0 ? {} : { keptBack }),
    ...(keys.windowsReserved === "block" ? { isReservedPerBlock: true } : {}),
  };
}

export function buildWarm({ ips = 0, minimum = 0, blocks = 0, max, shrinkAfterSeconds }: WarmDocument): WarmConfig {
  const shrinkAfterMs = (shrinkAfterSeconds ?? SHRINK_AFTER_SECONDS) * 1000;
  return { ips, minimum, blocks, ...(max === undefined ? {} : { max }), shrinkAfterMs };
}

/** Faults of `reserved` and `exclude`, whose entries name a part of the ranges beside them and must leave some of each. */
export function findKeptBackFaults({ keys, base, ranges }: PoolGroup): Fault[] {
  const faults: Fault[] = [];
  const texts: string[] = [];
  for (const key of ["reserved", "exclude"]) {
    const list: readonly unknown[] = Array.isArray(keys[key]) ? keys[key] : [];
    for (const [index, text] of list.entries()) {
      if (typeof text !== "string") continue;
      const found = ranges.map(({ cidr }) => findOffsets(cidr, text));
      const path = `${base}.${key}[${index}]`;
      if (found.includes(undefined)) faults.push(buildFault(path, text, "is no address, no network in CIDR form and no range first-last"));
      else if (found.every((part) => part === "outside")) faults.push(buildFault(path, text, `lies outside ${describeRanges(ranges)}`));
      else texts.push(text);
    }
  }
  const emptied = ranges.find(({ cidr }) => isEverything(cidr, readRanges(cidr, texts)));
  if (faults.length > 0 || emptied === undefined) return faults;
  const key = keys["exclude"] === undefined ? "reserved" : "exclude";
  return [buildFault(`${base}.${key}`, keys[key], `leaves no address of ${describeRanges([emptied])} for pods`)];
}

function readRanges(cidr: Cidr, texts: readonly string[]): OffsetRange[] {
  return mergeRanges(texts.map((text) => findOffsets(cidr, text)).filter((found) => found !== undefined && found !== "outside"));
}

/** Whether nothing is left beside the ranges and Windows' own addresses. */
function isEverything(cidr: Cidr, ranges: readonly OffsetRange[]): boolean {
  const last = carvableSize(cidr) - 1;
  const all = mergeRanges([...ranges, { first: 0, last: 2 }, { first: last, last }]);
  return all.length === 1;
}
