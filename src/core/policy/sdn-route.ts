import { type Cidr, type Family, formatCidr, formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { FAMILIES } from "./nat-flags.ts";

export interface SdnRouteOptions {
  /** Destinations of other families are left out; default: both. */
  readonly families?: readonly Family[];
  /** Where HNS sends the traffic; default: HNS's own choice. For destinations of its own family. */
  readonly nextHop?: IpAddress;
  /** Whether the traffic goes through the host's layer; default: it does. */
  readonly needEncap?: boolean;
}

/**
 * Sends traffic for each of `destinations` through the host's layer, where kube-proxy's load balancer policies act on it. One policy a
 * destination, each once.
 * Source: `{"Type":"SDNRoute","Settings":{"DestinationPrefix":..,"NextHop":..,"NeedEncap":true}}` of the HCN schema.
 */
export function buildSdnRoutes(destinations: readonly Cidr[], options: SdnRouteOptions = {}): PolicyDocument[] {
  const { families = FAMILIES, nextHop, needEncap = true } = options;
  const unique = new Map(destinations.map((cidr) => [formatCidr(cidr), cidr.address.family]));
  return [...unique]
    .filter(([, family]) => families.includes(family))
    .map(([prefix, family]) => ({
      Type: "SDNRoute",
      Settings: {
        DestinationPrefix: prefix,
        ...(nextHop?.family === family && { NextHop: formatIp(nextHop) }),
        NeedEncap: needEncap,
      },
    }));
}
