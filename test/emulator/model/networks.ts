import {
  addressAt,
  containsIp,
  findAddressWithPrefix,
  findCidr,
  findIp,
  formatIp,
  networkOf,
  type Cidr,
} from "../../../src/core/base/ip.ts";
import { sameGuid } from "../../../src/core/base/ids.ts";
import { deleteEndpoint } from "./endpoints.ts";
import { knows } from "./features.ts";
import { dropUnusedSwitches, ensureSwitch, listAdapters } from "./host.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findField, findFlag, findNumber, findObject, findText, listObjects, type JsonObject } from "./json.ts";
import { checkPolicies, listPolicySettings, listSetIds } from "./policies.ts";
import { changePolicies } from "./policy-changes.ts";
import { refuseReferenced } from "./references.ts";
import { normaliseId, type Adapter, type NetworkRecord, type SubnetRecord, type World } from "./world.ts";

/** Network types in their canonical spelling. */
const TYPES = ["NAT", "ICS", "Transparent", "L2Bridge", "L2Tunnel", "Overlay", "Private", "Internal"];
const EXTERNAL_TYPES = ["Transparent", "L2Bridge", "L2Tunnel", "Overlay"];

const FLAG_DISABLE_HOST_PORT = 1024;
const FLAG_ENABLE_IOV = 8192;

/** Creates a network from a version 2 document; `id` is upper case, all zeros for "choose one". */
export function createNetwork(world: World, id: string, document: JsonObject): NetworkRecord {
  const type = readType(document);
  const name = findText(document, "Name") ?? "";
  const chosen = world.chooseId(id, findText(document, "ID"));
  refuseDuplicate(world, chosen, name);
  const flags = readFlags(world, document);
  const policies = checkNetworkPolicies(world, [], listObjects(document, "Policies"));
  const adapter = EXTERNAL_TYPES.includes(type) ? chooseAdapter(world, policies) : null;
  const subnets = readSubnets(world, document);
  const record: NetworkRecord = {
    id: chosen,
    name,
    type,
    flags,
    adapter: adapter?.name ?? null,
    ipamType: readIpamType(document, subnets),
    macPool: readMacPool(world, document),
    createdAt: world.sources.now(),
    subnets,
    policies: type === "Overlay" ? addOverlayPolicies(policies, chosen) : policies,
    dns: findObject(document, "Dns") ?? {},
    extensions: adapter === null ? [] : world.settings.switchExtensions.map((extension) => ({ ...extension })),
  };
  world.notify({ type: 1, data: JSON.stringify({ ID: chosen }) });
  if (adapter !== null) ensureSwitch(world, adapter);
  world.networks.set(chosen, record);
  world.notify({ type: 2, data: JSON.stringify({ ID: chosen }) });
  return record;
}

export function getNetwork(world: World, id: string): NetworkRecord {
  const record = world.networks.get(id);
  if (record === undefined) throw new HnsError(HRESULT.NETWORK_NOT_FOUND, id);
  return record;
}

/** Deletes a network and every endpoint on it. */
export function deleteNetwork(world: World, id: string): void {
  getNetwork(world, id);
  const endpoints = [...world.endpoints.values()].filter((endpoint) => endpoint.network === id).map((endpoint) => endpoint.id);
  refuseReferenced(world, endpoints);
  world.notify({ type: 3, data: JSON.stringify({ ID: id }) });
  for (const endpoint of endpoints) deleteEndpoint(world, endpoint);
  world.networks.delete(id);
  dropUnusedSwitches(world);
  world.notify({ type: 4, data: JSON.stringify({ ID: id }) });
}

/** `{ResourceType: Policy|Subnet|DNS|Extension, RequestType: Add|Remove|Update|Refresh, Settings}`. */
export function modifyNetwork(world: World, id: string, request: JsonObject): void {
  const record = getNetwork(world, id);
  const settings = findObject(request, "Settings") ?? {};
  const kind = findText(request, "RequestType") ?? "";
  switch (findText(request, "ResourceType")) {
    case "Policy":
      record.policies = changePolicies(
        record.policies,
        kind,
        checkNetworkPolicies(world, record.policies, listObjects(settings, "Policies")),
      );
      return;
    case "Subnet":
      changeSubnets(world, record, kind, listObjects(settings, "Subnets"));
      return;
    case "DNS":
      record.dns = settings;
      return;
    case "Extension":
      changeExtensions(world, record, [
        { Id: findText(settings, "ExtensionID") ?? findText(settings, "Id") ?? "", IsEnabled: settings["IsEnabled"] ?? true },
      ]);
      return;
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "ResourceType");
  }
}

