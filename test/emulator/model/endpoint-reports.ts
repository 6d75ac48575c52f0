import { listAddresses } from "./endpoints.ts";
import type { JsonObject } from "./json.ts";
import type { EndpointRecord, World } from "./world.ts";

/** What HcnQueryEndpointStats and GET /endpointstats say. No packet ever flows here, so every counter is zero. */
export function buildEndpointStats({ id }: EndpointRecord): JsonObject {
  return {
    EndpointID: id,
    BytesReceived: 0,
    BytesSent: 0,
    PacketsReceived: 0,
    PacketsSent: 0,
    DroppedPacketsIncoming: 0,
    DroppedPacketsOutgoing: 0,
  };
}

/** What HcnQueryEndpointAddresses and GET /endpointaddresses say. */
export function buildEndpointAddresses(world: World, endpoint: EndpointRecord): JsonObject {
  return {
    EndpointID: endpoint.id,
    MacAddress: endpoint.mac,
    IPAddresses: listAddresses(world, endpoint).map(({ address }) => address),
  };
}
