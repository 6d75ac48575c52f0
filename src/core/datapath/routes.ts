import { type Family, findCidr, type IpAddress } from "../base/ip.ts";
import { MODE_FACTS } from "../config/modes.ts";
import type { AttachableConfig, GatewayMode, NetworkSubnet, PodRoute } from "../config/plugin-config.ts";
import { DEFAULT_ROUTES, subnetGateway } from "./network-document.ts";
import { findSubnet, firstSubnets, offsetAddress } from "./subnets.ts";
import type { Traits } from "./traits.ts";

/** Offset in a subnet of the node's own endpoint, and of the source VIP of overlay networks. */
export const HOST_ENDPOINT = 2;

export function gatewayModeOf({ mode }: Traits, config: AttachableConfig): GatewayMode {
  return config.gatewayMode ?? MODE_FACTS[mode].gatewayMode;
}

/** The default gateway of a pod that has an address of `subnet`; undefined when it gets none. */
export function gatewayIn(traits: Traits, config: AttachableConfig, subnet: NetworkSubnet): IpAddress | undefined {
  switch (gatewayModeOf(traits, config)) {
    case "host-endpoint":
      return offsetAddress(subnet, HOST_ENDPOINT);
    case "network":
      return subnetGateway(traits, subnet);
    case "ipam":
      return subnet.gateway;
    case "none":
      return config.additionalRoutes.find(({ destination, needEncap }) => {
        return destination.prefix === 0 && !needEncap && destination.address.family === subnet.cidr.address.family;
      })?.nextHop;
  }
}

export function podGateway(traits: Traits, config: AttachableConfig, address: IpAddress): IpAddress | undefined {
  const subnet = findSubnet(config, address);
  return subnet === undefined ? undefined : gatewayIn(traits, config, subnet);
}

/** A default route for each of the pod's subnets, then the routes of another IPAM plugin and of the configuration. */
export function podRoutes(traits: Traits, config: AttachableConfig, addresses: readonly IpAddress[]): PodRoute[] {
  const families = familiesOf(config, addresses);
  const standard = linkedSubnets(config, addresses).flatMap((subnet) => {
    const nextHop = gatewayIn(traits, config, subnet);
    const destination = findCidr(DEFAULT_ROUTES[subnet.cidr.address.family]);
    return nextHop === undefined || destination === undefined ? [] : [{ destination, nextHop }];
  });
  const given = "ipam" in config ? (config.delegated?.routes ?? []) : [];
  const own = config.additionalRoutes.flatMap(({ destination, nextHop, needEncap }) => {
    return nextHop === undefined || needEncap || destination.prefix === 0 ? [] : [{ destination, nextHop }];
  });
  return [...standard, ...[...given, ...own].filter(({ destination }) => families.has(destination.address.family))];
}

/** The families of the pod's addresses; where HNS chooses them, those of the network's subnets. */
export function familiesOf(config: AttachableConfig, addresses: readonly IpAddress[]): Set<Family> {
  if (addresses.length > 0) return new Set(addresses.map(({ family }) => family));
  return new Set(firstSubnets(config).map(({ cidr }) => cidr.address.family));
}

function linkedSubnets(config: AttachableConfig, addresses: readonly IpAddress[]): NetworkSubnet[] {
  if (addresses.length === 0) return firstSubnets(config);
  return addresses.flatMap((address) => findSubnet(config, address) ?? []);
}
