import { addressAt, findCidr, findIp, formatCidr } from "../base/ip.ts";
import type { AttachableConfig, NetworkSubnet } from "../config/plugin-config.ts";
import type { NetworkView } from "../hcn/documents.ts";

/** Where HNS chooses the addresses, the network's own subnets and gateways count, of those that the configuration names, if any. */
export function settleSubnets(config: AttachableConfig, network: NetworkView): AttachableConfig {
  if ("ipam" in config) return config;
  const found = network.subnets.flatMap(({ prefix, gateway }): NetworkSubnet[] => {
    const cidr = findCidr(prefix);
    return cidr === undefined ? [] : [{ cidr, gateway: findIp(gateway ?? "") ?? addressAt(cidr, 1) }];
  });
  const { subnets } = config.hnsAddressed;
  const known = new Map(found.map((subnet) => [formatCidr(subnet.cidr), subnet]));
  const settled = subnets.length === 0 ? found : subnets.map((subnet) => known.get(formatCidr(subnet.cidr)) ?? subnet);
  return { ...config, hnsAddressed: { ...config.hnsAddressed, subnets: settled } };
}
