import { addressAt, containsIp, findIp, formatIp, offsetIn, width } from "../../../src/core/base/ip.ts";
import { findMac } from "../../../src/core/base/ids.ts";
import { knows } from "./features.ts";
import { chooseLease } from "./host.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findNumber, findObject, findText, listObjects, type JsonObject } from "./json.ts";
import { getNetwork, readReference, reservedAddresses, subnetCidr } from "./networks.ts";
import { checkPolicies, listPolicySettings, listSetIds } from "./policies.ts";
import { changePolicies } from "./policy-changes.ts";
import { refuseReferenced } from "./references.ts";
import type { EndpointRecord, NetworkRecord, World } from "./world.ts";

/** Flag of an endpoint document: the endpoint lives on another node. */
const FLAG_REMOTE = 1;

type Address = EndpointRecord["addresses"][number];

/** Creates an endpoint from a version 2 document on the network `networkId`. */
export function createEndpoint(world: World, networkId: string, id: string, document: JsonObject): EndpointRecord {
  const network = getNetwork(world, networkId);
  refuseOtherNetwork(networkId, document);
  const chosen = world.chooseId(id, findText(document, "ID"));
  if (world.endpoints.has(chosen)) throw new HnsError(HRESULT.OBJECT_EXISTS, chosen);
  const flags = findNumber(document, "Flags") ?? 0;
  const policies = checkEndpointPolicies(world, network, listObjects(document, "Policies"));
  const configurations = listObjects(document, "IpConfigurations");
  const record: EndpointRecord = {
    id: chosen,
    name: findText(document, "Name") ?? "",
    network: networkId,
    flags,
    addresses: chooseAddresses(world, network, configurations, flags),
    leaseAt: chooseLeaseTime(world, network, configurations),
    mac: chooseMac(world, network, findText(document, "MacAddress") ?? ""),
    routes: listObjects(document, "Routes").map(readRoute),
    policies,
    dns: findObject(document, "Dns") ?? {},
    namespace: null,
    hostCompartment: null,
    attachments: [],
    forwarding: false,
  };
  checkPortMappings(world, network, record, policies);
  world.endpoints.set(chosen, record);
  return record;
}

function refuseOtherNetwork(networkId: string, document: JsonObject): void {
  const named = readReference(document, "HostComputeNetwork");
  if (named !== undefined && named !== networkId) throw new HnsError(HRESULT.INVALID_ARGUMENT, "HostComputeNetwork names another network");
}

export function getEndpoint(world: World, id: string): EndpointRecord {
  const record = world.endpoints.get(id);
  if (record === undefined) throw new HnsError(HRESULT.ENDPOINT_NOT_FOUND, id);
  return record;
}

/** Deletes an endpoint and takes it out of the namespace it is in. */
export function deleteEndpoint(world: World, id: string): void {
  const record = getEndpoint(world, id);
  refuseReferenced(world, [id]);
  const namespace = record.namespace === null ? undefined : world.namespaces.get(record.namespace);
  if (namespace !== undefined) namespace.endpoints = namespace.endpoints.filter((member) => member !== id);
  const wasAttached = isAttached(record);
  world.endpoints.delete(id);
  if (wasAttached) notifyDetached(world, record, record.namespace);
}

/** The addresses an endpoint shows: a lease only once it has come. */
export function listAddresses(world: World, endpoint: EndpointRecord): readonly Address[] {
  return endpoint.leaseAt !== null && world.sources.now() < endpoint.leaseAt ? [] : endpoint.addresses;
}

/** Throws when the endpoint lives on another node, where nothing can be attached to it. */
export function refuseRemote(endpoint: EndpointRecord): void {
  if (isRemote(endpoint)) throw new HnsError(HRESULT.INVALID_REMOTE_ENDPOINT_OPERATION, endpoint.id);
}

export function isRemote({ flags }: EndpointRecord): boolean {
  return (flags & FLAG_REMOTE) !== 0;
}

export function notifyAttached(world: World, { id }: EndpointRecord, namespace: string | null): void {
  world.notify({ type: 9, data: describeAttachment(id, namespace) });
}

export function notifyDetached(world: World, { id }: EndpointRecord, namespace: string | null): void {
  world.notify({ type: 0x10, data: describeAttachment(id, namespace) });
}

function describeAttachment(id: string, namespace: string | null): string {
  return JSON.stringify(namespace === null ? { ID: id } : { ID: id, NamespaceId: namespace });
}

