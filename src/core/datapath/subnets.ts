import { addressAt, containsIp, type Family, type IpAddress, width } from "../base/ip.ts";
import type { AttachableConfig, NetworkSubnet, PodAddress } from "../config/plugin-config.ts";

const FAMILIES: readonly Family[] = [4, 6];

/** The subnets of the HNS network. */
export function listSubnets(config: AttachableConfig): readonly NetworkSubnet[] {
  return "ipam" in config ? config.ipam.pools : config.hnsAddressed.subnets;
}

/** The first subnet of each family, IPv4 first. */
export function firstSubnets(config: AttachableConfig): NetworkSubnet[] {
  return FAMILIES.flatMap((family) => listSubnets(config).find(({ cidr }) => cidr.address.family === family) ?? []);
}

/** The subnet that has `address`; for one of an earlier configuration the first subnet of its family. */
export function findSubnet(config: AttachableConfig, address: IpAddress): NetworkSubnet | undefined {
  const subnets = listSubnets(config).filter(({ cidr }) => cidr.address.family === address.family);
  return subnets.find(({ cidr }) => containsIp(cidr, address)) ?? subnets[0];
}

/** The address at `offset` of the subnet. */
export function offsetAddress({ cidr }: NetworkSubnet, offset: number): IpAddress {
  return addressAt(cidr, offset);
}

/** The prefix length that whoever gave the address said, else that of its subnet. */
export function findPrefix(config: AttachableConfig, address: IpAddress): number {
  const given = listGiven(config).find((entry) => entry.address.family === address.family && entry.address.value === address.value);
  return given?.prefix ?? findSubnet(config, address)?.cidr.prefix ?? width(address.family);
}

function listGiven(config: AttachableConfig): readonly PodAddress[] {
  return ("ipam" in config ? config.delegated?.addresses : config.hnsAddressed.addresses) ?? [];
}
