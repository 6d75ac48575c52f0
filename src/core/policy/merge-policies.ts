import type { Family } from "../base/ip.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { FAMILIES, NAT_LOCAL_ROUTED_VIP, natFlags } from "./nat-flags.ts";
import { describePolicyKey, isGeneralNat, isRepeatable, natFamilies, textFamily } from "./policy-keys.ts";
import { dropRepeated, numberIn, samePolicy, textIn, textsIn } from "./policy-settings.ts";
import type { RawPolicy } from "./raw-policies.ts";

export interface MergedPolicies {
  readonly policies: PolicyDocument[];
  /** One line for each of our policies that a user's took the place of. */
  readonly warnings: string[];
}

/**
 * Our policies with the user's among them:
 * - NAT with exceptions becomes one policy a family: our exceptions come first in it, then the user's; a user's virtual IP counts before ours;
 * - of what an endpoint has once, or once for a key (a host port, a destination, a set's id), the user's takes the place of ours;
 * - all else (rules, proxies, NAT limited to destinations) stands side by side;
 * - what says the same twice is there once.
 * Order: NAT with exceptions, IPv4 first; ours in theirs; the user's in theirs.
 */
export function mergePolicies(own: readonly PolicyDocument[], raw: readonly RawPolicy[]): MergedPolicies {
  const warnings: string[] = [];
  const given = raw.map(({ document }) => document);
  const nat = [...own, ...given].filter(isGeneralNat);
  const kept = own.map((policy) => replace(policy, given, warnings));
  const others = [...kept, ...given].filter((policy) => !isGeneralNat(policy));
  return { policies: [...FAMILIES.flatMap((family) => mergeNat(family, nat)), ...dropRepeated(others)], warnings };
}

/** The user's policy with the key of `policy`, or `policy` itself. */
function replace(policy: PolicyDocument, given: readonly PolicyDocument[], warnings: string[]): PolicyDocument {
  if (isRepeatable(policy)) return policy;
  const key = describePolicyKey(policy);
  const other = given.find((candidate) => describePolicyKey(candidate) === key);
  if (other === undefined || samePolicy(other, policy)) return policy;
  warnings.push(`${key}: the configured policy takes the place of ours`);
  return other;
}

/** The one policy of a family; none when no policy speaks of the family. */
function mergeNat(family: Family, policies: readonly PolicyDocument[]): PolicyDocument[] {
  const mine = policies.filter((policy) => natFamilies(policy).includes(family));
  if (mine.length === 0) return [];
  const isOfFamily = (text: string): boolean => textFamily(text) === family;
  const exceptions = unique(mine.flatMap((policy) => textsIn(policy, "Exceptions")).filter(isOfFamily));
  const virtualIp = mine.map((policy) => textIn(policy, "VirtualIP")).findLast((text) => text !== "" && isOfFamily(text));
  const ports = mine.map((policy) => numberIn(policy, "MaxPortPoolUsage")).findLast((usage) => usage > 0);
  const flags = mine.reduce((bits, policy) => bits | (numberIn(policy, "Flags") & NAT_LOCAL_ROUTED_VIP), 0);
  const Settings = {
    ...(virtualIp !== undefined && { VirtualIP: virtualIp }),
    ...(exceptions.length > 0 && { Exceptions: exceptions }),
    ...natFlags(family, flags),
    ...(ports !== undefined && { MaxPortPoolUsage: ports }),
  };
  return [{ Type: "OutBoundNAT", Settings }];
}

/** `10.0.0.4` and `10.0.0.4/32` are one; the first one stays. */
function unique(texts: readonly string[]): string[] {
  const seen = new Set<string>();
  return texts.filter((text) => {
    const long = text.includes("/") ? text : `${text}/${textFamily(text) === 6 ? 128 : 32}`;
    return seen.has(long) ? false : seen.add(long);
  });
}