/** Checks policies for a network that has `current` already: ACLs may name its address sets, and those given beside them. */
export function checkNetworkPolicies(world: World, current: readonly JsonObject[], given: readonly JsonObject[]): JsonObject[] {
  const sets = given
    .filter((policy) => findText(policy, "Type")?.toLowerCase() === "setpolicy")
    .map((policy) => ({ ...policy, Type: "SetPolicy" }));
  return checkPolicies("network", given, world.settings, listSetIds([...current, ...sets]));
}

/** Switches extensions of the network's virtual switch on or off, `{Id, IsEnabled}` each. One that is not installed is refused. */
export function changeExtensions(world: World, record: NetworkRecord, changes: readonly JsonObject[]): void {
  for (const change of changes) {
    const id = findText(change, "Id") ?? "";
    const index = record.extensions.findIndex((known) => sameGuid(findText(known, "Id") ?? "", id));
    const known = record.extensions[index] ?? world.settings.switchExtensions.find((installed) => sameGuid(installed.Id, id));
    if (known === undefined) throw new HnsError(HRESULT.SWITCH_EXTENSION_NOT_FOUND, id);
    const changed = { ...known, IsEnabled: findFlag(change, "IsEnabled") ?? true };
    if (index === -1) record.extensions.push(changed);
    else record.extensions[index] = changed;
  }
}

/** A subnet's canonical CIDR. */
export function subnetCidr(subnet: SubnetRecord): Cidr {
  const cidr = findCidr(subnet.prefix);
  if (cidr === undefined) throw new HnsError(HRESULT.INVALID_IP, subnet.prefix);
  return cidr;
}

function readType(document: JsonObject): string {
  // hcsshim leaves the type of a NAT network out, in both directions.
  const text = findText(document, "Type") ?? "NAT";
  const type = TYPES.find((known) => known.toLowerCase() === text.toLowerCase());
  if (type === undefined) throw new HnsError(HRESULT.INVALID_NETWORK_TYPE, text);
  return type;
}

function readIpamType(document: JsonObject, subnets: readonly SubnetRecord[]): string {
  if (subnets.length > 0) return "Static";
  return findText(listObjects(document, "Ipams")[0] ?? {}, "Type") ?? "DHCP";
}

/** Flag bits that not every HNS knows are refused by those that do not. */
function readFlags(world: World, document: JsonObject): number {
  const flags = findNumber(document, "Flags") ?? 0;
  if ((flags & FLAG_DISABLE_HOST_PORT) !== 0 && !knows(world.settings.version, "DisableHostPort"))
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "Flags: DisableHostPort");
  if ((flags & FLAG_ENABLE_IOV) !== 0 && !knows(world.settings.version, "AcceleratedNetworking"))
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "Flags: EnableIov");
  return flags;
}

function refuseDuplicate(world: World, id: string, name: string): void {
  const sameName = [...world.networks.values()].some((network) => name !== "" && network.name === name);
  if (world.networks.has(id) || sameName) throw new HnsError(HRESULT.NETWORK_ALREADY_EXISTS, name);
}

function chooseAdapter(world: World, policies: readonly JsonObject[]): Adapter {
  const named = listPolicySettings(policies, "NetAdapterName")[0];
  const name = named === undefined ? undefined : findText(named, "NetworkAdapterName");
  const adapters = listAdapters(world);
  const adapter = name === undefined ? adapters[0] : adapters.find((candidate) => candidate.name === name);
  if (adapter === undefined) throw new HnsError(HRESULT.ADAPTER_NOT_FOUND, name);
  return adapter;
}

function readSubnets(world: World, document: JsonObject): SubnetRecord[] {
  return listObjects(document, "Ipams").flatMap((ipam) => listObjects(ipam, "Subnets").map((subnet) => readSubnet(world, subnet)));
}

function readSubnet(world: World, subnet: JsonObject): SubnetRecord {
  const prefix = findText(subnet, "IpAddressPrefix") ?? "";
  const parsed = findAddressWithPrefix(prefix);
  if (parsed === undefined || findCidr(prefix) === undefined) throw new HnsError(HRESULT.INVALID_IP, prefix);
  const cidr = networkOf(parsed.address, parsed.prefix);
  const routes = listObjects(subnet, "Routes").map((route) => ({
    nextHop: findText(route, "NextHop") ?? "",
    destination: findText(route, "DestinationPrefix") ?? "",
  }));
  if (cidr.address.family === 6 && !knows(world.settings.version, "DualStack")) throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, prefix);
  for (const { nextHop } of routes) {
    const ip = findIp(nextHop);
    if (ip === undefined || !containsIp(cidr, ip)) throw new HnsError(HRESULT.INVALID_IP, nextHop);
  }
  return { prefix, routes, policies: checkPolicies("subnet", listObjects(subnet, "Policies"), world.settings) };
}

