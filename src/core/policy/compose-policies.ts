import type { PolicyDocument } from "../hcn/documents.ts";
import { addAllowTails } from "./acl-tails.ts";
import { mergePolicies } from "./merge-policies.ts";
import type { RawPolicy } from "./raw-policies.ts";
import { filterUnsupported, type PolicyFacts, type SupportedPolicies } from "./unsupported.ts";

/**
 * The policies of an endpoint as they go into its create request: ours with the user's among them (`mergePolicies`), without what this HNS
 * lacks (`filterUnsupported`), and with the last rules that keep open what no rule speaks of (`addAllowTails`). With any fault the pod must not start.
 */
export function composePolicies(own: readonly PolicyDocument[], raw: readonly RawPolicy[], facts: PolicyFacts): SupportedPolicies {
  const supported = composeNetworkPolicies(own, raw, facts);
  const { policies, warnings } = addAllowTails(supported.policies);
  return { ...supported, policies, warnings: [...supported.warnings, ...warnings] };
}

/** As `composePolicies`, for the create request of a network: whose rules say all that is meant. */
export function composeNetworkPolicies(own: readonly PolicyDocument[], raw: readonly RawPolicy[], facts: PolicyFacts): SupportedPolicies {
  const merged = mergePolicies(own, raw);
  const pathOf = (policy: PolicyDocument): string => raw.find(({ document }) => document === policy)?.path ?? "policies";
  const { policies, warnings, faults } = filterUnsupported(merged.policies, facts, pathOf);
  return { policies, warnings: [...merged.warnings, ...warnings], faults };
}
