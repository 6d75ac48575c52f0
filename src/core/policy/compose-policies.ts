import { addAllowTails } from "./acl-tails.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { mergePolicies } from "./merge-policies.ts";
import type { RawPolicy } from "./raw-policies.ts";
import { filterUnsupported, type PolicyFacts, type SupportedPolicies } from "./unsupported.ts";

/**
 * The policies of an endpoint as they go into its create request: ours with the user's among them (`mergePolicies`), the last rules that
 * keep open what no rule speaks of (`addAllowTails`), and without what this HNS lacks (`filterUnsupported`). With any fault the pod must not start.
 */
export function composePolicies(own: readonly PolicyDocument[], raw: readonly RawPolicy[], facts: PolicyFacts): SupportedPolicies {
  const merged = mergePolicies(own, raw);
  const supported = filterUnsupported(addAllowTails(merged.policies), facts);
  return { ...supported, warnings: [...merged.warnings, ...supported.warnings] };
}
