import { describeFault, type Fault } from "../base/fault.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { formatHnsVersion, type HnsFeature, type HnsVersion, supports } from "../hcn/features.ts";
import { NAT_IPV6 } from "./nat-flags.ts";
import { natFamilies } from "./policy-keys.ts";
import { numberIn, textIn, textsIn } from "./policy-settings.ts";
import { PROTOCOL_252 } from "./protocols.ts";

/** What of the node and the pod decides which policies HNS can apply. */
export interface PolicyFacts {
  readonly version: HnsVersion;
  readonly isolation: "process" | "hyperv";
  /** The HCN type of the network, where it is known; in any case. */
  readonly networkType?: string;
}

export interface SupportedPolicies {
  readonly policies: PolicyDocument[];
  /** One line for each policy that is left out: the pod works without it, if less well. */
  readonly warnings: string[];
  /** One for each policy without which the pod would be open, or not what was asked for: such a pod must not start. */
  readonly faults: Fault[];
}

/** Why a policy cannot be applied, and what follows. */
interface Refusal {
  readonly reason: string;
  readonly outcome: "omit" | "fail";
}

/** Policies that not every version has. What guards or leads traffic fails; a convenience is left out. */
const BY_TYPE: Readonly<Record<string, readonly [feature: HnsFeature, outcome: Refusal["outcome"]]>> = {
  TierAcl: ["tierAcl", "fail"],
  NetworkACL: ["networkAcl", "fail"],
  SetPolicy: ["setPolicy", "fail"],
  L4Proxy: ["l4Proxy", "fail"],
  L4WFPPROXY: ["l4WfpProxy", "fail"],
  VLAN: ["endpointVlan", "fail"],
  VxlanPort: ["vxlanPort", "fail"],
  InterfaceParameters: ["interfaceParameters", "omit"],
  Iov: ["accelnet", "omit"],
};

/**
 * Sorts endpoint or network policies by whether HNS of this version can apply them, on this network and for this isolation. `pathOf`
 * tells where in the configuration a policy comes from, for faults. Policies of subnets need no check: every version has them.
 */
export function filterUnsupported(
  policies: readonly PolicyDocument[],
  facts: PolicyFacts,
  pathOf: (policy: PolicyDocument) => string = () => "policies",
): SupportedPolicies {
  const result: SupportedPolicies = { policies: [], warnings: [], faults: [] };
  for (const policy of policies) {
    const refusal = findRefusal(policy, facts);
    if (refusal === undefined) result.policies.push(policy);
    else if (refusal.outcome === "omit") result.warnings.push(`${policy.Type} is left out: ${refusal.reason}`);
    else
      result.faults.push(
        describeFault(pathOf(policy), policy.Type, refusal.reason, "remove what asks for it, or use a Windows version that has it"),
      );
  }
  return result;
}

function findRefusal(policy: PolicyDocument, facts: PolicyFacts): Refusal | undefined {
  return findMissingType(policy, facts) ?? findMissingDetail(policy, facts) ?? findIsolationRefusal(policy, facts);
}

function findMissingType({ Type }: PolicyDocument, { version }: PolicyFacts): Refusal | undefined {
  const entry = Object.hasOwn(BY_TYPE, Type) ? BY_TYPE[Type] : undefined;
  return entry === undefined ? undefined : need(version, entry[0], entry[1]);
}

/** Parts of policies that came later than the policies. */
function findMissingDetail(policy: PolicyDocument, facts: PolicyFacts): Refusal | undefined {
  switch (policy.Type) {
    case "PortMapping":
      return findMappingRefusal(policy, facts);
    case "OutBoundNAT":
      return findNatRefusal(policy, facts);
    case "SDNRoute":
      return findRouteRefusal(policy, facts);
    case "ACL":
    case "NetworkACL":
      return findAclRefusal(policy, facts);
    case "SetPolicy":
      return textIn(policy, "PolicyType") === "NESTEDIPSET" ? need(facts.version, "nestedIpSet", "fail") : undefined;
    default:
      return undefined;
  }
}

function findMappingRefusal(policy: PolicyDocument, { version, networkType }: PolicyFacts): Refusal | undefined {
  if (networkType?.toLowerCase() === "transparent") return { reason: "a transparent network maps no ports", outcome: "fail" };
  return (numberIn(policy, "Flags") & NAT_IPV6) === 0 ? undefined : need(version, "dualStack", "fail");
}

/** Without dual stack no pod has an IPv6 address to translate. */
function findNatRefusal(policy: PolicyDocument, { version }: PolicyFacts): Refusal | undefined {
  const family = natFamilies(policy).includes(6) ? need(version, "dualStack", "omit") : undefined;
  return family ?? (textsIn(policy, "Destinations").length > 0 ? need(version, "loopbackDsr", "omit") : undefined);
}

function findRouteRefusal(policy: PolicyDocument, { version }: PolicyFacts): Refusal | undefined {
  const destination = textIn(policy, "DestinationPrefix");
  if (destination.includes(":")) return need(version, "dualStack", "omit");
  return destination.endsWith("/32") ? need(version, "slash32EndpointPrefixes", "omit") : undefined;
}

function findAclRefusal(policy: PolicyDocument, { version }: PolicyFacts): Refusal | undefined {
  const hasV6 = ["LocalAddresses", "RemoteAddresses"].some((field) => textIn(policy, field).includes(":"));
  const family = hasV6 ? need(version, "dualStack", "fail") : undefined;
  if (family !== undefined) return family;
  // The published schema has Pass since the version that brought tiers, 2.10.
  if (textIn(policy, "Action") === "Pass") return need(version, "tierAcl", "fail");
  return textIn(policy, "Protocols").split(",").includes(String(PROTOCOL_252)) ? need(version, "aclProtocol252", "fail") : undefined;
}

/**
 * A pod under Hyper-V isolation has a kernel and a firewall of its own, open by default: what stands in the node's firewall does not
 * reach it. So a Host rule that allows is not needed, one that blocks would be missing, and a proxy there would be passed by.
 */
function findIsolationRefusal(policy: PolicyDocument, { isolation }: PolicyFacts): Refusal | undefined {
  if (isolation === "process") return undefined;
  const reason = "a pod under Hyper-V isolation is not behind the node's firewall (WFP)";
  if (policy.Type === "L4WFPPROXY") return { reason, outcome: "fail" };
  if (policy.Type !== "ACL" || textIn(policy, "RuleType") !== "Host") return undefined;
  return { reason, outcome: textIn(policy, "Action") === "Allow" ? "omit" : "fail" };
}

function need(version: HnsVersion, feature: HnsFeature, outcome: Refusal["outcome"]): Refusal | undefined {
  return supports(version, feature) ? undefined : { reason: `HNS ${formatHnsVersion(version)} does not have ${feature}`, outcome };
}