/** Checks policies for an endpoint of `network`: its ACLs may name the network's address sets. */
export function checkEndpointPolicies(world: World, network: NetworkRecord, given: readonly JsonObject[]): JsonObject[] {
  return checkPolicies("endpoint", given, world.settings, listSetIds(network.policies));
}

/** `{ResourceType: Policy|Port, RequestType, Settings}`. */
export function modifyEndpoint(world: World, id: string, request: JsonObject): void {
  const record = getEndpoint(world, id);
  const settings = findObject(request, "Settings") ?? {};
  switch (findText(request, "ResourceType")) {
    case "Policy": {
      const given = checkEndpointPolicies(world, getNetwork(world, record.network), listObjects(settings, "Policies"));
      const requestType = findText(request, "RequestType") ?? "";
      if (requestType !== "Remove") checkPortMappings(world, getNetwork(world, record.network), record, given);
      record.policies = changePolicies(record.policies, requestType, given);
      return;
    }
    case "Port":
      changePort(record, findText(request, "RequestType") ?? "", findText(settings, "VirtualMachineId") ?? "");
      return;
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "ResourceType");
  }
}

/** Whether anything uses the endpoint now. */
export function isAttached(endpoint: EndpointRecord): boolean {
  return endpoint.namespace !== null || endpoint.hostCompartment !== null || endpoint.attachments.length > 0;
}

function changePort(record: EndpointRecord, requestType: string, machine: string): void {
  const key = `vm:${machine}`;
  if (requestType === "Add") record.attachments.push(key);
  else if (requestType === "Remove") record.attachments = record.attachments.filter((item) => item !== key);
  else throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
}

function readRoute(route: JsonObject): { nextHop: string; destination: string } {
  const nextHop = findText(route, "NextHop") ?? "";
  if (nextHop !== "" && findIp(nextHop) === undefined) throw new HnsError(HRESULT.INVALID_IP, nextHop);
  return { nextHop, destination: findText(route, "DestinationPrefix") ?? "" };
}

function chooseAddresses(world: World, network: NetworkRecord, configurations: readonly JsonObject[], flags: number): Address[] {
  const used = usedAddresses(world, network.id);
  if (configurations.length === 0) {
    if (!world.settings.allocateAddresses || (flags & FLAG_REMOTE) !== 0) return [];
    return isDhcp(network) ? chooseLease(world, network, used) : allocate(network, used);
  }
  return configurations.map((configuration) => {
    const address = readAddress({ world, network, flags }, configuration);
    if (used.has(address.address)) throw new HnsError(HRESULT.OBJECT_EXISTS, address.address);
    used.add(address.address);
    return address;
  });
}

function readAddress({ world, network, flags }: AddressContext, configuration: JsonObject): Address {
  const prefix = readPrefixLength(world, configuration);
  const text = findText(configuration, "IpAddress") ?? "";
  const ip = findIp(text);
  if (ip === undefined) throw new HnsError(HRESULT.INVALID_IP, text);
  const address = formatIp(ip);
  if (prefix < 0 || prefix > width(ip.family)) throw new HnsError(HRESULT.INVALID_PREFIX, String(prefix));
  // A network without subnets takes any address: DHCP outside is its authority.
  if (network.subnets.length === 0) return { address, prefix };
  const subnet = network.subnets.find((candidate) => containsIp(subnetCidr(candidate), ip));
  if (subnet === undefined) throw new HnsError(HRESULT.INVALID_IP, text);
  if ((flags & FLAG_REMOTE) === 0 && reservedAddresses(subnet).includes(address)) throw new HnsError(HRESULT.ADDRESS_RESERVED, address);
  return { address, prefix: prefix === 0 ? subnetCidr(subnet).prefix : prefix };
}

/** 0 when the document leaves it to the subnet. */
function readPrefixLength(world: World, configuration: JsonObject): number {
  const prefix = findNumber(configuration, "PrefixLength") ?? 0;
  if (prefix === 32 && !knows(world.settings.version, "Slash32")) throw new HnsError(HRESULT.INVALID_ENDPOINT, "PrefixLength");
  return prefix;
}

function chooseLeaseTime(world: World, network: NetworkRecord, configurations: readonly JsonObject[]): number | null {
  return configurations.length === 0 && isDhcp(network) ? world.sources.now() + world.settings.dhcpDelayMs : null;
}

