import {
  addressAt,
  carvableSize,
  type Cidr,
  findAddressWithPrefix,
  findCidr,
  findIp,
  formatCidr,
  formatIp,
  type IpAddress,
  networkOf,
  offsetIn,
} from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { buildFault, type Fault } from "./faults.ts";
import { findSetFaults, type HostLocalRange, type HostLocalSet } from "./host-local-sets.ts";

/** The keys of one range, in the spelling of host-local's documentation. */
export const RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway"] as const;

/** A subnet of more prefix bits has no address left beside network, gateway and broadcast. */
const MAX_PREFIX = { 4: 30, 6: 126 } as const;

const SETS_REMEDY = 'write a list of lists of ranges, such as [[{"subnet": "10.244.3.0/24"}]]';
const SUBNET_REMEDY = 'write one network, such as "10.244.3.0/24"';

/**
 * The sets of ranges that host-local's keys name, in host-local's order: those of the runtime (`runtimeConfig.ipRanges`), `subnet` with its
 * fellows, then `ranges`. `ipam` has its keys in canonical case. What is wrong goes into `faults`. Defaults are host-local's: gateway and
 * start .1, end the last before broadcast, with IPv6 the last.
 */
export function readHostLocal(ipam: JsonObject, ipRanges: unknown, faults: Fault[]): HostLocalSet[] {
  const before = faults.length;
  const places = [
    ...findRanges(ipRanges, "runtimeConfig.ipRanges", faults),
    ...(hasOldStyle(ipam) ? [[{ raw: ipam, path: "ipam" }]] : []),
    ...findRanges(ipam["ranges"], "ipam.ranges", faults),
  ];
  const sets = places.map((set) => set.map(({ raw, path }) => readRange(raw, path, faults)).filter((range) => range !== undefined));
  if (faults.length === before) faults.push(...findSetFaults(sets));
  return sets;
}

/** Whether host-local's keys are used at all. */
export function usesHostLocal(ipam: JsonObject, ipRanges: unknown): boolean {
  return hasOldStyle(ipam) || ipam["ranges"] !== undefined || (Array.isArray(ipRanges) && ipRanges.length > 0);
}

function hasOldStyle(ipam: JsonObject): boolean {
  return ["subnet", "rangeStart", "rangeEnd"].some((key) => ipam[key] !== undefined);
}

interface RangePlace {
  readonly raw: JsonObject;
  readonly path: string;
}

function findRanges(sets: unknown, path: string, faults: Fault[]): RangePlace[][] {
  if (sets === undefined || sets === null) return [];
  if (!Array.isArray(sets)) {
    faults.push(buildFault(path, sets, "must be a list", SETS_REMEDY));
    return [];
  }
  return sets.flatMap((set: unknown, at) => {
    const list: readonly unknown[] = Array.isArray(set) ? set : [];
    if (list.length > 0 && list.every(isJsonObject)) {
      return [list.map((raw, index) => ({ raw: withCanonicalKeys(raw), path: `${path}[${at}][${index}]` }))];
    }
    faults.push(buildFault(`${path}[${at}]`, set, "must be a list of ranges that is not empty", SETS_REMEDY));
    return [];
  });
}

function withCanonicalKeys(raw: JsonObject): JsonObject {
  const entries = Object.entries(raw).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [RANGE_KEYS.find((known) => known.toLowerCase() === key.toLowerCase()) ?? key, value]),
  );
}

function readRange(raw: JsonObject, path: string, faults: Fault[]): HostLocalRange | undefined {
  const cidr = readSubnet(raw["subnet"], `${path}.subnet`, faults);
  if (cidr === undefined) return undefined;
  const before = faults.length;
  const end = carvableSize(cidr) - 1;
  const first = readOffset(raw["rangeStart"], { path: `${path}.rangeStart`, cidr, fallback: 1 }, faults);
  const last = readOffset(raw["rangeEnd"], { path: `${path}.rangeEnd`, cidr, fallback: cidr.address.family === 4 ? end - 1 : end }, faults);
  const gateway = readGateway(raw["gateway"], { path: `${path}.gateway`, cidr }, faults);
  if (faults.length > before) return undefined;
  if (first <= last) return { cidr, part: { first, last }, gateway, path };
  const remedy = "write a start that is not above rangeEnd";
  faults.push(buildFault(`${path}.rangeStart`, raw["rangeStart"], "lies behind the end of the range", remedy));
  return undefined;
}

function readSubnet(text: unknown, path: string, faults: Fault[]): Cidr | undefined {
  const fault = findSubnetFault(text, path);
  if (fault !== undefined) faults.push(fault);
  return fault === undefined && typeof text === "string" ? findCidr(text) : undefined;
}

function findSubnetFault(text: unknown, path: string): Fault | undefined {
  if (text === undefined) return { path, problem: "is missing", remedy: SUBNET_REMEDY };
  const parsed = typeof text === "string" ? findAddressWithPrefix(text) : undefined;
  if (parsed === undefined) return buildFault(path, text, "is no network in CIDR form", SUBNET_REMEDY);
  const cidr = networkOf(parsed.address, parsed.prefix);
  if (formatIp(cidr.address) !== formatIp(parsed.address)) {
    return buildFault(path, text, "has host bits set", `write the network address, "${formatCidr(cidr)}"`);
  }
  const most = MAX_PREFIX[parsed.address.family];
  if (parsed.prefix <= most) return undefined;
  return buildFault(path, text, "is too small to take addresses from", `use a prefix length of at most ${most}`);
}

/** The offset of one end of the range. */
function readOffset(text: unknown, end: { path: string; cidr: Cidr; fallback: number }, faults: Fault[]): number {
  if (text === undefined || text === "") return end.fallback;
  const address = typeof text === "string" ? findIp(text) : undefined;
  const offset = address === undefined ? undefined : offsetIn(end.cidr, address);
  if (offset === undefined) {
    faults.push(buildFault(end.path, text, `is no address of ${formatCidr(end.cidr)}`, "write an address of the subnet"));
  } else if (offset >= carvableSize(end.cidr)) {
    const remedy = `write an address up to ${formatIp(addressAt(end.cidr, carvableSize(end.cidr) - 1))}`;
    faults.push(buildFault(end.path, text, "lies beyond the first 2^48 addresses of the subnet, of which addresses are given out", remedy));
  }
  return offset ?? end.fallback;
}

function readGateway(text: unknown, { path, cidr }: { path: string; cidr: Cidr }, faults: Fault[]): IpAddress {
  const usual = addressAt(cidr, 1);
  if (text === undefined || text === "") return usual;
  const gateway = typeof text === "string" ? findIp(text) : undefined;
  if (gateway?.family === cidr.address.family) return gateway;
  faults.push(buildFault(path, text, `is no IPv${cidr.address.family} address`, "write the address of the pods' gateway"));
  return usual;
}
