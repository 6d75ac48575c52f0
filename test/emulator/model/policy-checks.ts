/** What HNS checks in the settings of each type of policy. Throws INVALID_POLICY unless another code is named. */
import { findMac, findGuid } from "../../../src/core/base/ids.ts";
import { findAddressWithPrefix, findIp } from "../../../src/core/base/ip.ts";
import { knows, type Feature } from "./features.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findFlag, findNumber, findText, listObjects, listTexts, splitList, type JsonObject } from "./json.ts";
import type { Settings } from "./world.ts";

export interface CheckContext {
  readonly version: Settings["version"];
  /** Ids of address sets, which may stand where an address may. */
  readonly sets: ReadonlySet<string>;
}

export type PolicyCheck = (settings: JsonObject, context: CheckContext) => void;

const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
const PROTOCOL_SCTP = 132;
const PROTOCOL_ANY = 256;
/** First protocol number that only newer versions take. */
const PROTOCOL_252 = 252;

/** For policies whose settings are free: nothing HNS does depends on what is inside. */
export function checkNothing(): void {
  // Any object will do.
}

export function checkPortMapping(settings: JsonObject, { version }: CheckContext): void {
  const internal = read(findNumber, settings, "InternalPort") ?? 0;
  const external = read(findNumber, settings, "ExternalPort") ?? 0;
  if (!isPort(internal)) throw new HnsError(HRESULT.INVALID_INTERNAL_PORT);
  require(external === 0 || isPort(external), "ExternalPort");
  require([undefined, 0, PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP].includes(read(findNumber, settings, "Protocol")), "Protocol");
  requireAddress(settings, "VIP");
  checkNatFlags(settings, version);
}

export function checkAcl(settings: JsonObject, context: CheckContext): void {
  // Pass came to the schema together with tiers.
  requireOneOf(settings, "Action", has(context.version, "TierAcl") ? ["Allow", "Block", "Pass"] : ["Allow", "Block"]);
  requireOneOf(settings, "Direction", ["In", "Out"]);
  require([undefined, "Host", "Switch"].includes(read(findText, settings, "RuleType")), "RuleType");
  checkTuple(settings, context);
}

/** Rules of one tier: each with its own action, one direction for all. */
export function checkTierAcl(settings: JsonObject, context: CheckContext): void {
  const name = read(findText, settings, "Name");
  require(name === undefined || name !== "", "Name");
  require([undefined, "In", "Out"].includes(read(findText, settings, "Direction")), "Direction");
  requireWhole(settings, "Order", 0xffff);
  for (const rule of read(listObjects, settings, "TierAclRules")) {
    requireOneOf(rule, "TierAclRuleAction", ["Allow", "Block", "Pass"]);
    checkTuple(rule, context);
  }
}

export function checkQos(settings: JsonObject): void {
  requireWhole(settings, "MaximumOutgoingBandwidthInBytes", Number.MAX_SAFE_INTEGER);
}

/** IPv6 came with dual stack, translation limited to destinations with direct server return. */
export function checkOutboundNat(settings: JsonObject, { version }: CheckContext): void {
  requireAddress(settings, "VirtualIP");
  checkNatFlags(settings, version);
  const destinations = read(listTexts, settings, "Destinations");
  const prefixes = [...read(listTexts, settings, "Exceptions"), ...destinations];
  for (const item of prefixes) require(isPrefix(item), "Exceptions, Destinations");
  require(!prefixes.some((item) => item.includes(":")) || has(version, "DualStack"), "IPv6");
  require(destinations.length === 0 || has(version, "DirectServerReturn"), "Destinations");
  requireWhole(settings, "MaxPortPoolUsage", 0xffff);
}

/** LocalRoutedVip is 1, IPv6 is 2. */
function checkNatFlags(settings: JsonObject, version: CheckContext["version"]): void {
  requireWhole(settings, "Flags", 3);
  require(((read(findNumber, settings, "Flags") ?? 0) & 2) === 0 || has(version, "DualStack"), "Flags");
}

