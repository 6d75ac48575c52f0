import { addressAt, findCidr, findIp, formatIp } from "../../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Draft, Gateway, Place } from "./draft.ts";
import { readNetwork } from "./ranges.ts";
import { translate, type Rule } from "./rules.ts";

/** Offset of the node's own endpoint in the pods' subnet. */
const HOST_ENDPOINT = 2;

/** `additionalRoutes` of the sdn plugins: `[{dst, gw}]`. */
export function additionalRoutes(): Rule {
  const becomes = "additionalRoutes";
  return translate(becomes, "dst and gw are called destination and nextHop", (place, draft) => {
    if (!Array.isArray(place.value)) {
      draft.fault(place, "must be a list of routes", 'write such as [{"dst": "10.1.0.0/16", "gw": "10.244.3.1"}]');
      return;
    }
    if (place.value.length === 0) draft.drop(place.path, "empty");
    for (const [index, value] of place.value.entries()) addRoute({ path: `${place.path}[${index}]`, value }, draft);
  });
}

const ROUTE_KEYS = ["dst", "destination", "gw", "nexthop", "needencap"];

/** One route with `dst` and `gw`, or this plugin's own spelling of it. */
export function addRoute(place: Place, draft: Draft): void {
  const { path, value } = place;
  const route = isJsonObject(value) ? readRoute(value) : undefined;
  if (!isJsonObject(value) || route === undefined) {
    draft.fault(place, "is no route with a network and an address", 'write such as {"dst": "10.1.0.0/16", "gw": "10.244.3.1"}');
    return;
  }
  draft.append("additionalRoutes", route);
  draft.note(path, "translated", { to: "additionalRoutes", text: "destination and nextHop" });
  const others = Object.keys(value).filter((key) => !ROUTE_KEYS.includes(key.toLowerCase()));
  for (const key of others) draft.drop(`${path}.${key}`, "routes in HNS have no such setting");
}

function readRoute(value: JsonObject): object | undefined {
  const destination = readNetwork(findField(value, "dst") ?? findField(value, "destination"));
  const hop = findField(value, "gw") ?? findField(value, "nextHop");
  const nextHop = typeof hop === "string" ? findIp(hop) : undefined;
  if (destination === undefined || (hop !== undefined && nextHop === undefined)) return undefined;
  const needEncap = findField(value, "needEncap");
  return {
    destination,
    ...(nextHop !== undefined && { nextHop: formatIp(nextHop) }),
    ...(typeof needEncap === "boolean" && { needEncap }),
  };
}

/** Routes of an IPAM section. The default route is gatewayMode's; the others go on as additionalRoutes. The one at `taken` has been settled. */
export function translateRoutes(place: Place, taken: string | undefined, draft: Draft): void {
  const list: readonly unknown[] = Array.isArray(place.value) ? place.value : [place.value];
  if (list.length === 0) draft.drop(place.path, "empty");
  for (const [index, value] of list.entries()) {
    const path = `${place.path}[${index}]`;
    if (path === taken) continue;
    const why = isJsonObject(value) ? findNeedless(value) : undefined;
    if (why === undefined) addRoute({ path, value }, draft);
    else draft.drop(path, why);
  }
}

function findNeedless(route: JsonObject): string | undefined {
  const dst = findField(route, "dst");
  if (dst === "0.0.0.0/0" || dst === "::/0") return "the default route is gatewayMode's";
  return dst === undefined && typeof findRouteGateway(route) === "string" ? "the network's gateway; see gatewayMode" : undefined;
}

/** nerdctl writes `gateway` into the configurations that it makes for the plugin nat. */
export function findRouteGateway(route: JsonObject): unknown {
  return findField(route, "gw") ?? findField(route, "gateway");
}

/** Where a plugin's pods have their gateway from. */
export interface IpamTraits {
  /** The IPAM plugin's gateway, or HNS's, is the pods'; else they have the node's endpoint (.2). */
  readonly isGatewayFromIpam: boolean;
}

export interface IpamWork {
  readonly draft: Draft;
  readonly traits: IpamTraits;
}

/** For pods whose gateway was the IPAM plugin's, which stays. */
export function addGatewayMode(draft: Draft): void {
  if (draft.get("gatewayMode") === undefined) draft.add("gatewayMode", "ipam", "the pods' gateway was the IPAM plugin's");
}

/** Sets gatewayMode and `ipam.gateway` for pods that had `gateway`; .2 of the subnet is what host-endpoint means. */
export function settleGateway(gateway: Gateway, draft: Draft): void {
  const ipam = draft.get("ipam");
  const cidr = isJsonObject(ipam) && typeof ipam["cidr"] === "string" ? findCidr(ipam["cidr"]) : undefined;
  if (findField(draft.source, "gatewayMode") !== undefined) {
    draft.drop(gateway.path, "gatewayMode is set already");
    return;
  }
  const isHostEndpoint = cidr !== undefined && formatIp(addressAt(cidr, HOST_ENDPOINT)) === gateway.address;
  if (isHostEndpoint) {
    draft.set("gatewayMode", "host-endpoint");
    draft.note(gateway.path, "translated", { to: "gatewayMode", text: `${gateway.address} is the node's endpoint` });
    return;
  }
  draft.set("gatewayMode", "ipam");
  if (cidr === undefined) draft.note(gateway.path, "translated", { to: "gatewayMode", text: "the IPAM plugin's gateway is the pods'" });
  else {
    draft.setBelow("ipam", "gateway", gateway.address);
    draft.note(gateway.path, "translated", { to: "ipam.gateway", text: "with gatewayMode ipam" });
  }
}
