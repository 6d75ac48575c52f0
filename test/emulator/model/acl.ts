import { containsIp, findAddressWithPrefix, findIp, networkOf, type IpAddress } from "../../../src/core/base/ip.ts";
import { findNumber, findText, splitList, type JsonObject } from "./json.ts";
import { listPolicySettings } from "./policies.ts";
import type { EndpointRecord, NetworkRecord } from "./world.ts";

/** A packet as an endpoint's rules see it: `local` is the endpoint's side. */
export interface Packet {
  readonly direction: "In" | "Out";
  readonly protocol: number;
  readonly local: string;
  readonly remote: string;
  readonly localPort?: number;
  readonly remotePort?: number;
}

/** What the rules do with a packet, and the rule that decided it; null when none matched. */
export interface Verdict {
  readonly action: "Allow" | "Block" | "Pass";
  readonly rule: JsonObject | null;
}

const ANY_PROTOCOL = 256;
/** A rule without priority comes after all that have one. */
const NO_PRIORITY = 0x10000;

/** The ACLs of an endpoint in the order they are tried: by priority, equal ones Block before Allow, then as given. */
export function orderAcls(endpoint: EndpointRecord, direction: Packet["direction"]): JsonObject[] {
  return listPolicySettings(endpoint.policies, "ACL")
    .filter((rule) => findText(rule, "Direction") === direction)
    .sort((left, right) => priority(left) - priority(right) || blockFirst(left) - blockFirst(right));
}

/** Runs a packet through an endpoint's ACLs. No ACL of the direction at all, or none that matches: the packet passes. */
export function decidePacket(network: NetworkRecord, endpoint: EndpointRecord, packet: Packet): Verdict {
  const sets = readSets(network);
  const rule = orderAcls(endpoint, packet.direction).find((candidate) => matchesRule(candidate, packet, sets));
  if (rule === undefined) return { action: "Allow", rule: null };
  const action = findText(rule, "Action");
  return { action: action === "Block" ? "Block" : action === "Pass" ? "Pass" : "Allow", rule };
}

type Sets = ReadonlyMap<string, readonly string[]>;

function priority(rule: JsonObject): number {
  const value = findNumber(rule, "Priority") ?? 0;
  return value === 0 ? NO_PRIORITY : value;
}

function blockFirst(rule: JsonObject): number {
  return findText(rule, "Action") === "Block" ? 0 : 1;
}

function matchesRule(rule: JsonObject, packet: Packet, sets: Sets): boolean {
  const protocols = splitList(findText(rule, "Protocols")).map(Number);
  return (
    (protocols.length === 0 || protocols.includes(ANY_PROTOCOL) || protocols.includes(packet.protocol)) &&
    matchesAddresses(splitList(findText(rule, "LocalAddresses")), packet.local, sets) &&
    matchesAddresses(splitList(findText(rule, "RemoteAddresses")), packet.remote, sets) &&
    matchesPorts(splitList(findText(rule, "LocalPorts")), packet.localPort) &&
    matchesPorts(splitList(findText(rule, "RemotePorts")), packet.remotePort)
  );
}

/** Addresses are alternatives; address sets must all hold the address, which is how HNS combines several in one field. */
function matchesAddresses(items: readonly string[], address: string, sets: Sets): boolean {
  const ip = findIp(address);
  if (items.length === 0) return true;
  if (ip === undefined) return false;
  const ids = items.filter((item) => sets.has(item));
  const prefixes = items.filter((item) => !sets.has(item));
  const inSets = ids.every((id) => (sets.get(id) ?? []).some((prefix) => holds(prefix, ip)));
  return inSets && (prefixes.length === 0 || prefixes.some((prefix) => holds(prefix, ip)));
}

function matchesPorts(ranges: readonly string[], port: number | undefined): boolean {
  if (ranges.length === 0) return true;
  return port !== undefined && ranges.some((range) => holdsPort(range, port));
}

function holdsPort(range: string, port: number): boolean {
  const [from = "", to = from] = range.split("-");
  return port >= Number(from) && port <= Number(to);
}

function holds(prefix: string, ip: IpAddress): boolean {
  const parsed = findAddressWithPrefix(prefix.includes("/") ? prefix : `${prefix}/${prefix.includes(":") ? 128 : 32}`);
  if (parsed === undefined || parsed.address.family !== ip.family) return false;
  return containsIp(networkOf(parsed.address, parsed.prefix), ip);
}

/** The address sets of a network; a nested set holds what its members hold. */
function readSets(network: NetworkRecord): Sets {
  const raw = new Map(
    listPolicySettings(network.policies, "SetPolicy").map((set) => [findText(set, "Id") ?? "", splitList(findText(set, "Values"))]),
  );
  const flatten = (id: string, seen: ReadonlySet<string>): string[] =>
    (raw.get(id) ?? []).flatMap((value) => {
      if (!raw.has(value)) return [value];
      return seen.has(value) ? [] : flatten(value, new Set([...seen, value]));
    });
  return new Map([...raw.keys()].map((id) => [id, flatten(id, new Set([id]))]));
}
