import { formatIp, type IpAddress } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { natFlags } from "./nat-flags.ts";

/**
 * Lets a pod reach itself through its own Service while kube-proxy uses direct server return: traffic from the pod to its own
 * address is translated on the way out. Source: `{"Type":"OutBoundNAT","Settings":{"Destinations":[<pod address>]}}`, the form the
 * reference plugins send; needs HNS 9.3-9.x or 10.2 and later.
 */
export function buildLoopbackDsr(addresses: readonly IpAddress[]): PolicyDocument[] {
  return addresses.map((address) => ({
    Type: "OutBoundNAT",
    Settings: { Destinations: [formatIp(address)], ...natFlags(address.family) },
  }));
}
