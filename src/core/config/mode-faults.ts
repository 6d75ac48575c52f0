import { findMac } from "../base/ids.ts";
import { type Cidr, findCidr, findIp, formatCidr } from "../base/ip.ts";
import { findMacProblem } from "./pod-request.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { isEmpty } from "./canonical-keys.ts";
import { findCidrFault } from "./cidr-fault.ts";
import { buildFault, type Fault } from "./faults.ts";
import { readGatewayMode } from "./mode-settings.ts";
import { findModeFacts, type ModeFacts } from "./modes.ts";
import type { NetworkConfig } from "./plugin-config.ts";

/** Bits of a MAC address's first byte. */
const MULTICAST = 1;
const LOCALLY_ADMINISTERED = 2;

/** Faults of what concerns the network's mode that a schema cannot tell. Values of a wrong type are passed over. */
export function findModeFaults(document: JsonObject): Fault[] {
  const facts = findModeFacts(document["mode"]);
  return [
    ...findPrefixFaults(document["endpointMacPrefix"]),
    ...findRouteFaults(document),
    ...findMasqFaults(document["ipMasqNetwork"]),
    ...findMacFaults(document),
    ...(facts === undefined ? [] : findGatewayFaults(document, facts)),
  ];
}

/** Whether HNS chooses the addresses: there is no `ipam` section, or an empty one, as the specification of CNI has it. */
export function leavesAddressesToHns(document: JsonObject): boolean {
  const { ipam } = document;
  return ipam === undefined || ipam === null || (isJsonObject(ipam) && isEmpty(ipam));
}

/** Remarks on settings that the mode has no use for. */
export function findModeWarnings(config: NetworkConfig, document: JsonObject): string[] {
  const facts = findModeFacts(config.mode);
  if (facts === undefined) return [`mode is absent: the HNS network "${config.networkName}" must exist, and its type gives the mode`];
  const ignored = [
    ...(facts.isOverlay ? [] : ["vsid", "vxlanPort", "endpointMacPrefix"].filter((key) => document[key] !== undefined)),
    ...(facts.hasSdnPolicies ? [] : listSdnKeys(config)),
  ];
  return ignored.map((key) => `${key} is ignored: mode is ${config.mode ?? ""}`);
}

function listSdnKeys(config: NetworkConfig): string[] {
  return [
    ...(config.clusterCidrs.length > 0 ? ["clusterCidrs"] : []),
    ...(config.serviceCidrs.length > 0 ? ["serviceCidrs"] : []),
    ...(config.ipMasq ? ["ipMasq"] : []),
    ...(config.ipMasqNetwork === undefined ? [] : ["ipMasqNetwork"]),
  ];
}

function findPrefixFaults(text: unknown): Fault[] {
  if (typeof text !== "string" || !/^[0-9a-f]{2}[-:][0-9a-f]{2}$/i.test(text)) return [];
  const first = Number.parseInt(text.slice(0, 2), 16);
  const remedy = 'write a prefix whose first byte is even and has the bit 02, such as "0E-2A"';
  if ((first & MULTICAST) !== 0) return [buildFault("endpointMacPrefix", text, "begins a multicast address", remedy)];
  return (first & LOCALLY_ADMINISTERED) === 0 ? [buildFault("endpointMacPrefix", text, "belongs to a manufacturer", remedy)] : [];
}

function findRouteFaults(document: JsonObject): Fault[] {
  const routes: readonly unknown[] = Array.isArray(document["additionalRoutes"]) ? document["additionalRoutes"] : [];
  // The schema tells what is wrong with the types of these.
  const gatewayMode = readGatewayMode(document);
  return routes.flatMap((route, index) => (isJsonObject(route) ? findFaultsOf(route, `additionalRoutes[${index}]`, gatewayMode) : []));
}

function findFaultsOf(route: JsonObject, path: string, gatewayMode: string | undefined): Fault[] {
  const { destination, nextHop } = route;
  if (typeof destination !== "string") return [];
  const fault = findCidrFault(destination, `${path}.destination`);
  const cidr = findCidr(destination);
  if (fault !== undefined || cidr === undefined) return fault === undefined ? [] : [fault];
  if (cidr.prefix === 0 && gatewayMode !== "none") {
    return [buildFault(`${path}.destination`, destination, "the default route is gatewayMode's", 'set gatewayMode to "none" beside it')];
  }
  const isHopNeeded = route["needEncap"] !== true;
  const hopFault = findHopFault(nextHop, cidr, { path: `${path}.nextHop`, isNeeded: isHopNeeded });
  return hopFault === undefined ? [] : [hopFault];
}

function findHopFault(text: unknown, cidr: Cidr, { path, isNeeded }: { path: string; isNeeded: boolean }): Fault | undefined {
  if (text === undefined && isNeeded) return { path, problem: "is missing", remedy: "write the address of a gateway, or set needEncap" };
  if (typeof text !== "string") return undefined;
  const hop = findIp(text);
  if (hop === undefined) return buildFault(path, text, "is no IP address");
  return hop.family === cidr.address.family ? undefined : buildFault(path, text, `is not of the family of ${formatCidr(cidr)}`);
}

function findMasqFaults(text: unknown): Fault[] {
  const fault = typeof text === "string" && text !== "" ? findCidrFault(text, "ipMasqNetwork") : undefined;
  return fault === undefined ? [] : [fault];
}

function findMacFaults(document: JsonObject): Fault[] {
  const runtime = isJsonObject(document["runtimeConfig"]) ? document["runtimeConfig"] : {};
  const text = runtime["mac"];
  if (typeof text !== "string" || text === "" || findMacProblem(findMac(text)) === undefined) return [];
  return [buildFault("runtimeConfig.mac", text, "is no unicast MAC address")];
}

function findGatewayFaults(document: JsonObject, facts: ModeFacts): Fault[] {
  const gatewayMode = readGatewayMode(document);
  const mode = String(document["mode"]);
  if (gatewayMode === "host-endpoint" && !facts.canHaveHostEndpoint) {
    return [buildFault("gatewayMode", gatewayMode, `there is none with mode ${mode}`, 'set "network", "ipam" or "none", or leave it out')];
  }
  if (gatewayMode === "network" && facts.networkGateway === "none") {
    return [buildFault("gatewayMode", gatewayMode, `the network has none with mode ${mode}`, 'set "ipam" or "none", or leave it out')];
  }
  return [];
}