export function checkRoute(settings: JsonObject, { version }: CheckContext): void {
  const destination = read(findText, settings, "DestinationPrefix") ?? "";
  require(isPrefix(destination), "DestinationPrefix");
  require(!destination.endsWith("/32") || knows(version, "Slash32"), "DestinationPrefix");
  requireAddress(settings, "NextHop");
  read(findFlag, settings, "NeedEncap");
}

export function checkProviderAddress(settings: JsonObject): void {
  require(findIp(read(findText, settings, "ProviderAddress") ?? "") !== undefined, "ProviderAddress");
}

export function checkEncapOverhead(settings: JsonObject): void {
  require(read(findNumber, settings, "Overhead") !== undefined, "Overhead");
  requireWhole(settings, "Overhead", 0xffff);
}

export function checkAdapterName(settings: JsonObject): void {
  requireText(settings, "NetworkAdapterName");
}

export function checkPortName(settings: JsonObject): void {
  requireText(settings, "Name");
}

export function checkLayerConstraint(settings: JsonObject): void {
  requireGuid(settings, "LayerId");
}

export function checkVSwitchExtension(settings: JsonObject): void {
  requireGuid(settings, "ExtensionID");
  read(findFlag, settings, "Enable");
}

export function checkAutomaticDns(settings: JsonObject): void {
  read(findFlag, settings, "Enable");
}

export function checkInterfaceConstraint(settings: JsonObject): void {
  const guid = read(findText, settings, "InterfaceGuid") ?? "";
  require(guid === "" || findGuid(guid) !== undefined, "InterfaceGuid");
  for (const field of ["InterfaceLuid", "InterfaceIndex", "InterfaceMediaType"]) requireWhole(settings, field, Number.MAX_SAFE_INTEGER);
  for (const field of ["InterfaceAlias", "InterfaceDescription"]) read(findText, settings, field);
}

export function checkInterfaceParameters(settings: JsonObject): void {
  require(read(findNumber, settings, "Mtu") !== undefined, "Mtu");
  requireWhole(settings, "Mtu", 0xffff);
}

export function checkIov(settings: JsonObject): void {
  requireWhole(settings, "IovOffloadWeight", 100);
  requireWhole(settings, "QueuePairsRequested", 0xffff);
  requireWhole(settings, "InterruptModeration", 0xffff);
}

export function checkSourceMac(settings: JsonObject): void {
  requireMac(settings, "SourceMacAddress");
}

export function checkDrMac(settings: JsonObject): void {
  requireMac(settings, "Address");
}

export function checkRemoteSubnet(settings: JsonObject): void {
  require(isPrefix(read(findText, settings, "DestinationPrefix") ?? ""), "DestinationPrefix");
  checkIsolation(settings);
  checkProviderAddress(settings);
  requireMac(settings, "DistributedRouterMacAddress");
}

export function checkVxlanPort(settings: JsonObject): void {
  require(isPort(read(findNumber, settings, "Port") ?? 0), "Port");
}

/** An address set, or from HNS 15 on a set of sets. */
export function checkSet(settings: JsonObject, { version }: CheckContext): void {
  requireText(settings, "Id");
  const type = read(findText, settings, "PolicyType") ?? "IPSET";
  require(type === "IPSET" || (type === "NESTEDIPSET" && has(version, "NestedIpSet")), "PolicyType");
  // Members of a nested set are ids; those of a plain one addresses.
  if (type === "IPSET")
    for (const item of splitList(read(findText, settings, "Values"))) require(isPrefix(item.split("-")[0] ?? ""), "Values");
}

export function checkIsolation(settings: JsonObject): void {
  require(read(findNumber, settings, "IsolationId") !== undefined, "IsolationId");
  requireWhole(settings, "IsolationId", 2 ** 24 - 1);
}

export function checkL4Proxy(settings: JsonObject): void {
  requireAddress(settings, "IP");
  require(isPortRange(read(findText, settings, "Port") ?? "0"), "Port");
  const protocol = read(findNumber, settings, "Protocol");
  require([undefined, 0, 1, 2, PROTOCOL_TCP, PROTOCOL_UDP, 58].includes(protocol), "Protocol");
  for (const field of ["Exceptions", "ExceptionList"]) read(listTexts, settings, field);
  read(findFlag, settings, "OutboundNAT");
}

