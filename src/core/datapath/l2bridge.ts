import type { PluginConfig, PodRoute } from "../config/plugin-config.ts";
import { addressAt, type Cidr, findCidr, formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import { formatGuid, formatMac, type Guid, type Mac } from "../base/ids.ts";
import {
  type DnsDocument,
  type EndpointDocument,
  type NetworkDocument,
  type NetworkView,
  type PolicyDocument,
  SCHEMA_V2,
} from "../hcn/documents.ts";
import { type HnsVersion, supports } from "../hcn/features.ts";
import { buildLoopbackDsr } from "../policy/loopback-dsr.ts";
import { buildOutboundNat } from "../policy/outbound-nat.ts";
import { buildPortMappings } from "../policy/port-mapping.ts";
import { buildSdnRoutes } from "../policy/sdn-route.ts";

/** Offsets in the pod subnet: HNS keeps .1 for itself, and .2 is the host endpoint that routes for the pods. */
const HNS_GATEWAY = 1;
const HOST_ENDPOINT = 2;

const DEFAULT_ROUTE = "0.0.0.0/0";

/** The gateway of the HNS network; on l2bridge nothing answers there, Windows only wants it to exist. */
export function networkGateway(config: PluginConfig): IpAddress {
  return addressAt(config.ipam.pools[0].cidr, HNS_GATEWAY);
}

/** The address of the host endpoint. */
export function hostEndpointAddress(config: PluginConfig): IpAddress {
  return addressAt(config.ipam.pools[0].cidr, HOST_ENDPOINT);
}

/** The pods' default gateway; undefined when they get none. */
export function podGateway(config: PluginConfig): IpAddress | undefined {
  switch (config.gatewayMode) {
    case "host-endpoint":
      return hostEndpointAddress(config);
    case "ipam":
      return config.ipam.pools[0].gateway;
    case "none":
      return undefined;
  }
}

/** The pods' routes: the default route through their gateway, then those of another IPAM plugin. */
export function podRoutes(config: PluginConfig): readonly PodRoute[] {
  const gateway = podGateway(config);
  const destination = findCidr(DEFAULT_ROUTE);
  const standard = gateway === undefined || destination === undefined ? [] : [{ destination, nextHop: gateway }];
  return [...standard, ...(config.delegated?.routes ?? [])];
}

/** The network as we create it. Source: the l2bridge network of Azure's plugin; Flags 0 lets it persist over a reboot. */
export function buildNetwork(config: PluginConfig): NetworkDocument {
  const route = { NextHop: formatIp(networkGateway(config)), DestinationPrefix: DEFAULT_ROUTE };
  const subnet = { IpAddressPrefix: formatCidr(config.ipam.pools[0].cidr), Routes: [route] };
  const { adapter } = config;
  return {
    SchemaVersion: SCHEMA_V2,
    Name: config.networkName,
    Type: "L2Bridge",
    Flags: 0,
    Ipams: [{ Type: "Static", Subnets: [subnet] }],
    Policies: adapter === undefined ? [] : [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: adapter } }],
  };
}

/** What in `network` differs from the configuration, as "field is X, wanted Y"; empty when it can be used. */
export function compareNetwork(network: NetworkView, config: PluginConfig): string[] {
  const differences: string[] = [];
  if (network.type.toLowerCase() !== "l2bridge") differences.push(`Type is ${network.type}, wanted L2Bridge`);
  const prefix = formatCidr(config.ipam.pools[0].cidr);
  const subnet = network.subnets.find((entry) => entry.prefix === prefix);
  const gateway = formatIp(networkGateway(config));
  if (subnet === undefined) {
    differences.push(`subnet is ${network.subnets.map((entry) => entry.prefix).join(", ") || "none"}, wanted ${prefix} (ipam.cidr)`);
  } else if (subnet.gateway !== gateway) {
    differences.push(`gateway is ${subnet.gateway ?? "none"}, wanted ${gateway}`);
  }
  const { adapter } = config;
  if (adapter !== undefined && network.adapter !== undefined && network.adapter.toLowerCase() !== adapter.toLowerCase()) {
    differences.push(`adapter is "${network.adapter}", wanted "${adapter}"`);
  }
  return differences;
}

/** The endpoint through which the node routes for its pods. It has no route of its own: the host's table is used. */
export function buildHostEndpoint(config: PluginConfig, name: string, network: Guid): EndpointDocument {
  return {
    SchemaVersion: SCHEMA_V2,
    Name: name,
    HostComputeNetwork: formatGuid(network),
    IpConfigurations: [{ IpAddress: formatIp(hostEndpointAddress(config)), PrefixLength: config.ipam.pools[0].cidr.prefix }],
  };
}

export interface PodEndpoint {
  readonly name: string;
  readonly network: Guid;
  readonly addresses: readonly IpAddress[];
  /** Absent leaves it to HNS. */
  readonly mac?: Mac;
  readonly version: HnsVersion;
}

/** A pod's endpoint with all its policies, so that the pod never runs with fewer rules than asked. */
export function buildPodEndpoint(config: PluginConfig, pod: PodEndpoint): EndpointDocument {
  const routes = podRoutes(config).map((route) => ({ NextHop: formatIp(route.nextHop), DestinationPrefix: formatCidr(route.destination) }));
  const dns = buildDns(config);
  return {
    SchemaVersion: SCHEMA_V2,
    Name: pod.name,
    HostComputeNetwork: formatGuid(pod.network),
    Policies: buildPodPolicies(config, pod),
    IpConfigurations: pod.addresses.map((address) => ({ IpAddress: formatIp(address), PrefixLength: config.ipam.pools[0].cidr.prefix })),
    ...(pod.mac !== undefined && { MacAddress: formatMac(pod.mac) }),
    ...(dns !== undefined && { Dns: dns }),
    ...(routes.length > 0 && { Routes: routes }),
  };
}

/** The policies of a pod's endpoint, in the order the reference plugins send them; networks of a family the pod lacks are left out. */
export function buildPodPolicies(config: PluginConfig, pod: Pick<PodEndpoint, "addresses" | "version">): PolicyDocument[] {
  const hasLoopback = config.loopbackDsr && supports(pod.version, "loopbackDsr");
  const families = new Set(pod.addresses.map((address) => address.family));
  const ofPod = (cidrs: readonly Cidr[]): Cidr[] => cidrs.filter((cidr) => families.has(cidr.address.family));
  return [
    ...buildOutboundNat(ofPod([...config.clusterCidrs, ...config.serviceCidrs])),
    ...buildSdnRoutes(ofPod(config.serviceCidrs)),
    ...buildPortMappings(config.portMappings),
    ...(hasLoopback ? buildLoopbackDsr(pod.addresses) : []),
  ];
}

/** Undefined when the configuration says nothing of DNS: HNS then gives the node's own servers. */
function buildDns(config: PluginConfig): DnsDocument | undefined {
  const { domain, nameservers, search, options } = config.dns;
  const document: DnsDocument = {
    ...(domain !== undefined && { Domain: domain }),
    ...(search.length > 0 && { Search: search }),
    ...(nameservers.length > 0 && { ServerList: nameservers }),
    ...(options.length > 0 && { Options: options }),
  };
  return Object.keys(document).length === 0 ? undefined : document;
}
