import { HnsError, HRESULT } from "./hresult.ts";
import { findObject, findText, type JsonObject } from "./json.ts";
import { knows, type Feature } from "./features.ts";
import {
  checkAcl,
  checkAdapterName,
  checkAutomaticDns,
  checkDrMac,
  checkEncapOverhead,
  checkInterfaceConstraint,
  checkInterfaceParameters,
  checkIov,
  checkIsolation,
  checkL4Proxy,
  checkL4WfpProxy,
  checkLayerConstraint,
  checkNeighborDiscovery,
  checkNothing,
  checkOutboundNat,
  checkPortMapping,
  checkPortName,
  checkProviderAddress,
  checkQos,
  checkRemoteSubnet,
  checkRoute,
  checkSet,
  checkSourceMac,
  checkTierAcl,
  checkVSwitchExtension,
  checkVxlanPort,
  type PolicyCheck,
} from "./policy-checks.ts";
import type { Settings } from "./world.ts";

/** Policies of endpoints, each with the check of its settings. Names as in Microsoft's HNS schema. */
const ENDPOINT_POLICIES: Readonly<Record<string, PolicyCheck>> = {
  PortMapping: checkPortMapping,
  ACL: checkAcl,
  TierAcl: checkTierAcl,
  QOS: checkQos,
  L2Driver: checkNothing,
  OutBoundNAT: checkOutboundNat,
  SDNRoute: checkRoute,
  L4Proxy: checkL4Proxy,
  L4WFPPROXY: checkL4WfpProxy,
  ProviderAddress: checkProviderAddress,
  InterfaceConstraint: checkInterfaceConstraint,
  PortName: checkPortName,
  EncapOverhead: checkEncapOverhead,
  Iov: checkIov,
  VLAN: checkIsolation,
  InterfaceParameters: checkInterfaceParameters,
};

const NETWORK_POLICIES: Readonly<Record<string, PolicyCheck>> = {
  SourceMacAddress: checkSourceMac,
  NetAdapterName: checkAdapterName,
  VSwitchExtension: checkVSwitchExtension,
  ProviderAddress: checkProviderAddress,
  DrMacAddress: checkDrMac,
  AutomaticDNS: checkAutomaticDns,
  InterfaceConstraint: checkInterfaceConstraint,
  HostRoute: checkNothing,
  RemoteSubnetRoute: checkRemoteSubnet,
  VxlanPort: checkVxlanPort,
  L4Proxy: checkL4Proxy,
  LayerConstraint: checkLayerConstraint,
  NetworkACL: checkAcl,
  SetPolicy: checkSet,
  NeighborDiscovery: checkNeighborDiscovery,
  OutBoundNAT: checkOutboundNat,
};

const SUBNET_POLICIES: Readonly<Record<string, PolicyCheck>> = { VLAN: checkIsolation, VSID: checkIsolation };

/** Policies that not every version of HNS knows. */
const NEEDS: Readonly<Record<string, Feature>> = {
  HostRoute: "HostRoute",
  RemoteSubnetRoute: "RemoteSubnetRoute",
  VxlanPort: "VxlanPort",
  L4Proxy: "L4Proxy",
  SetPolicy: "SetPolicy",
  L4WFPPROXY: "L4WfpProxy",
  TierAcl: "TierAcl",
  NetworkACL: "NetworkAcl",
  InterfaceParameters: "InterfaceParameters",
};

/** Policies that subnets had before endpoints did. */
const ENDPOINT_NEEDS: Readonly<Record<string, Feature>> = { VLAN: "EndpointVlan" };

/** Every policy type there is, by what can have it. */
export function listPolicyTypes(owner: PolicyOwner): string[] {
  return Object.keys(TABLES[owner]);
}

export type PolicyOwner = "endpoint" | "network" | "subnet";

const TABLES: Readonly<Record<PolicyOwner, Readonly<Record<string, PolicyCheck>>>> = {
  endpoint: ENDPOINT_POLICIES,
  network: NETWORK_POLICIES,
  subnet: SUBNET_POLICIES,
};

/**
 * Checks a list of version 2 policies and gives each its canonical Type. Throws INVALID_POLICY_TYPE or INVALID_POLICY. `sets` are the ids
 * of the network's address sets, which ACLs may name in the place of addresses.
 */
export function checkPolicies(
  owner: PolicyOwner,
  policies: readonly JsonObject[],
  settings: Settings,
  sets: ReadonlySet<string> = new Set(),
): JsonObject[] {
  return policies.map((policy) => {
    const type = findText(policy, "Type") ?? "";
    const name = Object.keys(TABLES[owner]).find((known) => known.toLowerCase() === type.toLowerCase());
    const check = name === undefined ? undefined : TABLES[owner][name];
    if (name === undefined || check === undefined || isTooNew(owner, name, settings)) throw new HnsError(HRESULT.INVALID_POLICY_TYPE, type);
    const values = readSettings(policy, name);
    check(values, { version: settings.version, sets });
    return { Type: name, Settings: values };
  });
}

/** The settings of the policies of one type. */
export function listPolicySettings(policies: readonly JsonObject[], type: string): JsonObject[] {
  return policies.filter((policy) => policy["Type"] === type).map((policy) => findObject(policy, "Settings") ?? {});
}

/** The ids of the address sets among a network's policies. */
export function listSetIds(policies: readonly JsonObject[]): Set<string> {
  return new Set(listPolicySettings(policies, "SetPolicy").map((settings) => findText(settings, "Id") ?? ""));
}

/** Whether two policies say the same, whatever the order of their fields. */
export function samePolicy(left: JsonObject, right: JsonObject): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

function readSettings(policy: JsonObject, name: string): JsonObject {
  try {
    return findObject(policy, "Settings") ?? {};
  } catch {
    throw new HnsError(HRESULT.INVALID_POLICY, name);
  }
}

function isTooNew(owner: PolicyOwner, name: string, settings: Settings): boolean {
  const feature = NEEDS[name] ?? (owner === "endpoint" ? ENDPOINT_NEEDS[name] : undefined);
  return feature !== undefined && !knows(settings.version, feature);
}
