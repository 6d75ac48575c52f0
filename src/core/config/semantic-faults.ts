import { cidrSize, containsCidr, findCidr, findIp, formatCidr, offsetIn, overlaps } from "../base/ip.ts";
import type { Cidr } from "../base/ip.ts";
import { isJsonObject } from "./canonical-keys.ts";
import type { JsonObject } from "./canonical-keys.ts";
import { findCidrFault } from "./cidr-fault.ts";
import { buildFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { findModeFaults, findModeWarnings } from "./mode-faults.ts";
import { findModeFacts } from "./modes.ts";
import type { PluginConfig } from "./plugin-config.ts";
import { findKeptBackFaults } from "./pool-settings.ts";

/** Windows needs four addresses of a range: network, gateway, the host endpoint and broadcast. A /30 would have none left. */
export const MAX_BLOCK_PREFIX = 29;

const LATER = "write one IPv4 network; a second address family comes with a later version";

/**
 * Faults that a schema cannot tell, of a document in canonical case. Values of a wrong type are passed over: the schema reports those.
 */
export function findSemanticFaults(document: JsonObject): Fault[] {
  const ipam = isJsonObject(document["ipam"]) ? document["ipam"] : {};
  const cidrFaults = [...findListFaults(document, "clusterCidrs"), ...findListFaults(document, "serviceCidrs")];
  const dns = isJsonObject(document["dns"]) ? document["dns"] : {};
  const serverFaults = findServerFaults(dns["nameservers"], "dns.nameservers");
  return [...cidrFaults, ...serverFaults, ...findIpamFaults(ipam, document), ...findModeFaults(document)];
}

/** Remarks on a configuration without faults: what is allowed but rarely meant. */
export function findConfigWarnings(config: PluginConfig, document: JsonObject): string[] {
  const { ipam, clusterCidrs, gatewayMode, mode } = config;
  const hasGateway = isJsonObject(document["ipam"]) && document["ipam"]["gateway"] !== undefined;
  const { cidr } = ipam.pools[0];
  const facts = findModeFacts(mode);
  const isCovered = facts?.hasSdnPolicies === false || clusterCidrs.some((cluster) => containsCidr(cluster, cidr));
  const isGatewayUsed = facts === undefined || gatewayMode === "ipam" || facts.networkGateway === "configured";
  const range = `ipam.cidr ${formatCidr(cidr)} lies in none of clusterCidrs, so traffic to it from other nodes' pods does not keep its source address`;
  return [
    ...(isCovered ? [] : [range]),
    ...(!hasGateway || isGatewayUsed ? [] : [`ipam.gateway is ignored: gatewayMode is ${gatewayMode ?? "none"}`]),
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

/** Another plugin's ipam object has keys of its own, so a wrong type is the only fault to tell. */
function findIpamFaults(ipam: JsonObject, document: JsonObject): Fault[] {
  const text = ipam["cidr"];
  if (typeof text !== "string") return [];
  if (text.includes(",")) return [buildFault("ipam.cidr", text, "names several ranges", LATER)];
  const fault = findCidrFault(text, "ipam.cidr");
  const cidr = findCidr(text);
  if (fault !== undefined || cidr === undefined) return fault === undefined ? [] : [fault];
  if (cidr.address.family === 6) return [buildFault("ipam.cidr", text, "is an IPv6 network", LATER)];
  if (cidr.prefix > MAX_BLOCK_PREFIX) {
    const remedy = `use a prefix length of at most ${MAX_BLOCK_PREFIX}`;
    return [buildFault("ipam.cidr", text, `has ${cidrSize(cidr)} addresses, and Windows keeps 4 of a range for itself`, remedy)];
  }
  return [
    ...findBlockFaults(ipam["blockSize"], cidr),
    ...findGatewayFaults(ipam["gateway"], cidr),
    ...findKeptBackFaults(ipam, cidr),
    ...findOverlapFaults(cidr, document),
  ];
}

function findBlockFaults(size: unknown, cidr: Cidr): Fault[] {
  if (typeof size !== "number" || !Number.isInteger(size)) return [];
  const remedy = `write a prefix length from ${cidr.prefix} to ${MAX_BLOCK_PREFIX}, or leave it out`;
  if (size < cidr.prefix) return [buildFault("ipam.blockSize", size, `a block would be larger than ipam.cidr ${formatCidr(cidr)}`, remedy)];
  if (size > MAX_BLOCK_PREFIX)
    return [buildFault("ipam.blockSize", size, "a block would have no address beside the 4 that Windows keeps for itself", remedy)];
  return [];
}

function findGatewayFaults(text: unknown, cidr: Cidr): Fault[] {
  if (typeof text !== "string") return [];
  const gateway = findIp(text);
  if (gateway === undefined) return [buildFault("ipam.gateway", text, "is no IP address")];
  const offset = offsetIn(cidr, gateway);
  if (offset === undefined || offset === 0 || offset === cidrSize(cidr) - 1) {
    return [buildFault("ipam.gateway", text, `is no usable address of ipam.cidr ${formatCidr(cidr)}`)];
  }
  return [];
}

/** Pods and services in one range cannot be told apart, and the node would balance traffic meant for a pod. */
function findOverlapFaults(cidr: Cidr, document: JsonObject): Fault[] {
  return texts(document["serviceCidrs"]).flatMap(({ text, index }) => {
    const service = findCidr(text);
    if (service === undefined || !overlaps(cidr, service)) return [];
    return [buildFault(`serviceCidrs[${index}]`, text, `overlaps ipam.cidr ${formatCidr(cidr)}`, "keep pod and service ranges apart")];
  });
}

function texts(list: unknown): { text: string; index: number }[] {
  if (!Array.isArray(list)) return [];
  return list.flatMap((item: unknown, index) => (typeof item === "string" ? [{ text: item, index }] : []));
}