function changeSubnets(world: World, record: NetworkRecord, requestType: string, subnets: JsonObject[]): void {
  const given = subnets.map((subnet) => readSubnet(world, subnet));
  if (requestType === "Add") {
    const known = record.subnets.some((subnet) => given.some((other) => other.prefix === subnet.prefix));
    if (known) throw new HnsError(HRESULT.OBJECT_EXISTS, "subnet");
    record.subnets.push(...given);
  } else if (requestType === "Remove") {
    removeSubnets(world, record, given);
  } else {
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  }
}

function removeSubnets(world: World, record: NetworkRecord, given: readonly SubnetRecord[]): void {
  for (const { prefix } of given) {
    const known = record.subnets.find((subnet) => subnet.prefix === prefix);
    if (known === undefined) throw new HnsError(HRESULT.SUBNET_NOT_FOUND, prefix);
    const isUsed = [...world.endpoints.values()].some(
      (endpoint) => endpoint.network === record.id && endpoint.addresses.some(({ address }) => isInside(known, address)),
    );
    if (isUsed) throw new HnsError(HRESULT.HAS_REFERENCES, prefix);
  }
  record.subnets = record.subnets.filter((subnet) => !given.some((other) => other.prefix === subnet.prefix));
}

function isInside(subnet: SubnetRecord, address: string): boolean {
  const ip = findIp(address);
  return ip !== undefined && containsIp(subnetCidr(subnet), ip);
}

function readMacPool(world: World, document: JsonObject): { start: string; end: string }[] {
  const pool = findObject(document, "MacPool");
  const ranges = pool === undefined ? [] : listObjects(pool, "Ranges");
  if (ranges.length > 0) {
    return ranges.map((range) => ({ start: findText(range, "StartMacAddress") ?? "", end: findText(range, "EndMacAddress") ?? "" }));
  }
  const index = world.counters.macPool++;
  const byte = (value: number): string => (value & 0xff).toString(16).padStart(2, "0").toUpperCase();
  const stem = `00-15-5D-${byte(0x40 + (index >> 4))}`;
  return [{ start: `${stem}-${byte(index << 4)}-00`, end: `${stem}-${byte((index << 4) | 0xf)}-FF` }];
}

/** What HNS itself adds to an overlay network: the address tunnels end at, and the distributed router's MAC. */
function addOverlayPolicies(policies: JsonObject[], id: string): JsonObject[] {
  const added = [...policies];
  if (listPolicySettings(policies, "DrMacAddress").length === 0) {
    const tail = id.slice(0, 6).match(/../g) ?? [];
    added.push({ Type: "DrMacAddress", Settings: { Address: ["00", "15", "5D", ...tail].join("-") } });
  }
  return added;
}

/** The first addresses of a subnet and its gateways, which no endpoint may have. */
export function reservedAddresses(subnet: SubnetRecord): string[] {
  const cidr = subnetCidr(subnet);
  const hostBits = (cidr.address.family === 4 ? 32 : 128) - cidr.prefix;
  const gateways = subnet.routes.map((route) => route.nextHop).flatMap((text) => findIp(text) ?? []);
  if (hostBits < 2) return gateways.map(formatIp);
  const edges = [addressAt(cidr, 0), addressAt(cidr, 1)];
  if (cidr.address.family === 4) edges.push(addressAt(cidr, 2 ** hostBits - 1));
  return [...edges, ...gateways].map(formatIp);
}

/** Version 1 gives a network's subnets one gateway each; the default route carries it in version 2. */
export function gatewayOf(subnet: SubnetRecord): string {
  const route = subnet.routes.find(({ destination }) => destination === "0.0.0.0/0" || destination === "::/0");
  return route?.nextHop ?? "";
}

/** Whether the caller gave an id that is a GUID; used to refuse nonsense before anything else happens. */
export function readReference(object: JsonObject, name: string): string | undefined {
  const text = findField(object, name) === undefined ? undefined : findText(object, name);
  return text === undefined || text === "" ? undefined : normaliseId(text);
}
