import type { Fault } from "../base/fault.ts";
import { textIn } from "./policy-settings.ts";
import { readNetworkPolicies, readPolicies, readSubnetPolicies, type RawPolicy } from "./raw-policies.ts";

/** The policies of a configuration, free of faults. */
export interface ConfiguredPolicies {
  /** Of every pod's endpoint. */
  readonly endpoint: readonly RawPolicy[];
  /** Of the HNS network, when we make it. */
  readonly network: readonly RawPolicy[];
  /** Of each subnet of that network. */
  readonly subnet: readonly RawPolicy[];
}

/** Policies of network and subnets that a key of the configuration stands for; that key is also compared with a network that is there. */
const KEYS: Readonly<Record<string, string>> = { NetAdapterName: "adapter", VxlanPort: "vxlanPort", VSID: "vsid" };

/**
 * The policies in `list`, the configuration's `policies`: those wrapped as NetworkPolicy are the network's, as SubnetPolicy its subnets', all others the endpoints'. Rules of endpoints
 * may name address sets of the network. Adds to `faults` whatever is unknown or malformed, and leaves it out.
 */
export function readConfiguredPolicies(list: unknown, faults: Fault[]): ConfiguredPolicies {
  const network = readNetworkPolicies(list, "policies", faults, { onlyWrapped: true });
  const subnet = readSubnetPolicies(list, "policies", faults, { onlyWrapped: true });
  const sets = network.flatMap(({ document }) => (document.Type === "SetPolicy" ? [textIn(document, "Id")] : []));
  const endpoint = readPolicies(list, "policies", faults, { sets });
  for (const { path, document } of [...network, ...subnet]) {
    const key = Object.hasOwn(KEYS, document.Type) ? KEYS[document.Type] : undefined;
    if (key !== undefined)
      faults.push({ path, problem: `is ${document.Type}, which has a key of its own`, remedy: `set ${key} and leave the policy out` });
  }
  return { endpoint, network, subnet };
}
