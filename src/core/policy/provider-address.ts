import { formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/**
 * The address of the node that tunnels of an overlay network end at: the network's ManagementIP. On an endpoint it names the node the
 * pod is on, on a network the address HNS is to use itself. HNS can be late with ManagementIP; the caller waits for it, since a pod
 * without this policy is cut off from other nodes.
 * Source: `{"Type":"ProviderAddress","Settings":{"ProviderAddress":"10.0.0.4"}}`, as win-overlay sends it.
 */
export function buildProviderAddress(address: IpAddress): PolicyDocument {
  return { Type: "ProviderAddress", Settings: { ProviderAddress: formatIp(address) } };
}
