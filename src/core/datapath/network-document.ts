import { formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import { MODE_FACTS } from "../config/modes.ts";
import type { AttachableConfig, NetworkSubnet } from "../config/plugin-config.ts";
import { type NetworkDocument, type NetworkView, SCHEMA_V2, type SubnetDocument } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";
import { buildNetworkPolicies, buildSubnetPolicies, requireSubnets } from "./network-policies.ts";
import { listSubnets, offsetAddress } from "./subnets.ts";
import type { Traits } from "./traits.ts";

/** Offset in a subnet of the address that HNS keeps for itself. */
const HNS_GATEWAY = 1;

export const DEFAULT_ROUTES = { 4: "0.0.0.0/0", 6: "::/0" } as const;

/** The network as we create it. Flags 0 lets it persist over a reboot. */
export function buildNetwork(traits: Traits, config: AttachableConfig, version: HnsVersion | undefined): NetworkDocument {
  const subnets = listSubnets(config).map((subnet) => buildSubnet(traits, config, subnet));
  if (subnets.length === 0) requireSubnets(config);
  return {
    SchemaVersion: SCHEMA_V2,
    Name: config.networkName,
    Type: traits.type,
    Flags: 0,
    Ipams: [{ Type: subnets.length > 0 ? "Static" : "DHCP", Subnets: subnets }],
    Policies: buildNetworkPolicies(traits, config, version),
  };
}

function buildSubnet(traits: Traits, config: AttachableConfig, subnet: NetworkSubnet): SubnetDocument {
  const gateway = subnetGateway(traits, subnet);
  const policies = buildSubnetPolicies(traits, config);
  return {
    IpAddressPrefix: formatCidr(subnet.cidr),
    ...(gateway !== undefined && { Routes: [{ NextHop: formatIp(gateway), DestinationPrefix: DEFAULT_ROUTES[gateway.family] }] }),
    ...(policies.length > 0 && { Policies: policies }),
  };
}

/** The gateway of the HNS network in one of its subnets; on l2bridge nothing answers there, Windows only wants it to exist. */
export function subnetGateway({ mode }: Traits, subnet: NetworkSubnet): IpAddress | undefined {
  switch (MODE_FACTS[mode].networkGateway) {
    case "first":
      return offsetAddress(subnet, HNS_GATEWAY);
    case "configured":
      return subnet.gateway;
    case "none":
      return undefined;
  }
}

/** What differs, as "field is X, wanted Y". */
export function compareNetwork(traits: Traits, network: NetworkView, config: AttachableConfig): string[] {
  return [
    ...compareType(traits, network),
    ...listSubnets(config).flatMap((subnet) => compareSubnet(traits, network, subnet)),
    ...compareAdapter(traits, network, config),
    ...(traits.own?.compare(network, config) ?? []),
  ];
}

function compareType({ type, servedTypes = [] }: Traits, network: NetworkView): string[] {
  const isServed = [type, ...servedTypes].some((served) => served.toLowerCase() === network.type.toLowerCase());
  return isServed ? [] : [`Type is ${network.type}, wanted ${type}`];
}

function compareSubnet(traits: Traits, network: NetworkView, wanted: NetworkSubnet): string[] {
  const prefix = formatCidr(wanted.cidr);
  const subnet = network.subnets.find((entry) => entry.prefix.toLowerCase() === prefix);
  if (subnet === undefined) {
    return [`subnet is ${network.subnets.map((entry) => entry.prefix).join(", ") || "none"}, wanted ${prefix} (ipam.cidr)`];
  }
  const gateway = subnetGateway(traits, wanted);
  if (gateway === undefined || subnet.gateway === formatIp(gateway)) return [];
  return [`gateway is ${subnet.gateway ?? "none"}, wanted ${formatIp(gateway)}`];
}

function compareAdapter({ isExternal }: Traits, network: NetworkView, { adapter }: AttachableConfig): string[] {
  if (!isExternal || adapter === undefined || network.adapter === undefined) return [];
  return network.adapter.toLowerCase() === adapter.toLowerCase() ? [] : [`adapter is "${network.adapter}", wanted "${adapter}"`];
}
