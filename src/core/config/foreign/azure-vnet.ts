import { findField } from "../../cni/json.ts";
import { policyList } from "./policies.ts";
import { commonKeys, dnsSection, type ForeignPlugin } from "./plugin.ts";
import { rangeList } from "./ranges.ts";
import { decide, drop, rename, translate, within, type Rule, type Table } from "./rules.ts";

const FROM_IPAM = { isGatewayFromIpam: true } as const;

const MODES: ReadonlyMap<string, string> = new Map([
  ["", "l2bridge"],
  ["bridge", "l2bridge"],
  ["tunnel", "l2tunnel"],
]);

const LEVELS = ["error", "warn", "info", "debug"];

const NOT_ON_WINDOWS = drop("azure-vnet reads it on Linux alone");

const WINDOWS_SETTINGS: Table = {
  enableLoopbackDSR: rename("loopbackDSR"),
  hnsTimeoutDurationInSeconds: translate("callTimeoutSeconds", "0 (no limit) has no equivalent", ({ path, value }, draft) => {
    if (value === 0) draft.drop(path, "0 is no limit; here every call to HNS has one");
    else draft.put(path, "renamed", { to: "callTimeoutSeconds", value });
  }),
};

function modeRule(): Rule {
  return translate("mode", "bridge is l2bridge, tunnel is l2tunnel", (place, draft) => {
    const mode = typeof place.value === "string" ? MODES.get(place.value.toLowerCase()) : undefined;
    if (mode === undefined) draft.fault(place, "is no mode of azure-vnet on Windows", "write bridge or tunnel");
    else draft.put(place.path, "translated", { to: "mode", value: mode, text: `"${String(place.value)}" is ${mode}` });
  });
}

/** `adapterName` comes before `master`. */
function adapterRule(key: "adapterName" | "master"): Rule {
  return translate("adapter", key === "master" ? "where adapterName is empty" : "", ({ path, value }, draft) => {
    const adapterName = findField(draft.source, "adapterName") ?? "";
    if (value === "") draft.drop(path, "empty means that HNS chooses");
    else if (key === "master" && adapterName !== "") draft.drop(path, "adapterName comes first");
    else if (typeof value === "string" && value.startsWith("vEthernet")) draft.drop(path, "a virtual adapter is left to HNS");
    else draft.put(path, "renamed", { to: "adapter", value });
  });
}

function levelRule(): Rule {
  return translate("logLevel", "", ({ path, value }, draft) => {
    const level = typeof value === "string" ? value.toLowerCase() : "";
    if (!LEVELS.includes(level)) draft.drop(path, "no level of this plugin");
    else draft.put(path, "translated", { to: "logLevel", value: level, text: level });
  });
}

/** Source: cni/netconfig.go of Azure/azure-container-networking. */
export const AZURE_VNET: ForeignPlugin = {
  types: ["azure-vnet", "azure-vnet-stateless"],
  about:
    "Of Azure/azure-container-networking, on AKS. Pods have the gateway of their subnet (`gatewayMode` `ipam`). azure-cns is a service and no IPAM " +
    "plugin, so its nodes need `--cidr`; azure-vnet-ipam stays unless `--ipam ours` is given.",
  mode: "l2bridge",
  ...FROM_IPAM,
  keys: {
    ...commonKeys(FROM_IPAM),
    mode: modeRule(),
    dns: within("dns", dnsSection("the pod's namespace was put before the list; capabilities.dns brings the pod's own list instead")),
    adapterName: adapterRule("adapterName"),
    master: adapterRule("master"),
    windowsSettings: within("", WINDOWS_SETTINGS),
    AdditionalArgs: policyList("EndpointPolicy entries; NetworkPolicy ones need your decision"),
    policies: policyList("as AdditionalArgs"),
    serviceCidrs: rangeList("serviceCidrs", "text with commas, or a list"),
    vnetCidrs: rangeList("clusterCidrs", "text with commas, or a list"),
    infraVnetAddressSpace: decide("add the range to clusterCidrs if pods shall reach it with their own address"),
    multiTenancy: decide("a network for each VLAN is not to be had here"),
    enableExactMatchForPodName: drop("of multitenancy alone"),
    executionMode: decide("v4swift and baremetal get their interfaces from Azure's service"),
    ipv6Mode: decide("ipv6nat has no equivalent"),
    logLevel: levelRule(),
    logTarget: drop("the log is a file, see logFile"),
    cnsurl: drop("Azure's service is not asked any more"),
    disableAsyncDelete: drop("DEL is always finished or repeated"),
    bridge: NOT_ON_WINDOWS,
    enableSnatOnHost: decide("of multitenancy: an interface of its own for traffic to the node"),
    disableHairpinOnHostInterface: NOT_ON_WINDOWS,
    disableIPTableLock: NOT_ON_WINDOWS,
    ipsToRouteViaHost: NOT_ON_WINDOWS,
    podNamespaceForDualNetwork: decide("a second interface by namespace is not to be had here"),
  },
};
