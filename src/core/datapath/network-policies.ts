import { buildConfigError } from "../config/faults.ts";
import type { AttachableConfig } from "../config/plugin-config.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";
import { composeNetworkPolicies } from "../policy/compose-policies.ts";
import { mergePolicies } from "../policy/merge-policies.ts";
import type { PolicyFacts, SupportedPolicies } from "../policy/unsupported.ts";
import type { Traits } from "./traits.ts";

/** Isolation is not known when an endpoint is made: the namespace does not tell it. */
export function policyFacts({ type }: Traits, version: HnsVersion): PolicyFacts {
  return { version, isolation: "process", networkType: type };
}

/** The policies of the network as we create it. Throws INVALID_CONFIG for what this HNS cannot apply. */
export function buildNetworkPolicies(traits: Traits, config: AttachableConfig, version: HnsVersion | undefined): PolicyDocument[] {
  if (version === undefined) return mergePolicies(listOwn(traits, config), config.policies.network).policies;
  return requireFaultless(composeOnNetwork(traits, config, version));
}

export function composeOnNetwork(traits: Traits, config: AttachableConfig, version: HnsVersion): SupportedPolicies {
  return composeNetworkPolicies(listOwn(traits, config), config.policies.network, policyFacts(traits, version));
}

/** A pod never runs with fewer rules than asked for. */
export function requireFaultless({ policies, faults }: SupportedPolicies): PolicyDocument[] {
  if (faults.length > 0) throw buildConfigError(faults);
  return policies;
}

function listOwn(traits: Traits, config: AttachableConfig): PolicyDocument[] {
  return [...buildAdapterPolicy(traits, config), ...(traits.own?.networkPolicies(config) ?? [])];
}

function buildAdapterPolicy({ isExternal }: Traits, { adapter }: AttachableConfig): PolicyDocument[] {
  return adapter === undefined || !isExternal ? [] : [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: adapter } }];
}
