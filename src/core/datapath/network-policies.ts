import type { Fault } from "../base/fault.ts";
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

/** With the faults of its subnets' policies too. */
export function composeOnNetwork(traits: Traits, config: AttachableConfig, version: HnsVersion): SupportedPolicies {
  const supported = composeNetworkPolicies(listOwn(traits, config), config.policies.network, policyFacts(traits, version));
  return { ...supported, faults: [...supported.faults, ...findSubnetFaults(traits, config)] };
}

/** The policies of each subnet of the network as we create it: the mode's own, then the user's. */
export function buildSubnetPolicies(traits: Traits, config: AttachableConfig): PolicyDocument[] {
  return [...(traits.own?.subnetPolicies(config) ?? []), ...config.policies.subnet.map(({ document }) => document)];
}

/** A VLAN is one of the physical network: pods have to be on it, and not behind a tunnel. Source: Docker offers it for the same networks. */
function findSubnetFaults({ mode, isExternal, own }: Traits, config: AttachableConfig): Fault[] {
  if (isExternal && own === undefined) return [];
  const remedy = "remove it, or use mode l2bridge, l2tunnel or transparent";
  return config.policies.subnet.map(({ path, document }) => ({
    path,
    problem: `is ${document.Type}, which networks of mode ${mode} have not`,
    remedy,
  }));
}

/** Throws INVALID_CONFIG where policies are given for the subnets of a network that has none: they would be lost without a word. */
export function requireSubnets(config: AttachableConfig): void {
  const problem = "is for the network's subnets, and a network whose addresses DHCP gives has none";
  const faults = config.policies.subnet.map(({ path }) => ({ path, problem, remedy: "set subnet or ipam, or remove the policy" }));
  if (faults.length > 0) throw buildConfigError(faults);
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
