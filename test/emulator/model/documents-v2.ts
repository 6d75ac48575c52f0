import { ZERO_GUID } from "../../../src/core/base/ids.ts";
import { buildObject, type JsonObject } from "./json.ts";
import { listAddresses } from "./endpoints.ts";
import { findManagementIp } from "./host.ts";
import { listPolicySettings } from "./policies.ts";
import type { EndpointRecord, ListRecord, NamespaceRecord, NetworkRecord, World } from "./world.ts";

const SCHEMA: JsonObject = { Major: 2, Minor: 0 };

/** The properties of a network, as HcnQueryNetworkProperties gives them. */
export function buildNetworkV2(world: World, network: NetworkRecord): JsonObject {
  return buildObject({
    ID: network.id,
    Name: network.name,
    // A NAT network's Type is the enumeration's zero and left out.
    Type: network.type === "NAT" ? undefined : network.type,
    Policies: [...network.policies, ...buildOwnPolicies(world, network)],
    MacPool: { Ranges: network.macPool.map(({ start, end }) => ({ StartMacAddress: start, EndMacAddress: end })) },
    Dns: network.dns,
    Ipams: [{ Type: network.ipamType, Subnets: network.subnets.map(buildSubnet) }],
    Flags: network.flags,
    Health: { Extra: {} },
    SchemaVersion: SCHEMA,
  });
}

export function buildEndpointV2(world: World, endpoint: EndpointRecord): JsonObject {
  return buildObject({
    ID: endpoint.id,
    Name: endpoint.name,
    HostComputeNetwork: endpoint.network,
    HostComputeNamespace: endpoint.namespace ?? detachedNamespace(world),
    Policies: endpoint.policies,
    IpConfigurations: listAddresses(world, endpoint).map(({ address, prefix }) => ({ IpAddress: address, PrefixLength: prefix })),
    Dns: endpoint.dns,
    Routes: endpoint.routes.map(({ nextHop, destination }) => ({ NextHop: nextHop, DestinationPrefix: destination })),
    MacAddress: endpoint.mac,
    Flags: endpoint.flags,
    Health: { Extra: {} },
    SchemaVersion: SCHEMA,
  });
}

export function buildNamespaceV2(namespace: NamespaceRecord): JsonObject {
  return {
    ID: namespace.id,
    NamespaceId: namespace.compartment,
    Type: namespace.type,
    Resources: [
      ...namespace.containers.map((id) => ({ Type: "Container", Data: { Id: id } })),
      ...namespace.endpoints.map((id) => ({ Type: "Endpoint", Data: { Id: id } })),
    ],
    SchemaVersion: SCHEMA,
  };
}

/** A load balancer or route is given back as it was written, with its id. */
export function buildListV2(record: ListRecord): JsonObject {
  return { SchemaVersion: SCHEMA, ...record.document, ID: record.id };
}

function buildSubnet(subnet: NetworkRecord["subnets"][number]): JsonObject {
  return {
    IpAddressPrefix: subnet.prefix,
    Policies: subnet.policies,
    Routes: subnet.routes.map(({ nextHop, destination }) => ({ NextHop: nextHop, DestinationPrefix: destination })),
  };
}

/** An overlay network shows the address its tunnels end at once the management interface has one. */
function buildOwnPolicies(world: World, network: NetworkRecord): JsonObject[] {
  if (network.type !== "Overlay" || listPolicySettings(network.policies, "ProviderAddress").length > 0) return [];
  const address = findManagementIp(world, network);
  return address === "" ? [] : [{ Type: "ProviderAddress", Settings: { ProviderAddress: address } }];
}

function detachedNamespace(world: World): string | undefined {
  switch (world.settings.detachedNamespace) {
    case "zero":
      return ZERO_GUID;
    case "empty":
      return "";
    case "absent":
      return undefined;
  }
}
