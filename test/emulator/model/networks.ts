import { addressAt, containsIp, findAddressWithPrefix, findCidr, findIp, formatIp, networkOf, type Cidr } from "../../../src/core/base/ip.ts";
import { deleteEndpoint } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findField, findNumber, findObject, findText, listObjects, type JsonObject } from "./json.ts";
import { checkPolicies, listPolicySettings, samePolicy } from "./policies.ts";
import { normaliseId, type Adapter, type NetworkRecord, type SubnetRecord, type World } from "./world.ts";

/** Network types in their canonical spelling. */
const TYPES = ["NAT", "ICS", "Transparent", "L2Bridge", "L2Tunnel", "Overlay", "Private", "Internal"];
const EXTERNAL_TYPES = ["Transparent", "L2Bridge", "L2Tunnel", "Overlay"];

/** Creates a network from a version 2 document; `id` is upper case, all zeros for "choose one". */
export function createNetwork(world: World, id: string, document: JsonObject): NetworkRecord {
  const type = readType(document);
  const name = findText(document, "Name") ?? "";
  const chosen = world.chooseId(id, findText(document, "ID"));
  refuseDuplicate(world, chosen, name);
  const policies = checkPolicies("network", listObjects(document, "Policies"), world.settings);
  const adapter = EXTERNAL_TYPES.includes(type) ? chooseAdapter(world, policies) : null;
  const subnets = readSubnets(world, document);
  const record: NetworkRecord = {
    id: chosen,
    name,
    type,
    flags: findNumber(document, "Flags") ?? 0,
    adapter: adapter?.name ?? null,
    ipamType: subnets.length > 0 ? "Static" : (findText(listObjects(document, "Ipams")[0] ?? {}, "Type") ?? "DHCP"),
    macPool: readMacPool(world, document),
    createdAt: world.sources.now(),
    subnets,
    policies: type === "Overlay" ? addOverlayPolicies(policies, chosen) : policies,
    dns: findObject(document, "Dns") ?? {},
    extensions: [],
  };
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
  for (const endpoint of [...world.endpoints.values()]) if (endpoint.network === id) deleteEndpoint(world, endpoint.id);
  world.networks.delete(id);
  world.notify({ type: 4, data: JSON.stringify({ ID: id }) });
}

/** `{ResourceType: Policy|Subnet|DNS|Extension, RequestType: Add|Remove|Update|Refresh, Settings}`. */
export function modifyNetwork(world: World, id: string, request: JsonObject): void {
  const record = getNetwork(world, id);
  const settings = findObject(request, "Settings") ?? {};
  const kind = findText(request, "RequestType") ?? "";
  switch (findText(request, "ResourceType")) {
    case "Policy":
      record.policies = changePolicies(record.policies, kind, checkPolicies("network", listObjects(settings, "Policies"), world.settings));
      return;
    case "Subnet":
      changeSubnets(world, record, kind, listObjects(settings, "Subnets"));
      return;
    case "DNS":
      record.dns = settings;
      return;
    case "Extension":
      record.extensions = [...record.extensions.filter((known) => findText(known, "Id") !== findText(settings, "Id")), settings];
      return;
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "ResourceType");
  }
}

/** Applies Add, Remove or Update to a list of policies. Update replaces the policies of the types given. */
export function changePolicies(current: JsonObject[], requestType: string, given: JsonObject[]): JsonObject[] {
  switch (requestType) {
    case "Add":
      return [...current, ...given];
    case "Remove":
      return current.filter((policy) => !given.some((other) => samePolicy(policy, other)));
    case "Update":
      return [...current.filter((policy) => !given.some((other) => other["Type"] === policy["Type"])), ...given];
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  }
}

/** The machine's address on the network's adapter, or "" while the management interface has none. */
export function findManagementIp(world: World, network: NetworkRecord): string {
  const adapter = world.settings.adapters.find((candidate) => candidate.name === network.adapter);
  const ready = world.sources.now() - network.createdAt >= world.settings.managementIpDelayMs;
  return adapter === undefined || !ready ? "" : adapterAddress(adapter);
}

export function adapterAddress(adapter: Adapter): string {
  return adapter.address.split("/")[0] ?? "";
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

function refuseDuplicate(world: World, id: string, name: string): void {
  const sameName = [...world.networks.values()].some((network) => name !== "" && network.name === name);
  if (world.networks.has(id) || sameName) throw new HnsError(HRESULT.NETWORK_ALREADY_EXISTS, name);
}

function chooseAdapter(world: World, policies: readonly JsonObject[]): Adapter {
  const named = listPolicySettings(policies, "NetAdapterName")[0];
  const name = named === undefined ? undefined : findText(named, "NetworkAdapterName");
  const { adapters } = world.settings;
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
    record.subnets = record.subnets.filter((subnet) => !given.some((other) => other.prefix === subnet.prefix));
  } else {
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  }
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
