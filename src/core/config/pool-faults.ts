import { cidrSize, findCidr, findIp, formatCidr, offsetIn, overlaps } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { findCidrFault } from "./cidr-fault.ts";
import { buildFault, type Fault } from "./faults.ts";
import {
  describeRanges,
  isBlockSizeFor,
  listPoolGroups,
  parseRanges,
  POOL_KEYS,
  type PoolGroup,
  type PoolRange,
  SPELLINGS,
  type WrittenRange,
} from "./pool-groups.ts";
import { findKeptBackFaults } from "./pool-settings.ts";

/** Windows needs four addresses of an IPv4 range: network, gateway, host endpoint and broadcast. Of an IPv6 range it needs the first three. */
export const MAX_BLOCK_PREFIX = 29;
export const MAX_BLOCK_PREFIX_6 = 126;

/** Networks whose addresses no interface of a pod can have. Source: the registries of special addresses (RFC 6890). */
const NOT_FOR_PODS: Readonly<Record<string, string>> = {
  "0.0.0.0/8": "this host",
  "127.0.0.0/8": "loopback",
  "224.0.0.0/4": "multicast",
  "240.0.0.0/4": "reserved",
  "::/96": "loopback and unspecified",
  "::ffff:0.0.0.0/96": "IPv4 written as IPv6",
  "ff00::/8": "multicast",
};

/** Blocks have at most 65536 addresses, where the range does not rule it out anyway. */
const MIN_BLOCK_PREFIX_6 = 112;

/** Faults of the pools in an ipam section that a schema cannot tell. */
export function findPoolFaults(ipam: JsonObject, services: readonly WrittenRange[]): Fault[] {
  const written = SPELLINGS.filter((key) => ipam[key] !== undefined);
  const [first, second] = written;
  if (ipam["type"] === undefined && first === undefined) return []; // whose section it is comes first, and the schema says so
  if (first === undefined) return [{ path: "ipam.cidr", problem: "is missing", remedy: buildFault("ipam.cidr", undefined, "").remedy }];
  if (second !== undefined) {
    return [buildFault(`ipam.${second}`, ipam[second], `stands beside ipam.${first}`, "keep one of cidr, cidrs and pools")];
  }
  const groups = listPoolGroups(ipam);
  const rangeFaults = groups.flatMap(({ ranges }) => ranges.flatMap((range) => findRangeFault(range) ?? []));
  const misplaced = first === "pools" ? POOL_KEYS.filter((key) => ipam[key] !== undefined) : [];
  const sound = groups
    .map(parseRanges)
    .map((group) => ({ ...group, ranges: group.ranges.filter(({ cidr }) => cidr.prefix <= maxPrefix(cidr)) }));
  return [
    ...rangeFaults,
    ...misplaced.map((key) => buildFault(`ipam.${key}`, ipam[key], "is beside ipam.pools", "write it into the pools that it is for")),
    ...sound.flatMap((group) => (group.ranges.length === 0 ? [] : findGroupFaults(group))),
    ...findOverlaps(sound.flatMap(({ ranges }) => ranges)),
    ...sound.flatMap(({ ranges }) => ranges.flatMap((range) => findServiceFaults(range, services))),
  ];
}

/** The fault of ranges without IPv4 among them. For a network that this plugin makes. */
export function findIpv6Alone(ipam: unknown): Fault[] {
  const ranges = isJsonObject(ipam) ? listPoolGroups(ipam).flatMap((group) => parseRanges(group).ranges) : [];
  const [first] = ranges;
  if (first === undefined || ranges.some(({ cidr }) => cidr.address.family === 4)) return [];
  const remedy = 'add an IPv4 network: "cidrs": ["10.244.3.0/24", "fd00:10:244:3::/64"]';
  return [buildFault(first.path, first.text, "is an IPv6 network, and Windows has no pods with IPv6 alone", remedy)];
}

function findGroupFaults(group: PoolGroup): Fault[] {
  return [...findBlockFaults(group), ...findGatewayFaults(group), ...findKeptBackFaults(group)];
}

