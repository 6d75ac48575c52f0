import { type Mac, formatGuid } from "../base/ids.ts";
import { formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import { type DnsDocument, type EndpointDocument, SCHEMA_V2 } from "../hcn/documents.ts";
import type { PodEndpoint } from "./datapath.ts";
import { buildPodPolicies } from "./pod-policies.ts";
import { podRoutes } from "./routes.ts";
import { findPrefix, findSubnet } from "./subnets.ts";
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

/** `0E-2A-0A-F4-00-03`, HNS's own form. */
export function formatHnsMac(mac: Mac): string {
  return mac.replaceAll(":", "-").toUpperCase();
}
