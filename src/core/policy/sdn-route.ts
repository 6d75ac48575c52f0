import { type Cidr, formatCidr } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/**
 * Sends traffic for each of `destinations` through the host's layer, where kube-proxy's load balancer policies act on it.
 * Source: `{"Type":"SDNRoute","Settings":{"DestinationPrefix":..,"NeedEncap":true}}` of the HCN schema.
 */
export function buildSdnRoutes(destinations: readonly Cidr[]): PolicyDocument[] {
  const unique = [...new Set(destinations.map(formatCidr))];
  return unique.map((prefix) => ({ Type: "SDNRoute", Settings: { DestinationPrefix: prefix, NeedEncap: true } }));
}
