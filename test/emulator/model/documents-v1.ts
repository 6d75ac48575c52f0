import { buildGuid, findGuid, formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { buildObject, findFlag, findNumber, findText, listObjects, listTexts, splitList, type JsonObject, type JsonValue } from "./json.ts";
import { isAttached, listAddresses } from "./endpoints.ts";
import { findManagementIp } from "./host.ts";
import { gatewayOf } from "./networks.ts";
import { policyToV1, policyToV2, without } from "./policies-v1.ts";
import type { EndpointRecord, ListRecord, NetworkRecord, World } from "./world.ts";

const STATE_CREATED = 1;
const STATE_ATTACHED = 2;
/** An endpoint several containers share. */
const STATE_ATTACHED_SHARING = 3;

/** The version 1 view of a network (hcsshim's HNSNetwork, plus what Get-HnsNetwork shows). */
export function buildNetworkV1(world: World, network: NetworkRecord): JsonObject {
  return buildObject({
    ID: network.id,
    Name: network.name,
    Type: network.type,
    NetworkAdapterName: network.adapter ?? undefined,
    Policies: network.policies.filter((policy) => policy["Type"] !== "NetAdapterName").map(policyToV1),
    MacPools: network.macPool.map(({ start, end }) => ({ StartMacAddress: start, EndMacAddress: end })),
    Subnets: network.subnets.map((subnet) => ({
      AddressPrefix: subnet.prefix,
      GatewayAddress: gatewayOf(subnet),
      Policies: subnet.policies.map(policyToV1),
    })),
    DNSSuffix: joinTexts(network.dns, "Search"),
    DNSServerList: joinTexts(network.dns, "ServerList"),
    ManagementIP: findManagementIp(world, network),
    Extensions: network.extensions,
    Flags: network.flags,
    Layer: network.adapter === null ? undefined : buildLayer(network),
    State: STATE_CREATED,
    Version: 64424509440,
  });
}

export function buildEndpointV1(world: World, endpoint: EndpointRecord): JsonObject {
  const network = world.networks.get(endpoint.network);
  const v4 = listAddresses(world, endpoint).find(({ address }) => !address.includes(":"));
  const v6 = listAddresses(world, endpoint).find(({ address }) => address.includes(":"));
  return buildObject({
    ID: endpoint.id,
    Name: endpoint.name,
    VirtualNetwork: endpoint.network,
    VirtualNetworkName: network?.name,
    Policies: endpoint.policies.map(policyToV1),
    MacAddress: endpoint.mac,
    IPAddress: v4?.address,
    PrefixLength: v4?.prefix,
    IPv6Address: v6?.address,
    IPv6PrefixLength: v6?.prefix,
    GatewayAddress: gateway(endpoint, "0.0.0.0/0"),
    GatewayAddressV6: gateway(endpoint, "::/0"),
    DNSSuffix: joinTexts(endpoint.dns, "Search"),
    DNSServerList: joinTexts(endpoint.dns, "ServerList"),
    IsRemoteEndpoint: (endpoint.flags & 1) !== 0 ? true : undefined,
    Namespace: endpoint.namespace === null ? undefined : { ID: endpoint.namespace },
    SharedContainers: endpoint.attachments,
    Resources: isAttached(endpoint)
      ? buildResources([{ Tag: "Endpoint Port", EndpointPortGuid: derivedId(endpoint.id, "port") }])
      : undefined,
    State: findState(endpoint),
  });
}

function findState(endpoint: EndpointRecord): number {
  if (!isAttached(endpoint)) return STATE_CREATED;
  return endpoint.attachments.length > 1 ? STATE_ATTACHED_SHARING : STATE_ATTACHED;
}

/** What tools of the virtual switch look for in a network: which ports belong to the host and to the card. */
function buildLayer(network: NetworkRecord): JsonObject {
  const port = (tag: string): JsonObject => ({ Tag: tag, VmswitchPortGuid: derivedId(network.id, tag) });
  return { ID: derivedId(network.id, "layer"), Resources: buildResources([port("Host Vnic"), port("External Adapter Info")]) };
}

function buildResources(allocators: JsonObject[]): JsonObject {
  return { Allocators: allocators };
}

/** An id that stays the same as long as the object it belongs to. */
function derivedId(id: string, part: string): string {
  return formatGuid(buildGuid(PARTS, [id, part]));
}

// Any fixed GUID does: it only keeps these ids apart from others.
const PARTS = findGuid("6f0c2f6c-3b0d-4c6e-9a53-7d1f2a9f4e11") ?? ZERO_GUID;

/** A policy list: the version 1 view of load balancers and routes. State 2 is the state of a list in force. */
export function buildPolicyListV1(kind: "loadBalancers" | "sdnRoutes", { id, document }: ListRecord): JsonObject {
  const references = listTexts(document, "HostComputeEndpoints").map((endpoint) => `/endpoints/${endpoint}`);
  const vips = listTexts(document, "FrontendVIPs");
  const policies: JsonValue[] = [
    ...listObjects(document, "PortMappings").map((mapping) => ({ Type: "ELB", VIPs: vips, ...mapping })),
    ...[...listObjects(document, "Routes"), ...listObjects(document, "Setting")].map((route) => ({ Type: "ROUTE", ...route })),
  ];
  return { ID: id, References: references, Policies: policies, State: 2, IsLoadBalancer: kind === "loadBalancers" };
}

/** The version 2 document that says what a version 1 network document says. */
export function readNetworkV1(document: JsonObject): JsonObject {
  const adapter = findText(document, "NetworkAdapterName") ?? "";
  const policies = listObjects(document, "Policies").map(policyToV2);
  if (adapter !== "") policies.push({ Type: "NetAdapterName", Settings: { NetworkAdapterName: adapter } });
  return buildObject({
    ID: findText(document, "ID"),
    Name: findText(document, "Name"),
    Type: findText(document, "Type"),
    Flags: findNumber(document, "Flags"),
    Policies: policies,
    Dns: readDns(document),
    Ipams: [{ Type: "Static", Subnets: listObjects(document, "Subnets").map(readSubnetV1) }],
  });
}

export function readEndpointV1(document: JsonObject): JsonObject {
  return buildObject({
    ID: findText(document, "ID"),
    Name: findText(document, "Name"),
    HostComputeNetwork: findText(document, "VirtualNetwork"),
    Policies: listObjects(document, "Policies").map(policyToV2),
    IpConfigurations: [
      ...readAddressV1(document, "IPAddress", "PrefixLength"),
      ...readAddressV1(document, "IPv6Address", "IPv6PrefixLength"),
    ],
    Routes: [...readGatewayV1(document, "GatewayAddress", "0.0.0.0/0"), ...readGatewayV1(document, "GatewayAddressV6", "::/0")],
    Dns: readDns(document),
    MacAddress: findText(document, "MacAddress"),
    Flags: findFlag(document, "IsRemoteEndpoint") === true ? 1 : 0,
  });
}

function readAddressV1(document: JsonObject, field: string, prefixField: string): JsonObject[] {
  const address = findText(document, field) ?? "";
  return address === "" ? [] : [{ IpAddress: address, PrefixLength: findNumber(document, prefixField) ?? 0 }];
}

function readGatewayV1(document: JsonObject, field: string, destination: string): JsonObject[] {
  const nextHop = findText(document, field) ?? "";
  return nextHop === "" ? [] : [{ NextHop: nextHop, DestinationPrefix: destination }];
}

/** The kind and version 2 document of a version 1 policy list. */
export function readPolicyListV1(document: JsonObject): { kind: "loadBalancers" | "sdnRoutes"; document: JsonObject } {
  const endpoints = listTexts(document, "References").map((reference) => reference.replace(/^\/endpoints\//i, ""));
  const policies = listObjects(document, "Policies");
  const first = policies[0];
  if (first === undefined) throw new HnsError(HRESULT.INVALID_POLICY, "no policy");
  const shared = buildObject({ ID: findText(document, "ID"), HostComputeEndpoints: endpoints });
  if (findText(first, "Type")?.toUpperCase() === "ROUTE") {
    return { kind: "sdnRoutes", document: { ...shared, Routes: policies.map((policy) => without(policy, ["Type"])) } };
  }
  return {
    kind: "loadBalancers",
    document: {
      ...shared,
      FrontendVIPs: listTexts(first, "VIPs"),
      PortMappings: policies.map((policy) => without(policy, ["Type", "VIPs"])),
    },
  };
}

function readSubnetV1(subnet: JsonObject): JsonObject {
  const prefix = findText(subnet, "AddressPrefix") ?? "";
  const gatewayAddress = findText(subnet, "GatewayAddress") ?? "";
  const destination = prefix.includes(":") ? "::/0" : "0.0.0.0/0";
  return {
    IpAddressPrefix: prefix,
    Routes: gatewayAddress === "" ? [] : [{ NextHop: gatewayAddress, DestinationPrefix: destination }],
    Policies: listObjects(subnet, "Policies").map(policyToV2),
  };
}

function readDns(document: JsonObject): JsonObject {
  return { Search: splitList(findText(document, "DNSSuffix")), ServerList: splitList(findText(document, "DNSServerList")) };
}

function joinTexts(dns: JsonObject, name: string): string | undefined {
  const texts = listTexts(dns, name);
  return texts.length === 0 ? undefined : texts.join(",");
}

function gateway(endpoint: EndpointRecord, destination: string): string | undefined {
  return endpoint.routes.find((route) => route.destination === destination)?.nextHop;
}
