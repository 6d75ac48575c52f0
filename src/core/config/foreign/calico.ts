import { policyList } from "./policies.ts";
import { commonKeys, type ForeignPlugin } from "./plugin.ts";
import { decide, drop, rename, translate, type Rule } from "./rules.ts";

const HOST_ENDPOINT = { isGatewayFromIpam: false } as const;

const POLICY = drop("Calico's agent (Felix) writes the rules of network policies; it looks at networks by name (KUBE_NETWORK)");
const STORE = drop("no data store is asked");
const LINUX = drop("of Linux alone");

function modeRule(): Rule {
  return translate("mode", "vxlan is overlay, anything else l2bridge", ({ path, value }, draft) => {
    const mode = value === "vxlan" ? "overlay" : "l2bridge";
    draft.put(path, "translated", { to: "mode", value: mode, text: `${typeof value === "string" ? value : "this"} is ${mode}` });
  });
}

function levelRule(): Rule {
  return translate("logLevel", "warning is warn", ({ path, value }, draft) => {
    const lower = typeof value === "string" ? value.toLowerCase() : "";
    const level = lower === "warning" ? "warn" : lower;
    if (!["error", "warn", "info", "debug"].includes(level)) draft.drop(path, "no level of this plugin");
    else draft.put(path, "translated", { to: "logLevel", value: level, text: level });
  });
}

function singleNetwork(): Rule {
  return translate("", "false (a network for each block) has no equivalent", ({ path, value }, draft) => {
    if (value === true) draft.drop(path, "there is always one network, called name");
    else draft.decide(path, "there was a network for each block of addresses; here is one, called name");
  });
}

/** Source: cni-plugin/pkg/types of projectcalico/calico, and its Windows templates. */
export const CALICO: ForeignPlugin = {
  types: ["calico"],
  about:
    "Of projectcalico/calico. calico-ipam works with Calico alone, so the node needs a range of its own (`--cidr`); `hns-cni ipam import --from " +
    "calico-blocks` takes over what it has given out.",
  mode: "l2bridge",
  ...HOST_ENDPOINT,
  keys: {
    ...commonKeys(HOST_ENDPOINT),
    mode: modeRule(),
    vxlan_vni: rename("vsid"),
    vxlan_mac_prefix: rename("endpointMacPrefix"),
    windows_loopback_DSR: rename("loopbackDSR", "off unless set; this plugin's own default is on"),
    windows_use_single_network: singleNetwork(),
    policies: policyList("HNS v1 and v2 spelling; Calico itself adds the ranges of its pools, which belong into clusterCidrs"),
    log_level: levelRule(),
    log_file_path: rename("logFile"),
    policy: POLICY,
    windows_disable_default_deny_all_policy: POLICY,
    policy_setup_timeout_seconds: POLICY,
    datastore_type: STORE,
    etcd_endpoints: STORE,
    etcd_key_file: STORE,
    etcd_cert_file: STORE,
    etcd_ca_cert_file: STORE,
    kubernetes: STORE,
    nodename: STORE,
    nodename_file: STORE,
    nodename_file_optional: STORE,
    ipam_lock_file: drop("the state is one database, which needs no lock file"),
    feature_control: decide("addresses by annotation are not to be had here"),
    readiness_gates: decide("the plugin waits for nothing but HNS"),
    windows_pod_deletion_timestamp_timeout: drop("of Docker alone"),
    mtu: drop("Calico does not set it on Windows either"),
    require_mtu_file: LINUX,
    container_settings: LINUX,
    device_type: LINUX,
    num_queues: LINUX,
  },
};

/** Source: antrea-cni.conflist of antrea's Windows chart. */
export const ANTREA: ForeignPlugin = {
  types: ["antrea"],
  about:
    "Of antrea-io/antrea. Its pods hang on Open vSwitch, which antrea's agent programs; the converted configuration makes an l2bridge network of its own, " +
    "and the agent has to go. The range of the node (`--cidr`) came from the agent too.",
  mode: "l2bridge",
  ...HOST_ENDPOINT,
  keys: commonKeys(HOST_ENDPOINT),
};
