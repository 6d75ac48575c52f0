import { buildPolicyRequest, type EndpointView, type PolicyDocument, record } from "../../hcn/documents.ts";
import { describePolicyKey, isGeneralNat, isRepeatable, natFamilies } from "../../policy/policy-keys.ts";

/**
 * The requests to HcnModifyEndpoint that put `missing` back, one a type, so that one that HNS refuses holds up no other:
 * - Add where the endpoint has nothing about the same thing (a destination, a host port, the NAT of a family);
 * - Update, which replaces all of the type, where it has: with `missing` and all others of the type that it has, so that those which later
 *   plugins, agents or people added stay as they are. A rule (ACL) that was changed cannot be told from one of somebody else's: ours is
 *   added again, and that one stays.
 */
export function buildCorrections({ policies }: Pick<EndpointView, "policies">, missing: readonly PolicyDocument[]): object[] {
  const found = policies.map(({ type, settings }) => ({ Type: type, Settings: record(settings) ?? {} }));
  const types = [...new Set(missing.map(({ Type }) => Type))];
  return types.map((type) => {
    const ours = missing.filter(({ Type }) => Type === type);
    const others = found.filter(({ Type }) => Type === type);
    const kept = others.filter((policy) => !ours.some((wanted) => isAboutSame(policy, wanted)));
    return kept.length === others.length ? buildPolicyRequest("Add", ours) : buildPolicyRequest("Update", [...kept, ...ours]);
  });
}

function isAboutSame(left: PolicyDocument, right: PolicyDocument): boolean {
  if (isGeneralNat(left) && isGeneralNat(right)) return natFamilies(left).some((family) => natFamilies(right).includes(family));
  return !isRepeatable(left) && describePolicyKey(left) === describePolicyKey(right);
}
