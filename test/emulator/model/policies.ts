import { findAddressWithPrefix, findIp } from "../../../src/core/base/ip.ts";
import { findMac } from "../../../src/core/base/ids.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findFlag, findNumber, findObject, findText, listTexts, splitList, type JsonObject } from "./json.ts";
import type { Settings } from "./world.ts";

type PolicyCheck = (settings: JsonObject) => void;

/** Policies of endpoints, each with the check of its settings. Names as in Microsoft's HNS schema. */
const ENDPOINT_POLICIES: Readonly<Record<string, PolicyCheck>> = {
  PortMapping: checkPortMapping,
  ACL: checkAcl,
  TierAcl: checkObject,
  QOS: checkQos,
  L2Driver: checkObject,
  OutBoundNAT: checkOutboundNat,
  SDNRoute: checkRoute,
  L4Proxy: checkObject,
  L4WFPPROXY: checkObject,
  ProviderAddress: checkProviderAddress,
  PortName: checkObject,
  EncapOverhead: checkEncapOverhead,
  Iov: checkObject,
};

const NETWORK_POLICIES: Readonly<Record<string, PolicyCheck>> = {
  SourceMacAddress: checkObject,
  NetAdapterName: checkAdapterName,
  VSwitchExtension: checkObject,
  ProviderAddress: checkProviderAddress,
  DrMacAddress: checkDrMac,
  AutomaticDNS: checkObject,
  InterfaceConstraint: checkObject,
  HostRoute: checkObject,
  RemoteSubnetRoute: checkRemoteSubnet,
  VxlanPort: checkVxlanPort,
  L4Proxy: checkObject,
  LayerConstraint: checkObject,
  NetworkACL: checkObject,
  SetPolicy: checkSet,
  NeighborDiscovery: checkObject,
  OutBoundNAT: checkOutboundNat,
};

const SUBNET_POLICIES: Readonly<Record<string, PolicyCheck>> = { VLAN: checkIsolation, VSID: checkIsolation };

/** First HNS version that knows a policy; the ranges come from hcsshim's feature table. */
const SINCE: Readonly<Record<string, readonly [number, number]>> = {
  SetPolicy: [13, 0],
  L4WFPPROXY: [13, 2],
  TierAcl: [14, 0],
  NetworkACL: [15, 0],
};

export type PolicyOwner = "endpoint" | "network" | "subnet";

const TABLES: Readonly<Record<PolicyOwner, Readonly<Record<string, PolicyCheck>>>> = {
  endpoint: ENDPOINT_POLICIES,
  network: NETWORK_POLICIES,
  subnet: SUBNET_POLICIES,
};

/** Checks a list of version 2 policies and gives each its canonical Type. Throws INVALID_POLICY_TYPE or INVALID_POLICY. */
export function checkPolicies(owner: PolicyOwner, policies: readonly JsonObject[], settings: Settings): JsonObject[] {
  return policies.map((policy) => {
    const type = findText(policy, "Type") ?? "";
    const name = Object.keys(TABLES[owner]).find((known) => known.toLowerCase() === type.toLowerCase());
    const check = name === undefined ? undefined : TABLES[owner][name];
    if (name === undefined || check === undefined || isTooNew(name, settings)) throw new HnsError(HRESULT.INVALID_POLICY_TYPE, type);
    const values = readSettings(policy, name);
    check(values);
    return { Type: name, Settings: values };
  });
}

/** The settings of the policies of one type. */
export function listPolicySettings(policies: readonly JsonObject[], type: string): JsonObject[] {
  return policies.filter((policy) => policy["Type"] === type).map((policy) => findObject(policy, "Settings") ?? {});
}

/** Whether two policies say the same, whatever the order of their fields. */
export function samePolicy(left: JsonObject, right: JsonObject): boolean {
  return canonical(left) === canonical(right);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item) ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1))) : item,
  );
}

function readSettings(policy: JsonObject, name: string): JsonObject {
  try {
    return findObject(policy, "Settings") ?? {};
  } catch {
    throw new HnsError(HRESULT.INVALID_POLICY, name);
  }
}

function isTooNew(name: string, settings: Settings): boolean {
  const since = SINCE[name];
  if (since === undefined) return false;
  const { Major, Minor } = settings.version;
  return Major < since[0] || (Major === since[0] && Minor < since[1]);
}

function require(holds: boolean, detail: string): void {
  if (!holds) throw new HnsError(HRESULT.INVALID_POLICY, detail);
}

/** Reads a field and turns a wrong type into INVALID_POLICY: inside a policy that is what HNS reports. */
function read<T>(reader: (object: JsonObject, name: string) => T, object: JsonObject, name: string): T {
  try {
    return reader(object, name);
  } catch {
    throw new HnsError(HRESULT.INVALID_POLICY, name);
  }
}

