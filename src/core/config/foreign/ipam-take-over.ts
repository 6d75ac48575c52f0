import { addressAt, findCidr, findIp, formatIp } from "../../base/ip.ts";
import { findField, findKey, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Fault } from "../faults.ts";
import { PRODUCT_TYPE } from "../our-names.ts";
import type { Draft, Gateway } from "./draft.ts";
import { findRouteGateway, settleGateway, translateRoutes, type IpamTraits, type IpamWork } from "./gateway.ts";
import { GIVE_RANGE, isCidr } from "./ranges.ts";

/** IPAM plugins that only work with the plugin they came with, and why. */
const BOUND: ReadonlyMap<string, string> = new Map([
  ["azure-cns", "it is a service of Azure's, which only azure-vnet asks"],
  ["calico-ipam", "it needs Calico's own keys beside ipam"],
]);

/** Whether the IPAM plugin works without the plugin that it came with. */
export function canStay(type: string): boolean {
  return !BOUND.has(type);
}

/** A section whose addresses HNS gave, or a program that cannot stay. */
export function takeOver(path: string, ipam: JsonObject, { draft, traits }: IpamWork): void {
  const type = findField(ipam, "type");
  const program = typeof type === "string" && type !== "" ? type : undefined;
  const subnet = draft.options.cidr ?? findField(ipam, "subnet");
  if (!isCidr(subnet)) {
    draft.faults.push(missingRange(path, program));
    return;
  }
  const giver = program ?? "HNS";
  draft.set("ipam", { type: PRODUCT_TYPE, cidr: subnet });
  draft.note(path, "translated", { to: "ipam", text: `${giver} gave the addresses; this plugin does now, from ${subnet}` });
  const gateway = findGateway(path, ipam) ?? firstAddress(path, subnet, traits);
  if (gateway !== undefined) settleGateway(gateway, draft);
  noteKeys(path, ipam, { giver, subnet, taken: gateway?.path }, draft);
}

function missingRange(path: string, program: string | undefined): Fault {
  const why =
    program === undefined ? "HNS gave the addresses" : `${program} cannot stay: ${BOUND.get(program) ?? "asked for by --ipam ours"}`;
  return { path: program === undefined ? path : `${path}.type`, problem: `names no range of this node: ${why}`, remedy: GIVE_RANGE };
}

function noteKeys(path: string, ipam: JsonObject, known: { giver: string; subnet: string; taken: string | undefined }, draft: Draft): void {
  for (const [key, value] of Object.entries(ipam)) {
    const at = `${path}.${key}`;
    const lower = key.toLowerCase();
    if (lower === "routes") translateRoutes({ path: at, value }, known.taken, draft);
    else if (lower === "subnet" && value !== known.subnet) draft.drop(at, "--cidr was given");
    else if (lower !== "type" && lower !== "subnet") draft.drop(at, `a setting of ${known.giver}'s`);
  }
}

/** The gateway of a default route, or of a route that has nothing else. */
function findGateway(path: string, ipam: JsonObject): Gateway | undefined {
  const routes = findField(ipam, "routes");
  const list: readonly unknown[] = Array.isArray(routes) ? routes : [];
  for (const [index, route] of list.entries()) {
    const address = isJsonObject(route) ? findDefaultGateway(route) : undefined;
    if (address !== undefined) return { address, path: `${path}.${findKey(ipam, "routes") ?? "routes"}[${index}]` };
  }
  return undefined;
}

function findDefaultGateway(route: JsonObject): string | undefined {
  const gw = findRouteGateway(route);
  const dst = findField(route, "dst") ?? "0.0.0.0/0";
  const ip = typeof gw === "string" && dst === "0.0.0.0/0" ? findIp(gw) : undefined;
  return ip === undefined ? undefined : formatIp(ip);
}

function firstAddress(path: string, subnet: string, traits: IpamTraits): Gateway | undefined {
  const cidr = findCidr(subnet);
  return cidr === undefined || !traits.isGatewayFromIpam ? undefined : { address: formatIp(addressAt(cidr, 1)), path };
}
