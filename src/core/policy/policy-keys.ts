import type { Family } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { NAT_IPV6 } from "./nat-flags.ts";
import { numberIn, textIn, textsIn } from "./policy-settings.ts";

/** Policies of which any number may stand side by side. */
const REPEATABLE: readonly string[] = [
  "ACL",
  "NetworkACL",
  "TierAcl",
  "L4Proxy",
  "L4WFPPROXY",
  "NeighborDiscovery",
  "VSwitchExtension",
  "OutBoundNAT",
];

/** Whether an owner may have several such policies that differ. */
export function isRepeatable(policy: PolicyDocument): boolean {
  return REPEATABLE.includes(policy.Type);
}

/** NAT of all traffic but that to exceptions: of this kind an endpoint has one a family. */
export function isGeneralNat(policy: PolicyDocument): boolean {
  return policy.Type === "OutBoundNAT" && textsIn(policy, "Destinations").length === 0;
}

/** The families that a NAT policy speaks of; by its flag where it names no address. */
export function natFamilies(policy: PolicyDocument): Family[] {
  const texts = [textIn(policy, "VirtualIP"), ...textsIn(policy, "Exceptions"), ...textsIn(policy, "Destinations")];
  const families = new Set(texts.filter((text) => text !== "").map(textFamily));
  if (families.size === 0) return [(numberIn(policy, "Flags") & NAT_IPV6) === 0 ? 4 : 6];
  return [...families].sort();
}

/** The family of an address or network written out. */
export function textFamily(text: string): Family {
  return text.includes(":") ? 6 : 4;
}

/** What a policy is about, in words: two policies with the same key are about the same thing. Not for repeatable ones. */
export function describePolicyKey(policy: PolicyDocument): string {
  switch (policy.Type) {
    case "PortMapping":
      return describeMapping(policy);
    case "SDNRoute":
    case "RemoteSubnetRoute":
      return `${policy.Type} to ${textIn(policy, "DestinationPrefix")}`;
    case "SetPolicy":
      return `SetPolicy ${textIn(policy, "Id")}`;
    default:
      return policy.Type;
  }
}

/** Without an external port HNS chooses one, so that two of the kind do not meet. */
function describeMapping(policy: PolicyDocument): string {
  const external = numberIn(policy, "ExternalPort");
  const port = external === 0 ? `a port of HNS's choice for ${numberIn(policy, "InternalPort")}` : `port ${external}`;
  const address = textIn(policy, "VIP") || ((numberIn(policy, "Flags") & NAT_IPV6) === 0 ? "any IPv4 address" : "any IPv6 address");
  return `PortMapping of ${port}, protocol ${numberIn(policy, "Protocol")}, ${address}`;
}