/** Whether addresses come from a server outside: a network on a card and without subnets of its own. */
function isDhcp(network: NetworkRecord): boolean {
  return network.subnets.length === 0 && network.adapter !== null;
}

interface AddressContext {
  readonly world: World;
  readonly network: NetworkRecord;
  readonly flags: number;
}

function usedAddresses(world: World, networkId: string): Set<string> {
  const used = new Set<string>();
  for (const endpoint of world.endpoints.values()) {
    if (endpoint.network === networkId) for (const { address } of endpoint.addresses) used.add(address);
  }
  return used;
}

/** The lowest free address of the first subnet of each family. */
function allocate(network: NetworkRecord, used: ReadonlySet<string>): Address[] {
  const families = [4, 6] as const;
  return families.flatMap((family) => {
    const subnet = network.subnets.find((candidate) => subnetCidr(candidate).address.family === family);
    if (subnet === undefined) return [];
    const cidr = subnetCidr(subnet);
    const reserved = reservedAddresses(subnet);
    for (let offset = 0; ; offset++) {
      const ip = addressAt(cidr, offset);
      if (offsetIn(cidr, ip) === undefined) throw new HnsError(HRESULT.ADDRESS_RESERVED, "no free address");
      const address = formatIp(ip);
      if (!used.has(address) && !reserved.includes(address)) return [{ address, prefix: cidr.prefix }];
    }
  });
}

function chooseMac(world: World, network: NetworkRecord, given: string): string {
  if (given !== "") {
    const mac = findMac(given);
    if (mac === undefined) throw new HnsError(HRESULT.INVALID_ENDPOINT, "MacAddress");
    return mac.replaceAll(":", "-").toUpperCase();
  }
  const used = new Set([...world.endpoints.values()].map((endpoint) => endpoint.mac));
  for (const range of network.macPool) {
    const end = macValue(range.end);
    for (let value = macValue(range.start); value <= end; value++) {
      const mac = formatMac(value);
      if (!used.has(mac)) return mac;
    }
  }
  throw new HnsError(HRESULT.INVALID_ENDPOINT, "no free MAC address");
}

function macValue(text: string): number {
  const mac = findMac(text);
  if (mac === undefined) throw new HnsError(HRESULT.INVALID_ENDPOINT, `MAC pool: ${text}`);
  return Number.parseInt(mac.replaceAll(":", ""), 16);
}

function formatMac(value: number): string {
  const digits = value.toString(16).padStart(12, "0").toUpperCase();
  return (digits.match(/../g) ?? []).join("-");
}

/** A host port belongs to one endpoint per protocol and address. */
function checkPortMappings(world: World, network: NetworkRecord, self: EndpointRecord, given: readonly JsonObject[]): void {
  const wantedSettings = listPolicySettings(given, "PortMapping");
  const wanted = wantedSettings.map(portKey);
  if (wanted.length > 0 && network.type === "Transparent") throw new HnsError(HRESULT.MAPPING_NOT_SUPPORTED);
  const others = [...world.endpoints.values()].filter((endpoint) => endpoint.id !== self.id);
  const taken = others.flatMap((endpoint) => listPolicySettings(endpoint.policies, "PortMapping").map(portKey));
  for (const [index, key] of wanted.entries()) {
    if (key === undefined) continue;
    if (isReserved(world, wantedSettings[index]) || taken.includes(key) || wanted.indexOf(key) !== index)
      throw new HnsError(HRESULT.PORT_ALREADY_EXISTS, key);
  }
}

/** Whether a guest network service holds the port for itself. */
function isReserved(world: World, settings: JsonObject | undefined): boolean {
  const port = findNumber(settings ?? {}, "ExternalPort") ?? 0;
  return [...world.portReservations.values()].some(({ access, start, end }) => access === ACCESS_EXCLUSIVE && port >= start && port <= end);
}

const ACCESS_EXCLUSIVE = 1;

function portKey(settings: JsonObject): string | undefined {
  const port = findNumber(settings, "ExternalPort") ?? 0;
  if (port === 0) return undefined;
  const isV6 = ((findNumber(settings, "Flags") ?? 0) & FLAG_IPV6) !== 0;
  return [findNumber(settings, "Protocol") ?? 0, port, findText(settings, "VIP") ?? "", isV6 ? 6 : 4].join("/");
}

/** Flag of a port mapping: it is of the pod's IPv6 address. */
const FLAG_IPV6 = 2;
