import { type Cidr, type Family, formatCidr, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { FAMILIES, findOfFamily, natFlags } from "./nat-flags.ts";

export interface OutboundNatOptions {
  /** Networks of other families are left out; default: both. */
  readonly families?: readonly Family[];
  /** The address traffic leaves with, one a family, in the place of the node's own. */
  readonly virtualIps?: readonly IpAddress[];
}

/**
 * Traffic to `exceptions` keeps the pod's address; all else leaves with the node's, or with the family's virtual IP. One policy a
 * family, IPv4 first, each network named once and in the order given. A family with neither exception nor virtual IP has none: HNS then
 * applies the network's own default.
 * Source: `{"Type":"OutBoundNAT","Settings":{"Exceptions":[..]}}` of the HCN schema; IPv6 carries `Flags` 2, as Microsoft's PowerShell module sends it.
 */
export function buildOutboundNat(exceptions: readonly Cidr[], options: OutboundNatOptions = {}): PolicyDocument[] {
  const { families = FAMILIES, virtualIps = [] } = options;
  return FAMILIES.filter((family) => families.includes(family)).flatMap((family) => {
    const networks = textsOf(exceptions, family);
    const virtualIp = findOfFamily(virtualIps, family);
    if (networks.length === 0 && virtualIp === undefined) return [];
    const Settings = {
      ...(virtualIp !== undefined && { VirtualIP: virtualIp }),
      ...(networks.length > 0 && { Exceptions: networks }),
      ...natFlags(family),
    };
    return [{ Type: "OutBoundNAT", Settings }];
  });
}

/**
 * Only traffic to `destinations` leaves with the family's virtual IP, or the node's address where there is none; one policy a family.
 * It stands beside the policy with exceptions and is never merged with it. Needs HNS 9.3-9.x or 10.2 and later.
 * Source: `{"VirtualIP":..,"Destinations":[..]}`, the form Azure's plugin sends to let pods reach the platform's own addresses.
 */
export function buildDestinationNat(destinations: readonly Cidr[], virtualIps: readonly IpAddress[] = []): PolicyDocument[] {
  return FAMILIES.flatMap((family) => {
    const networks = textsOf(destinations, family);
    if (networks.length === 0) return [];
    const virtualIp = findOfFamily(virtualIps, family);
    return [
      {
        Type: "OutBoundNAT",
        Settings: { ...(virtualIp !== undefined && { VirtualIP: virtualIp }), Destinations: networks, ...natFlags(family) },
      },
    ];
  });
}

function textsOf(networks: readonly Cidr[], family: Family): string[] {
  return [...new Set(networks.filter((cidr) => cidr.address.family === family).map(formatCidr))];
}