function findRangeFault({ text, path }: WrittenRange): Fault | undefined {
  if (text.includes(",")) return buildFault(path, text, "names several ranges", "write several ranges as a list, ipam.cidrs");
  const fault = findCidrFault(text, path);
  const cidr = findCidr(text);
  if (fault !== undefined || cidr === undefined) return fault;
  const special = Object.entries(NOT_FOR_PODS).find(([network]) => overlaps(cidr, findCidr(network) ?? cidr));
  if (special !== undefined) return buildFault(path, text, `holds addresses of ${special[0]}: ${special[1]}`, "use a network for hosts");
  if (cidr.prefix <= maxPrefix(cidr)) return undefined;
  const kept = cidr.address.family === 4 ? 4 : 3;
  const remedy = `use a prefix length of at most ${maxPrefix(cidr)}`;
  return buildFault(path, text, `has ${cidrSize(cidr)} addresses, and Windows keeps ${kept} of a range for itself`, remedy);
}

function maxPrefix({ address }: PoolRange["cidr"]): number {
  return address.family === 4 ? MAX_BLOCK_PREFIX : MAX_BLOCK_PREFIX_6;
}

function findBlockFaults({ keys, base, ranges }: PoolGroup): Fault[] {
  const size = keys["blockSize"];
  if (typeof size !== "number" || !Number.isInteger(size)) return [];
  const path = `${base}.blockSize`;
  const meant = ranges.filter(({ cidr }) => isBlockSizeFor(size, cidr));
  if (meant.length === 0) return [buildFault(path, size, `is no prefix length for blocks of ${describeRanges(ranges)}`)];
  for (const range of meant) {
    const [least, most] = [leastBlockPrefix(range), maxPrefix(range.cidr)];
    const remedy = `write a prefix length from ${least} to ${most}, or leave it out`;
    if (size < range.cidr.prefix) return [buildFault(path, size, `a block would be larger than ${describeRanges([range])}`, remedy)];
    if (size < least) return [buildFault(path, size, "a block would have more than 65536 addresses", remedy)];
    const kept = range.cidr.address.family === 4 ? 4 : 3;
    if (size > most)
      return [buildFault(path, size, `a block would have no address beside the ${kept} that Windows keeps for itself`, remedy)];
  }
  return [];
}

function leastBlockPrefix({ cidr }: PoolRange): number {
  return cidr.address.family === 4 ? cidr.prefix : Math.max(cidr.prefix, MIN_BLOCK_PREFIX_6);
}

function findGatewayFaults({ keys, base, ranges }: PoolGroup): Fault[] {
  const text = keys["gateway"];
  if (typeof text !== "string") return [];
  const path = `${base}.gateway`;
  const gateway = findIp(text);
  if (gateway === undefined) return [buildFault(path, text, "is no IP address")];
  const isUsable = ranges.some(({ cidr }) => {
    const offset = offsetIn(cidr, gateway);
    return offset !== undefined && offset !== 0 && (cidr.address.family === 6 || offset !== cidrSize(cidr) - 1);
  });
  return isUsable ? [] : [buildFault(path, text, `is no usable address of ${describeRanges(ranges)}`)];
}

function findOverlaps(ranges: readonly PoolRange[]): Fault[] {
  return ranges.flatMap((later, at) => {
    const earlier = ranges.slice(0, at).find(({ cidr }) => overlaps(cidr, later.cidr));
    if (earlier === undefined) return [];
    return [buildFault(later.path, later.text, `overlaps ${describeRanges([earlier])}`, "give each pool a range of its own")];
  });
}

/** Pods and services in one range cannot be told apart, and the node would balance traffic meant for a pod. */
function findServiceFaults({ path, cidr }: PoolRange, services: readonly WrittenRange[]): Fault[] {
  return services.flatMap((service) => {
    const other = findCidr(service.text);
    if (other === undefined || !overlaps(cidr, other)) return [];
    return [buildFault(service.path, service.text, `overlaps ${path} ${formatCidr(cidr)}`, "keep pod and service ranges apart")];
  });
}
