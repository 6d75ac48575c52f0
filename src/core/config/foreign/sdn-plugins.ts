import { findIp, formatIp } from "../../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Draft } from "./draft.ts";
import { additionalRoutes } from "./gateway.ts";
import { policyList } from "./policies.ts";
import { commonKeys, dnsSection, type ForeignMode, type ForeignPlugin } from "./plugin.ts";
import { drop, keepBelow, rename, translate, within, type Rule, type Table } from "./rules.ts";

const FROM_IPAM = { isGatewayFromIpam: true } as const;

const SEARCH = "the pod's namespace was put before the first entry; capabilities.dns brings the pod's own list instead";

const FLAGS: Table = {
  localRoutedPortMapping: keepBelow("optionalFlags", "localRoutedPortMapping"),
  allowAclPortMapping: keepBelow("optionalFlags", "allowAclPortMapping"),
  loopbackDSR: rename("loopbackDSR", "one level up"),
  forceBridgeGateway: gatewayFlag("true is gatewayMode host-endpoint (.2 of the subnet), else the pods' gateway is the IPAM plugin's"),
  gatewayFromAdditionalRoutes: gatewayFlag("true makes the default route of additionalRoutes the pods' gateway"),
  enableDualStack: drop("pods have the families of their addresses"),
  enableDSR: drop("kube-proxy decides on DSR (--enable-dsr)"),
};

/** A flag whose effect is settled when everything else is known. */
function gatewayFlag(remark: string): Rule {
  return translate("gatewayMode", remark, ({ path, value }, draft) => {
    if (value === true) draft.note(path, "translated", { to: "gatewayMode", text: remark });
    else draft.drop(path, "switched off");
  });
}

function sdnPlugin(types: ForeignPlugin["types"], mode: ForeignMode, about: string): ForeignPlugin {
  return {
    types,
    about,
    mode,
    ...FROM_IPAM,
    keys: {
      ...commonKeys(FROM_IPAM),
      dns: within("dns", dnsSection(SEARCH)),
      master: drop("the plugin did not read it; adapter names the adapter of a network that is yet to be made"),
      optionalFlags: within("optionalFlags", FLAGS),
      additionalRoutes: additionalRoutes(),
      AdditionalArgs: policyList("EndpointPolicy entries; NetworkPolicy ones need your decision"),
      policies: policyList("newer name of AdditionalArgs"),
    },
    finish: settleFlags,
  };
}

/** Source: microsoft/windows-container-networking, one code base whose `type` picks the kind of network. */
export const SDN_PLUGINS: readonly ForeignPlugin[] = [
  sdnPlugin(
    ["sdnbridge", "l2bridge"],
    "l2bridge",
    "Of microsoft/windows-container-networking; GKE's Windows nodes have it. Without `ipam.type` HNS gave the addresses: this plugin does then, from " +
      "`ipam.subnet`.",
  ),
  sdnPlugin(["sdnoverlay", "overlay"], "overlay", "Of microsoft/windows-container-networking, for overlay networks."),
  sdnPlugin(["nat"], "nat", "Of microsoft/windows-container-networking; containerd's own examples for Windows use it."),
];

function settleFlags(source: JsonObject, draft: Draft): void {
  const flags = findField(source, "optionalFlags");
  if (!isJsonObject(flags)) return;
  if (findField(flags, "gatewayFromAdditionalRoutes") === true) takeDefaultRoute(draft);
  if (findField(flags, "forceBridgeGateway") === true) forceHostEndpoint(draft);
}

function forceHostEndpoint(draft: Draft): void {
  draft.gateway = undefined;
  if (findField(draft.source, "gatewayMode") !== undefined) return;
  draft.set("gatewayMode", "host-endpoint");
  const ipam = draft.get("ipam");
  if (!isJsonObject(ipam) || ipam["cidr"] === undefined || ipam["gateway"] === undefined) return;
  draft.set("ipam", Object.fromEntries(Object.entries(ipam).filter(([key]) => key !== "gateway")));
}

/** The default route among the additional ones becomes the pods' gateway. */
function takeDefaultRoute(draft: Draft): void {
  const routes = draft.get("additionalRoutes");
  const list: readonly unknown[] = Array.isArray(routes) ? routes : [];
  const found = list.find((route) => isJsonObject(route) && route["destination"] === "0.0.0.0/0");
  const hop = isJsonObject(found) && typeof found["nextHop"] === "string" ? findIp(found["nextHop"]) : undefined;
  if (hop === undefined) return;
  draft.set(
    "additionalRoutes",
    list.filter((route) => route !== found),
  );
  draft.gateway = { address: formatIp(hop), path: draft.below("additionalRoutes") };
}