function checkObject(): void {
  // Any object will do: nothing this project sends depends on what is inside.
}

function checkPortMapping(settings: JsonObject): void {
  const internal = read(findNumber, settings, "InternalPort") ?? 0;
  const external = read(findNumber, settings, "ExternalPort") ?? 0;
  if (!isPort(internal)) throw new HnsError(HRESULT.INVALID_INTERNAL_PORT);
  require(external === 0 || isPort(external), "ExternalPort");
  require([undefined, 0, 6, 17, 132].includes(read(findNumber, settings, "Protocol")), "Protocol");
  const vip = read(findText, settings, "VIP") ?? "";
  require(vip === "" || findIp(vip) !== undefined, "VIP");
}

function checkAcl(settings: JsonObject): void {
  require(["Allow", "Block", "Pass"].includes(read(findText, settings, "Action") ?? ""), "Action");
  require(["In", "Out"].includes(read(findText, settings, "Direction") ?? ""), "Direction");
  require([undefined, "Host", "Switch"].includes(read(findText, settings, "RuleType")), "RuleType");
  const priority = read(findNumber, settings, "Priority") ?? 0;
  require(Number.isInteger(priority) && priority >= 0 && priority <= 0xffff, "Priority");
  for (const field of ["LocalAddresses", "RemoteAddresses"]) {
    for (const item of splitList(read(findText, settings, field))) require(isPrefix(item), field);
  }
  for (const field of ["LocalPorts", "RemotePorts"]) {
    for (const item of splitList(read(findText, settings, field))) require(isPortRange(item), field);
  }
  for (const item of splitList(read(findText, settings, "Protocols"))) require(/^\d{1,3}$/.test(item) && Number(item) <= 256, "Protocols");
}

function checkQos(settings: JsonObject): void {
  require((read(findNumber, settings, "MaximumOutgoingBandwidthInBytes") ?? 0) >= 0, "MaximumOutgoingBandwidthInBytes");
}

function checkOutboundNat(settings: JsonObject): void {
  const vip = read(findText, settings, "VirtualIP") ?? "";
  require(vip === "" || findIp(vip) !== undefined, "VirtualIP");
  for (const field of ["Exceptions", "Destinations"]) for (const item of read(listTexts, settings, field)) require(isPrefix(item), field);
}

function checkRoute(settings: JsonObject): void {
  require(isPrefix(read(findText, settings, "DestinationPrefix") ?? ""), "DestinationPrefix");
  const nextHop = read(findText, settings, "NextHop") ?? "";
  require(nextHop === "" || findIp(nextHop) !== undefined, "NextHop");
  read(findFlag, settings, "NeedEncap");
}

function checkProviderAddress(settings: JsonObject): void {
  require(findIp(read(findText, settings, "ProviderAddress") ?? "") !== undefined, "ProviderAddress");
}

function checkEncapOverhead(settings: JsonObject): void {
  require((read(findNumber, settings, "Overhead") ?? -1) >= 0, "Overhead");
}

function checkAdapterName(settings: JsonObject): void {
  require((read(findText, settings, "NetworkAdapterName") ?? "") !== "", "NetworkAdapterName");
}

function checkDrMac(settings: JsonObject): void {
  require(findMac(read(findText, settings, "Address") ?? "") !== undefined, "Address");
}

function checkRemoteSubnet(settings: JsonObject): void {
  require(isPrefix(read(findText, settings, "DestinationPrefix") ?? ""), "DestinationPrefix");
  checkIsolation(settings);
  checkProviderAddress(settings);
  require(findMac(read(findText, settings, "DistributedRouterMacAddress") ?? "") !== undefined, "DistributedRouterMacAddress");
}

function checkVxlanPort(settings: JsonObject): void {
  require(isPort(read(findNumber, settings, "Port") ?? 0), "Port");
}

function checkSet(settings: JsonObject): void {
  require((read(findText, settings, "Id") ?? "") !== "", "Id");
}

function checkIsolation(settings: JsonObject): void {
  const id = read(findNumber, settings, "IsolationId") ?? -1;
  require(Number.isInteger(id) && id >= 0 && id < 2 ** 24, "IsolationId");
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= 65535;
}

function isPortRange(text: string): boolean {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text);
  if (match === null) return false;
  const from = Number(match[1]);
  const to = Number(match[2] ?? match[1]);
  return from <= to && to <= 65535;
}

function isPrefix(text: string): boolean {
  return findIp(text) !== undefined || findAddressWithPrefix(text) !== undefined;
}