export function checkL4WfpProxy(settings: JsonObject, context: CheckContext): void {
  for (const field of ["InboundProxyPort", "OutboundProxyPort"]) {
    const port = read(findText, settings, field) ?? "";
    require(port === "" || (/^\d{1,5}$/.test(port) && isPort(Number(port))), field);
  }
  read(findText, settings, "UserSID");
  checkTuple(readPart(settings, "FilterTuple"), context);
  for (const field of ["InboundExceptions", "OutboundExceptions"]) {
    const part = readPart(settings, field);
    for (const item of read(listTexts, part, "IpAddressExceptions")) require(isPrefix(item), field);
    for (const item of read(listTexts, part, "PortExceptions")) require(isPortRange(item), field);
  }
}

export function checkNeighborDiscovery(settings: JsonObject): void {
  for (const field of ["TargetIpPrefix", "SenderIpAddress"]) {
    const value = read(findText, settings, field) ?? "";
    require(value === "" || isPrefix(value), field);
  }
  const mac = read(findText, settings, "SenderMacAddress") ?? "";
  require(mac === "" || findMac(mac) !== undefined, "SenderMacAddress");
}

/** Protocols, addresses, ports and priority, as ACLs and proxies have them. Ports make sense only for protocols that have them. */
function checkTuple(settings: JsonObject, context: CheckContext): void {
  requireWhole(settings, "Priority", 0xffff);
  const accepts = (item: string): boolean => isPrefix(item) || context.sets.has(item);
  for (const field of ["LocalAddresses", "RemoteAddresses"]) requireEach(settings, field, accepts);
  for (const field of ["LocalPorts", "RemotePorts"]) requireEach(settings, field, isPortRange);
  requireEach(settings, "Protocols", (item) => isProtocol(item, context));
  const hasPorts = ["LocalPorts", "RemotePorts"].some((field) => splitList(read(findText, settings, field)).length > 0);
  const protocols = splitList(read(findText, settings, "Protocols")).map(Number);
  const carriesPorts = (protocol: number): boolean => [PROTOCOL_TCP, PROTOCOL_UDP, PROTOCOL_SCTP].includes(protocol);
  require(!hasPorts || protocols.length === 0 || protocols.every(carriesPorts), "ports");
}

function isProtocol(text: string, { version }: CheckContext): boolean {
  if (!/^\d{1,3}$/.test(text) || Number(text) > PROTOCOL_ANY) return false;
  return Number(text) !== PROTOCOL_252 || has(version, "AclProtocol252");
}

function has(version: CheckContext["version"], feature: Feature): boolean {
  return knows(version, feature);
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

function readPart(settings: JsonObject, field: string): JsonObject {
  const part = settings[field];
  if (part === undefined || part === null) return {};
  return read(listObjects, { [field]: [part] }, field)[0] ?? {};
}

function requireText(settings: JsonObject, field: string): void {
  require((read(findText, settings, field) ?? "") !== "", field);
}

function requireOneOf(settings: JsonObject, field: string, values: readonly string[]): void {
  require(values.includes(read(findText, settings, field) ?? ""), field);
}

function requireWhole(settings: JsonObject, field: string, most: number): void {
  const value = read(findNumber, settings, field) ?? 0;
  require(Number.isInteger(value) && value >= 0 && value <= most, field);
}

function requireGuid(settings: JsonObject, field: string): void {
  require(findGuid(read(findText, settings, field) ?? "") !== undefined, field);
}

function requireMac(settings: JsonObject, field: string): void {
  require(findMac(read(findText, settings, field) ?? "") !== undefined, field);
}

function requireAddress(settings: JsonObject, field: string): void {
  const address = read(findText, settings, field) ?? "";
  require(address === "" || findIp(address) !== undefined, field);
}

function requireEach(settings: JsonObject, field: string, accepts: (item: string) => boolean): void {
  for (const item of splitList(read(findText, settings, field))) require(accepts(item), field);
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
