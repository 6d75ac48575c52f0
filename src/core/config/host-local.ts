import {
  addressAt,
  type Cidr,
  cidrSize,
  findAddressWithPrefix,
  findCidr,
  findIp,
  formatCidr,
  type IpAddress,
  networkOf,
  offsetIn,
} from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "./canonical-keys.ts";
import { buildFault, type Fault } from "./faults.ts";

/** The pool that a host-local configuration describes: one IPv4 subnet, and the part of it that may be handed out. */
export interface HostLocalPool {
  readonly cidr: Cidr;
  /** Offsets in `cidr`, both inclusive. */
  readonly first: number;
  readonly last: number;
  /** May lie outside of `cidr`, as host-local allows. */
  readonly gateway: IpAddress;
}

/** The keys of one range, in the spelling of host-local's documentation. */
export const RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway"] as const;

/** A subnet of more prefix bits has no address left beside network, gateway and broadcast. */
const MAX_PREFIX = 30;

const ONE_RANGE = "write one IPv4 range; several ranges and a second address family come with a later version";

/**
 * The pool of host-local's keys in `ipam`, whose keys are in canonical case: `subnet` with its fellows, or `ranges`. What is wrong
 * goes into `faults`, and the pool is then undefined. Defaults are host-local's: gateway and start .1, end the last before broadcast.
 */
export function readHostLocal(ipam: JsonObject, faults: Fault[]): HostLocalPool | undefined {
  const range = findRange(ipam, faults);
  return range === undefined ? undefined : readRange(range.raw, range.path, faults);
}

/** Whether `ipam` speaks host-local's language at all. */
export function usesHostLocal(ipam: JsonObject): boolean {
  return ["subnet", "rangeStart", "rangeEnd", "ranges"].some((key) => ipam[key] !== undefined);
}

interface RangePlace {
  readonly raw: JsonObject;
  /** Where its keys are, such as `ipam.ranges[0][0]`. */
  readonly path: string;
}

function findRange(ipam: JsonObject, faults: Fault[]): RangePlace | undefined {
  const ranges = findRanges(ipam["ranges"], faults);
  if (ranges === undefined) return undefined;
  const oldStyle = ipam["subnet"] === undefined ? [] : [{ raw: ipam, path: "ipam" }];
  const [first, second] = [...oldStyle, ...ranges];
  if (second !== undefined) {
    faults.push({ path: second.path, problem: "is a further range", remedy: ONE_RANGE });
    return undefined;
  }
  if (first === undefined) faults.push({ path: "ipam.subnet", problem: "is missing", remedy: 'write a network, such as "10.244.3.0/24"' });
  return first;
}

/** The ranges of all sets; undefined when they are malformed. */
function findRanges(sets: unknown, faults: Fault[]): RangePlace[] | undefined {
  if (sets === undefined) return [];
  const remedy = 'write a list of lists of ranges, such as [[{"subnet": "10.244.3.0/24"}]]';
  if (!Array.isArray(sets)) {
    faults.push(buildFault("ipam.ranges", sets, "must be a list", remedy));
    return undefined;
  }
  const found: RangePlace[] = [];
  for (const [at, set] of sets.entries()) {
    const path = `ipam.ranges[${at}]`;
    const list: readonly unknown[] = Array.isArray(set) ? set : [];
    if (list.length === 0 || !list.every(isJsonObject)) {
      faults.push(buildFault(path, set, "must be a list of ranges that is not empty", remedy));
      return undefined;
    }
    found.push(...list.map((raw, index) => ({ raw: withCanonicalKeys(raw), path: `${path}[${index}]` })));
  }
  return found;
}

function withCanonicalKeys(raw: JsonObject): JsonObject {
  const entries = Object.entries(raw).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([key, value]) => [RANGE_KEYS.find((known) => known.toLowerCase() === key.toLowerCase()) ?? key, value]),
  );
}

function readRange(raw: JsonObject, path: string, faults: Fault[]): HostLocalPool | undefined {
  const cidr = readSubnet(raw["subnet"], `${path}.subnet`, faults);
  if (cidr === undefined) return undefined;
  const before = faults.length;
  const end = cidrSize(cidr) - 1;
  const first = readOffset(raw["rangeStart"], { path: `${path}.rangeStart`, cidr, fallback: 1 }, faults);
  const last = readOffset(raw["rangeEnd"], { path: `${path}.rangeEnd`, cidr, fallback: end - 1 }, faults);
  const gateway = readGateway(raw["gateway"], `${path}.gateway`, faults) ?? addressAt(cidr, 1);
  if (faults.length > before) return undefined;
  if (first > last) {
    faults.push(
      buildFault(`${path}.rangeStart`, raw["rangeStart"], "lies behind the end of the range", "write a start that is not above rangeEnd"),
    );
    return undefined;
  }
  return { cidr, first, last, gateway };
}

function readSubnet(text: unknown, path: string, faults: Fault[]): Cidr | undefined {
  const fault = findSubnetFault(text, path);
  if (fault !== undefined) faults.push(fault);
  return fault === undefined && typeof text === "string" ? findCidr(text) : undefined;
}

function findSubnetFault(text: unknown, path: string): Fault | undefined {
  const remedy = 'write one IPv4 network, such as "10.244.3.0/24"';
  if (text === undefined) return { path, problem: "is missing", remedy };
  const parsed = typeof text === "string" ? findAddressWithPrefix(text) : undefined;
  if (parsed === undefined) return buildFault(path, text, "is no network in CIDR form", remedy);
  if (parsed.address.family === 6) return buildFault(path, text, "is an IPv6 network", ONE_RANGE);
  const network = formatCidr(networkOf(parsed.address, parsed.prefix));
  if (network !== text) return buildFault(path, text, "has host bits set", `write the network address, "${network}"`);
  if (parsed.prefix <= MAX_PREFIX) return undefined;
  return buildFault(path, text, "is too small to take addresses from", `use a prefix length of at most ${MAX_PREFIX}`);
}

/** The offset of one end of the range. */
function readOffset(text: unknown, end: { path: string; cidr: Cidr; fallback: number }, faults: Fault[]): number {
  if (text === undefined || text === "") return end.fallback;
  const address = typeof text === "string" ? findIp(text) : undefined;
  const offset = address === undefined ? undefined : offsetIn(end.cidr, address);
  if (offset === undefined)
    faults.push(buildFault(end.path, text, `is no address of ${formatCidr(end.cidr)}`, "write an address of the subnet"));
  return offset ?? end.fallback;
}

function readGateway(text: unknown, path: string, faults: Fault[]): IpAddress | undefined {
  if (text === undefined || text === "") return undefined;
  const gateway = typeof text === "string" ? findIp(text) : undefined;
  if (gateway?.family === 4) return gateway;
  faults.push(buildFault(path, text, "is no IPv4 address", "write the address of the pods' gateway"));
  return undefined;
}
