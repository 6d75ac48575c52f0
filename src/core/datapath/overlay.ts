import type { IpAddress } from "../base/ip.ts";
import { DEFAULT_VSID, DEFAULT_VXLAN_PORT } from "../config/mode-settings.ts";
import { formatHnsVersion, supports } from "../hcn/features.ts";
import { buildVsid } from "../policy/isolation.ts";
import { buildDatapath } from "./build-datapath.ts";
import type { Datapath } from "./datapath.ts";
import { HOST_ENDPOINT } from "./routes.ts";
import { firstSubnets, offsetAddress } from "./subnets.ts";
import type { OwnTraits } from "./traits.ts";

/**
 * VXLAN between the nodes. Sources: the networks of flannel's vxlan backend and of Calico, the endpoint of win-overlay.
 * Whoever knows the other nodes adds their RemoteSubnetRoute policies to the network.
 */
const own: OwnTraits = {
  findUnsupported: ({ vxlanPort = DEFAULT_VXLAN_PORT }, version) => {
    if (vxlanPort === DEFAULT_VXLAN_PORT || supports(version, "vxlanPort")) return undefined;
    const problem = `${vxlanPort}, and HNS ${formatHnsVersion(version)} knows ${DEFAULT_VXLAN_PORT} alone`;
    return { field: "vxlanPort", problem, remedy: `use ${DEFAULT_VXLAN_PORT} on every node, or a Windows with HNS 10.3 or later` };
  },
  networkPolicies: ({ vxlanPort = DEFAULT_VXLAN_PORT }) =>
    vxlanPort === DEFAULT_VXLAN_PORT ? [] : [{ Type: "VxlanPort", Settings: { Port: vxlanPort } }],
  subnetPolicies: ({ vsid = DEFAULT_VSID }) => [buildVsid(vsid)],
  compare: (network, { vsid, vxlanPort }) => {
    const other = network.subnets.find((subnet) => subnet.vsid !== undefined && subnet.vsid !== vsid);
    const port = network.vxlanPort ?? DEFAULT_VXLAN_PORT;
    return [
      ...(other === undefined || vsid === undefined ? [] : [`VSID is ${other.vsid ?? 0}, wanted ${vsid} (vsid)`]),
      ...(vxlanPort === undefined || port === vxlanPort ? [] : [`VxlanPort is ${port}, wanted ${vxlanPort} (vxlanPort)`]),
    ];
  },
  podPolicies: (address) => (address === undefined ? [] : [{ Type: "ProviderAddress", Settings: { ProviderAddress: address } }]),
  // kube-proxy makes the endpoint of this address itself, with the MAC address of the node's card, which HNS does not tell: one that we
  // made would be in its way. Every pool keeps the address back.
  sourceVips: (config) => firstSubnets(config).map((subnet) => offsetAddress(subnet, HOST_ENDPOINT)),
  podMac: ({ endpointMacPrefix }, [address]) => (address === undefined ? undefined : buildMac(endpointMacPrefix, address)),
};

export const overlay: Datapath = buildDatapath({
  mode: "overlay",
  type: "Overlay",
  isExternal: true,
  families: [4],
  hasPortMappings: true,
  canUseDhcp: false,
  own,
});

/** The prefix and the last four bytes of the address, so that a peer that keeps a pod's MAC address learns nothing new when the address comes back. */
function buildMac(prefix: string, address: IpAddress): string {
  const tail = BigInt.asUintN(32, BigInt(address.value)).toString(16).padStart(8, "0").toUpperCase();
  return [prefix, ...(tail.match(/../g) ?? [])].join("-");
}
