import { findIp, formatIp } from "../../base/ip.ts";
import { commonKeys, dnsSection, type ForeignPlugin } from "./plugin.ts";
import { rangeList } from "./ranges.ts";
import { decide, drop, rename, translate, within, type Rule } from "./rules.ts";

const FROM_IPAM = { isGatewayFromIpam: true } as const;

const PLACEHOLDER = "{%namespace%}";

function searchRule(): Rule {
  return translate("dns.search", `entries with ${PLACEHOLDER} are left out; capabilities.dns brings the pod's own list`, (place, draft) => {
    if (!Array.isArray(place.value)) {
      draft.fault(place, "must be a list", 'list domain names, such as ["svc.cluster.local"]');
      return;
    }
    const list: readonly unknown[] = place.value;
    const plain = list.filter((entry) => !(typeof entry === "string" && entry.includes(PLACEHOLDER)));
    draft.setBelow("dns", "search", plain);
    draft.note(place.path, "translated", {
      to: "dns.search",
      text: `${list.length - plain.length} left out for ${PLACEHOLDER}: set capabilities.dns`,
    });
  });
}

function gatewayRule(): Rule {
  return translate("ipam.gateway", "with gatewayMode ipam", (place, draft) => {
    const ip = typeof place.value === "string" ? findIp(place.value) : undefined;
    if (ip === undefined) draft.fault(place, "is no IP address", "write the address of the pods' gateway");
    else draft.gateway = { address: formatIp(ip), path: place.path };
  });
}

/** Source: plugins/vpc-bridge of aws/amazon-vpc-cni-plugins. */
export const VPC_BRIDGE: ForeignPlugin = {
  types: ["vpc-bridge", "vpc-shared-eni"],
  about:
    "Of aws/amazon-vpc-cni-plugins, on EKS. A pod's address came from an annotation that AWS's controller writes; here the node needs a range of its own " +
    "(`--cidr`), such as a prefix of the network interface. The HNS network is called NAMEbrMAC: set `name` to that to use the one that is there.",
  mode: "l2bridge",
  ...FROM_IPAM,
  keys: {
    ...commonKeys(FROM_IPAM),
    dns: within("dns", { ...dnsSection(), search: searchRule() }),
    eniName: rename("adapter"),
    eniMACAddress: decide("HNS finds an adapter by its name: set adapter as Get-NetAdapter lists it"),
    eniIPAddresses: decide("the node's own address; pods reached it through an SDNRoute policy to it, which policies can have"),
    vpcCIDRs: rangeList("clusterCidrs", "the ranges keep the pod's address"),
    serviceCIDR: rangeList("serviceCidrs", ""),
    gatewayIPAddress: gatewayRule(),
    ipAddresses: decide("addresses of one pod; ipam.cidr is the node's range"),
    bridgeType: drop("of Linux alone; the HNS network is an l2bridge"),
    bridgeNetNSPath: drop("of Linux alone"),
    interfaceType: drop("of Linux alone"),
  },
};
