import { containsCidr, findCidr, findIp } from "../base/ip.ts";
import { isJsonObject } from "./canonical-keys.ts";
import type { JsonObject } from "./canonical-keys.ts";
import { findCidrFault } from "./cidr-fault.ts";
import { buildFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import type { PluginConfig } from "./plugin-config.ts";
import { findPoolFaults, MAX_BLOCK_PREFIX } from "./pool-faults.ts";
import { describeRanges, listPoolGroups, parseRanges } from "./pool-groups.ts";

const IPV4_ONLY = "write one IPv4 network";

/**
 * Faults that a schema cannot tell, of a document in canonical case. Values of a wrong type are passed over: the schema reports those.
 */
export function findSemanticFaults(document: JsonObject): Fault[] {
  const cidrFaults = [...findListFaults(document, "clusterCidrs"), ...findListFaults(document, "serviceCidrs")];
  const dns = isJsonObject(document["dns"]) ? document["dns"] : {};
  return [...cidrFaults, ...findServerFaults(dns["nameservers"], "dns.nameservers"), ...findPoolsOf(document)];
}

/** Remarks on a configuration without faults: what is allowed but rarely meant. */
export function findConfigWarnings({ clusterCidrs, gatewayMode }: PluginConfig, document: JsonObject): string[] {
  const groups = isJsonObject(document["ipam"]) ? listPoolGroups(document["ipam"]).map(parseRanges) : [];
  const uncovered = groups.flatMap(({ ranges }) =>
    ranges.filter(({ cidr }) => !clusterCidrs.some((cluster) => containsCidr(cluster, cidr))),
  );
  const gateways = gatewayMode === "ipam" ? [] : groups.filter(({ keys }) => keys["gateway"] !== undefined);
  return [
    ...uncovered.map(
      (range) =>
        `${describeRanges([range])} lies in none of clusterCidrs, so traffic to it from other nodes' pods does not keep its source address`,
    ),
    ...gateways.map(({ base }) => `${base}.gateway is ignored: gatewayMode is ${gatewayMode}`),
  ];
}

/** Faults of entries that must be IP addresses. */
export function findServerFaults(list: unknown, path: string): Fault[] {
  return texts(list).flatMap(({ text, index }) =>
    findIp(text) === undefined ? [buildFault(`${path}[${index}]`, text, "is no IP address")] : [],
  );
}

/** Faults of `subnet`, the HNS network's when another plugin gives the addresses. */
export function findSubnetFaults(document: JsonObject): Fault[] {
  const text = document["subnet"];
  if (typeof text !== "string") return [];
  const fault = findCidrFault(text, "subnet");
  if (fault !== undefined) return [fault];
  const cidr = findCidr(text);
  if (cidr?.address.family === 6) return [buildFault("subnet", text, "is an IPv6 network", IPV4_ONLY)];
  return cidr !== undefined && cidr.prefix > MAX_BLOCK_PREFIX
    ? [buildFault("subnet", text, "has no address beside the 4 that Windows keeps")]
    : [];
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
