import { type Mac, formatGuid } from "../base/ids.ts";
import { type Cidr, type Family, formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import { MODE_FACTS } from "../config/modes.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import { type DnsDocument, type EndpointDocument, type PolicyDocument, SCHEMA_V2 } from "../hcn/documents.ts";
import { supports } from "../hcn/features.ts";
import { buildLoopbackDsr } from "../policy/loopback-dsr.ts";
import { buildOutboundNat } from "../policy/outbound-nat.ts";
import { buildPortMappings } from "../policy/port-mapping.ts";
import { buildSdnRoutes } from "../policy/sdn-route.ts";
import type { PodEndpoint } from "./datapath.ts";
import { familiesOf, podRoutes } from "./routes.ts";
import { findPrefix, findSubnet, listSubnets } from "./subnets.ts";
import type { Traits } from "./traits.ts";

/** A pod's endpoint with all its policies. Where HNS chooses the addresses it has no IpConfigurations. */
export function buildPodEndpoint(traits: Traits, config: AttachableConfig, pod: PodEndpoint): EndpointDocument {
  const routes = podRoutes(traits, config, pod.addresses).map(({ nextHop, destination }) => {
    return { NextHop: formatIp(nextHop), DestinationPrefix: formatCidr(destination) };
  });
  const dns = buildDns(config);
  const mac = config.mac === undefined ? traits.own?.podMac(config, pod.addresses) : formatHnsMac(config.mac);
  return {
    SchemaVersion: SCHEMA_V2,
    Name: pod.name,
    HostComputeNetwork: formatGuid(pod.network),
    Policies: buildPodPolicies(traits, config, pod),
    ...(pod.addresses.length > 0 && { IpConfigurations: buildIpConfigurations(config, pod.addresses) }),
    ...(mac !== undefined && { MacAddress: mac }),
    ...(dns !== undefined && { Dns: dns }),
    ...(routes.length > 0 && { Routes: routes }),
  };
}

/** In HNS's subnet the prefix length is the subnet's, whatever another IPAM plugin's mask is. */
export function buildIpConfigurations(
  config: AttachableConfig,
  addresses: readonly IpAddress[],
): { IpAddress: string; PrefixLength: number }[] {
  return addresses.map((address) => ({
    IpAddress: formatIp(address),
    PrefixLength: findSubnet(config, address)?.cidr.prefix ?? findPrefix(config, address),
  }));
}

/**
 * The policies of a pod's endpoint, in the order the reference plugins send them. Where HNS chooses the addresses, those that need
 * them are added once they are known.
 */
export function buildPodPolicies(
  traits: Traits,
  config: AttachableConfig,
  pod: Pick<PodEndpoint, "addresses" | "version" | "providerAddress">,
): PolicyDocument[] {
  const own = traits.own?.podPolicies(pod.providerAddress) ?? [];
  const mappings = buildPortMappings(config.portMappings);
  const overhead = config.encapOverhead === undefined ? [] : [{ Type: "EncapOverhead", Settings: { Overhead: config.encapOverhead } }];
  if (!MODE_FACTS[traits.mode].hasSdnPolicies) return [...mappings, ...overhead, ...own];
  const families = familiesOf(config, pod.addresses);
  const ofPod = (cidrs: readonly Cidr[]): Cidr[] => cidrs.filter((cidr) => families.has(cidr.address.family));
  return [
    ...buildOutboundNat(ofPod(listNatExceptions(config))),
    ...buildSdnRoutes(ofPod(config.serviceCidrs)),
    ...buildEncapRoutes(config, families),
    ...mappings,
    ...(hasLoopback(config, pod) ? buildLoopbackDsr(pod.addresses) : []),
    ...overhead,
    ...own,
  ];
}

function hasLoopback(config: AttachableConfig, { version }: Pick<PodEndpoint, "version">): boolean {
  return config.loopbackDsr && supports(version, "loopbackDsr");
}

/** Traffic to these keeps the pod's address. */
function listNatExceptions(config: AttachableConfig): Cidr[] {
  return [
    ...config.clusterCidrs,
    ...config.serviceCidrs,
    ...(config.ipMasqNetwork === undefined ? [] : [config.ipMasqNetwork]),
    ...(config.ipMasq ? listSubnets(config).map(({ cidr }) => cidr) : []),
  ];
}

/** The configuration's own routes through the host's layer. */
function buildEncapRoutes(config: AttachableConfig, families: ReadonlySet<Family>): PolicyDocument[] {
  return config.additionalRoutes
    .filter(({ needEncap, destination }) => needEncap && families.has(destination.address.family))
    .map(({ destination, nextHop }) => {
      const hop = nextHop === undefined ? {} : { NextHop: formatIp(nextHop) };
      return { Type: "SDNRoute", Settings: { DestinationPrefix: formatCidr(destination), ...hop, NeedEncap: true } };
    });
}

/** `0E-2A-0A-F4-00-03`, HNS's own form. */
export function formatHnsMac(mac: Mac): string {
  return mac.replaceAll(":", "-").toUpperCase();
}

/** Undefined when the configuration says nothing of DNS: HNS then gives the node's own servers. */
function buildDns(config: AttachableConfig): DnsDocument | undefined {
  const { domain, nameservers, search, options } = config.dns;
  const document: DnsDocument = {
    ...(domain !== undefined && { Domain: domain }),
    ...(search.length > 0 && { Search: search }),
    ...(nameservers.length > 0 && { ServerList: nameservers }),
    ...(options.length > 0 && { Options: options }),
  };
  return Object.keys(document).length === 0 ? undefined : document;
}
