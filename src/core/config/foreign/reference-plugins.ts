import { policyList } from "./policies.ts";
import { commonKeys, type ForeignPlugin } from "./plugin.ts";
import { rangeList } from "./ranges.ts";
import { drop, keep } from "./rules.ts";

const HOST_ENDPOINT = { isGatewayFromIpam: false } as const;

const API_VERSION = drop("this plugin always speaks HNS v2");

/** A range under a name of its own. */
const MASQUERADE = rangeList("clusterCidrs", "the range keeps the pod's address");

/** Source: pkg/hns of containernetworking/plugins, HNS v1 and v2. */
export const WIN_BRIDGE: ForeignPlugin = {
  types: ["win-bridge"],
  about:
    "Of containernetworking/plugins. It attaches pods to an l2bridge network that must be there; hns-cni makes the network when it is not. " +
    "For a network of the type L2Tunnel, set `mode` to `l2tunnel`.",
  mode: "l2bridge",
  ...HOST_ENDPOINT,
  keys: {
    ...commonKeys(HOST_ENDPOINT),
    apiVersion: API_VERSION,
    loopbackDSR: keep("loopbackDSR", "off unless set; this plugin's own default is on"),
    ipMasqNetwork: MASQUERADE,
    clusterNetworkPrefix: MASQUERADE,
    policies: policyList("HNS v1 and v2 spelling"),
    AdditionalArgs: policyList("older name of policies"),
    HcnPolicyArgs: policyList("older name of policies"),
    ipMasq: drop("win-bridge does not read it; ranges that keep the pod's address are in ipMasqNetwork and policies"),
  },
};

/** Source: pkg/hns of containernetworking/plugins, HNS v1 and v2. */
export const WIN_OVERLAY: ForeignPlugin = {
  types: ["win-overlay"],
  about:
    "Of containernetworking/plugins. It attaches pods to an overlay network that flannel or another agent has made; the provider address and " +
    "the MAC addresses are this plugin's business afterwards.",
  mode: "overlay",
  ...HOST_ENDPOINT,
  keys: {
    ...commonKeys(HOST_ENDPOINT),
    apiVersion: API_VERSION,
    loopbackDSR: keep("loopbackDSR", "off unless set; this plugin's own default is on"),
    ipMasq: keep("ipMasq", "the network's own range keeps the pod's address"),
    endpointMacPrefix: keep("endpointMacPrefix"),
    policies: policyList("HNS v1 and v2 spelling"),
    AdditionalArgs: policyList("older name of policies"),
    HcnPolicyArgs: policyList("older name of policies"),
    ipMasqNetwork: drop("win-overlay does not read it; see ipMasq"),
    clusterNetworkPrefix: drop("win-overlay does not read it; see ipMasq"),
  },
};
