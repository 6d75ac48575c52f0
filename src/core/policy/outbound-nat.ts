import { type Cidr, formatCidr } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";

/**
 * Traffic to `exceptions` keeps the pod's address; all else leaves with the node's. One policy a family, each network named once.
 * Undefined when there is no exception: HNS then applies the network's own default.
 * Source: `{"Type":"OutBoundNAT","Settings":{"Exceptions":[..]}}` of the HCN schema; field case as the reference plugins send it.
 */
export function buildOutboundNat(exceptions: readonly Cidr[]): PolicyDocument[] {
  return [4, 6].flatMap((family) => {
    const texts = exceptions.filter((cidr) => cidr.address.family === family).map(formatCidr);
    const unique = [...new Set(texts)];
    return unique.length === 0 ? [] : [{ Type: "OutBoundNAT", Settings: { Exceptions: unique } }];
  });
}
