import { addressAt, findCidr, findIp, formatIp } from "../../base/ip.ts";
import { findField, isJsonObject } from "../../cni/json.ts";
import type { Draft, Place } from "./draft.ts";
import { readNetwork } from "./draft.ts";
import { translate, type Rule } from "./rules.ts";

/** Offset of the node's own endpoint in the pods' subnet. */
const HOST_ENDPOINT = 2;

/** The pods' gateway of a source that has it in its configuration. It goes into `ipam.gateway`, once that section is ours. */
export interface Gateway {
  readonly address: string;
  readonly path: string;
}

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

/** One route with `dst` and `gw`, or this plugin's own spelling of it. */
export function addRoute(place: Place, draft: Draft): void {
  const { path, value } = place;
  if (!isJsonObject(value)) {
    draft.fault(place, "must be a route", 'write such as {"dst": "10.1.0.0/16", "gw": "10.244.3.1"}');
    return;
  }
  const destination = readNetwork(findField(value, "dst") ?? findField(value, "destination"));
  const hop = findField(value, "gw") ?? findField(value, "nextHop");
  const nextHop = typeof hop === "string" ? findIp(hop) : undefined;
  if (destination === undefined || (hop !== undefined && nextHop === undefined)) {
    draft.fault(place, "has no network or no address where a route needs one", 'write such as {"dst": "10.1.0.0/16", "gw": "10.244.3.1"}');
    return;
  }
  const needEncap = findField(value, "needEncap");
  draft.append("additionalRoutes", {
    destination,
    ...(nextHop === undefined ? {} : { nextHop: formatIp(nextHop) }),
    ...(typeof needEncap === "boolean" ? { needEncap } : {}),
  });
  draft.note(path, "translated", { to: "additionalRoutes", text: "destination and nextHop" });
  for (const key of Object.keys(value)) {
    if (!["dst", "destination", "gw", "nexthop", "needencap"].includes(key.toLowerCase()))
      draft.drop(`${path}.${key}`, "Windows routes have no such setting");
  }
}

/** Sets gatewayMode and `ipam.gateway` for pods that had `gateway`; .2 of the subnet is what host-endpoint means. */
export function settleGateway(gateway: Gateway, draft: Draft): void {
  const ipam = draft.get("ipam");
  const cidr = isJsonObject(ipam) && typeof ipam["cidr"] === "string" ? findCidr(ipam["cidr"]) : undefined;
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
