import { cidrSize, containsCidr, findCidr, findIp } from "../base/ip.ts";
import type { Cidr } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { findCidrFault } from "./cidr-fault.ts";
import { buildFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { findModeFaults, findModeWarnings } from "./mode-faults.ts";
import { findModeFacts } from "./modes.ts";
import type { PluginConfig } from "./plugin-config.ts";
import { findPoolFaults, MAX_BLOCK_PREFIX } from "./pool-faults.ts";
import { describeRanges, listPoolGroups, parseRanges } from "./pool-groups.ts";

/**
 * Faults that a schema cannot tell, of a document in canonical case. Values of a wrong type are passed over: the schema reports those.
 */
export function findSemanticFaults(document: JsonObject): Fault[] {
  const cidrFaults = [...findListFaults(document, "clusterCidrs"), ...findListFaults(document, "serviceCidrs")];
  const dns = isJsonObject(document["dns"]) ? document["dns"] : {};
  const serverFaults = findServerFaults(dns["nameservers"], "dns.nameservers");
  return [...cidrFaults, ...serverFaults, ...findPoolsOf(document), ...findModeFaults(document)];
}

/** Remarks on a configuration without faults: what is allowed but rarely meant. */
export function findConfigWarnings(config: PluginConfig, document: JsonObject): string[] {
  const { clusterCidrs, gatewayMode, mode } = config;
  const facts = findModeFacts(mode);
  const groups = isJsonObject(document["ipam"]) ? listPoolGroups(document["ipam"]).map(parseRanges) : [];
  const isCovered = (cidr: Cidr): boolean => facts?.hasSdnPolicies === false || clusterCidrs.some((cluster) => containsCidr(cluster, cidr));
  const uncovered = groups.flatMap(({ ranges }) => ranges.filter(({ cidr }) => !isCovered(cidr)));
  const isGatewayUsed = facts === undefined || gatewayMode === "ipam" || facts.networkGateway === "configured";
  const gateways = isGatewayUsed ? [] : groups.filter(({ keys }) => keys["gateway"] !== undefined);
  return [
    ...uncovered.map(
      (range) =>
        `${describeRanges([range])} lies in none of clusterCidrs, so traffic to it from other nodes' pods does not keep its source address`,
    ),
    ...gateways.map(({ base }) => `${base}.gateway is ignored: gatewayMode is ${gatewayMode ?? "none"}`),
    ...findModeWarnings(config, document),
  ];
}

/** Faults of entries that must be IP addresses. */
export function findServerFaults(list: unknown, path: string): Fault[] {
  return texts(list).flatMap(({ text, index }) =>
    findIp(text) === undefined ? [buildFault(`${path}[${index}]`, text, "is no IP address")] : [],
  );
}

/** Faults of `subnet`, the HNS network's when the addresses are not ours to give: one network of each family at most. */
export function findSubnetFaults(document: JsonObject): Fault[] {
  const text = document["subnet"];
  if (typeof text !== "string") return [];
  const parts = splitSubnets(text);
  const fault = parts.flatMap((part) => findSubnetFault(part) ?? [])[0];
  if (fault !== undefined) return [fault];
  const families = parts.map((part) => findCidr(part)?.address.family);
  return new Set(families).size === families.length ? [] : [buildFault("subnet", text, "names two networks of one family")];
}

/** The networks of `subnet`; none when it has faults. */
export function readSubnets(text: string | undefined): Cidr[] {
  if (text === undefined || findSubnetFaults({ subnet: text }).length > 0) return [];
  return splitSubnets(text).flatMap((part) => findCidr(part) ?? []);
}

/** The fault of a subnet without IPv4. For a network that this plugin makes. */
export function findIpv6Subnet(text: unknown): Fault[] {
  if (typeof text !== "string") return [];
  const cidrs = readSubnets(text);
  if (cidrs.length === 0 || cidrs.some(({ address }) => address.family === 4)) return [];
  const remedy = 'write an IPv4 network before it, such as "10.244.3.0/24,fd00:10:244:3::/64"';
  return [buildFault("subnet", text, "is an IPv6 network, and Windows has no pods with IPv6 alone", remedy)];
}

function splitSubnets(text: string): string[] {
  return text.split(",").map((part) => part.trim());
}

function findSubnetFault(text: string): Fault | undefined {
  const cidr = findCidr(text);
  if (cidr === undefined) return findCidrFault(text, "subnet");
  const isTooSmall = cidrSize(cidr) < 2 ** (32 - MAX_BLOCK_PREFIX);
  return isTooSmall ? buildFault("subnet", text, "has no address beside the 4 that Windows keeps") : undefined;
}

function findListFaults(document: JsonObject, key: string): Fault[] {
  return texts(document[key]).flatMap(({ text, index }) => findCidrFault(text, `${key}[${index}]`) ?? []);
}

/** Another plugin's ipam object has keys of its own; its faults are then passed over. */
function findPoolsOf(document: JsonObject): Fault[] {
  if (!isJsonObject(document["ipam"])) return [];
  const services = texts(document["serviceCidrs"]).map(({ text, index }) => ({ text, path: `serviceCidrs[${index}]` }));
  return findPoolFaults(document["ipam"], services);
}

function texts(list: unknown): { text: string; index: number }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => (typeof item === "string" ? [{ text: item, index }] : []));
}
