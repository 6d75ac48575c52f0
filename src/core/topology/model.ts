import type { Guid, Mac } from "../base/ids.ts";
import { compareIp, findIp } from "../base/ip.ts";
import { hostEndpointName } from "../engine/attachment.ts";
import {
  type EndpointDetail,
  type EndpointUse,
  type LoadBalancerView,
  type NamespaceView,
  type NetworkDetail,
  parseEndpointDetail,
  parseEndpointUses,
  parseLoadBalancer,
  parseNamespace,
  parseNetworkDetail,
  parseSdnRoute,
  type PolicyView,
  type RouteView,
  type SdnRouteView,
} from "../hcn/documents-detail.ts";
import type { Owner, Ownership, Pod } from "./ownership.ts";
import type { NodeDocuments } from "./read.ts";

/**
 * What an endpoint is attached to. host: the node itself · compute-system: a container or machine, the version 1 way · remote: it stands
 * for an endpoint of another node · unknown: in no namespace, and HNS did not tell more.
 */
export type Attached = "namespace" | "host" | "compute-system" | "remote" | "nothing" | "unknown";

export interface TopologyEndpoint {
  readonly id: Guid;
  readonly name: string;
  readonly owner: Owner;
  readonly pod: Pod | undefined;
  readonly attached: Attached;
  readonly namespace: Guid | undefined;
  readonly containers: readonly string[];
  /** With prefix length where HNS tells it. */
  readonly addresses: readonly string[];
  readonly mac: Mac | undefined;
  readonly routes: readonly RouteView[];
  readonly policies: readonly PolicyView[];
}

export interface TopologyNetwork extends NetworkDetail {
  readonly owner: Owner;
  /** Host endpoints first, then by address. */
  readonly endpoints: readonly TopologyEndpoint[];
}

/** A node as HNS has it. Networks are in order of their names, all else in order of ids where nothing else is said. */
export interface Topology {
  readonly networks: readonly TopologyNetwork[];
  /** Endpoints whose network HNS does not have. */
  readonly strays: readonly TopologyEndpoint[];
  readonly namespaces: readonly NamespaceView[];
  readonly loadBalancers: readonly LoadBalancerView[];
  readonly sdnRoutes: readonly SdnRouteView[];
  readonly warnings: readonly string[];
}

/** Puts HNS's documents together. Throws HNS_REFUSED when one cannot be read. Without `ownership` every owner is unknown. */
export function buildTopology(documents: NodeDocuments, ownership: Ownership | undefined): Topology {
  const details = documents.networks.map(parseNetworkDetail);
  const namespaces = documents.namespaces.map(parseNamespace).sort(byId);
  const sight: Sight = {
    ownership,
    uses: documents.endpointsV1 === undefined ? undefined : parseEndpointUses(documents.endpointsV1),
    hostNamespaces: new Set(namespaces.filter(({ type }) => type === "HostDefault").map(({ id }) => id)),
  };
  const endpoints = documents.endpoints.map(parseEndpointDetail);
  const networks = details.map((network) => ({
    id: network.id,
    name: network.name,
    type: network.type,
    owner: ownerOfNetwork(ownership, network.id),
    adapter: network.adapter,
    flags: network.flags,
    subnets: network.subnets,
    macRanges: network.macRanges,
    dns: network.dns,
    policies: network.policies,
    endpoints: endpoints.filter((endpoint) => endpoint.network === network.id).map((one) => viewEndpoint(sight, one, network)),
  }));
  const known = new Set(details.map(({ id }) => id));
  const strays = endpoints.filter(({ network }) => network === undefined || !known.has(network));
  return {
    networks: networks.map((network) => ({ ...network, endpoints: network.endpoints.sort(byPlace) })).sort(byName),
    strays: strays.map((endpoint) => viewEndpoint(sight, endpoint, undefined)).sort(byPlace),
    namespaces,
    loadBalancers: documents.loadBalancers.map(parseLoadBalancer).sort(byId),
    sdnRoutes: documents.sdnRoutes.map(parseSdnRoute).sort(byId),
    warnings: documents.warnings,
  };
}

/** The topology of some networks alone: with their endpoints, the namespaces of those, and what is balanced or routed to them. */
export function selectNetworks(topology: Topology, isWanted: (network: TopologyNetwork) => boolean): Topology {
  const networks = topology.networks.filter(isWanted);
  const endpoints = networks.flatMap((network) => network.endpoints);
  const ids = new Set(endpoints.map(({ id }) => id));
  const namespaces = new Set(endpoints.map(({ namespace }) => namespace));
  const concerns = (list: { readonly endpoints: readonly Guid[] }): boolean => list.endpoints.some((id) => ids.has(id));
  return {
    ...topology,
    networks,
    strays: [],
    namespaces: topology.namespaces.filter(({ id }) => namespaces.has(id)),
    loadBalancers: topology.loadBalancers.filter(concerns),
    sdnRoutes: topology.sdnRoutes.filter(concerns),
  };
}

interface Sight {
  readonly ownership: Ownership | undefined;
  readonly uses: ReadonlyMap<Guid, EndpointUse> | undefined;
  readonly hostNamespaces: ReadonlySet<Guid>;
}

function viewEndpoint(sight: Sight, endpoint: EndpointDetail, network: NetworkDetail | undefined): TopologyEndpoint {
  const { id, name, namespace, mac, routes, policies } = endpoint;
  return {
    id,
    name,
    owner: ownerOfEndpoint(sight.ownership, endpoint, network),
    pod: sight.ownership?.pods.get(id),
    attached: findAttached(sight, endpoint),
    namespace,
    containers: sight.uses?.get(id)?.containers ?? [],
    addresses: endpoint.addresses.map(({ address, prefixLength }) => (prefixLength === undefined ? address : `${address}/${prefixLength}`)),
    mac,
    routes: routes.map(({ destination, nextHop }) => ({ destination, nextHop })),
    policies,
  };
}

function findAttached({ uses, hostNamespaces }: Sight, { id, namespace, isRemote }: EndpointDetail): Attached {
  if (namespace !== undefined) return hostNamespaces.has(namespace) ? "host" : "namespace";
  if (isRemote) return "remote";
  const use = uses?.get(id);
  if (use === undefined) return "unknown";
  if (use.containers.length > 0) return "compute-system";
  // Version 1 attaches to the host without a namespace: what is attached and in nothing is the node's own.
  return use.isAttached ? "host" : "nothing";
}

function ownerOfNetwork(ownership: Ownership | undefined, id: Guid): Owner {
  return ownership === undefined ? "unknown" : (ownership.networks.get(id) ?? "foreign");
}

function ownerOfEndpoint(ownership: Ownership | undefined, { id, name }: EndpointDetail, network: NetworkDetail | undefined): Owner {
  if (ownership === undefined) return "unknown";
  const isHostEndpoint = network !== undefined && ownership.networks.has(network.id) && name === hostEndpointName(network.name);
  return isHostEndpoint || ownership.pods.has(id) ? "ours" : "foreign";
}

function byPlace(left: TopologyEndpoint, right: TopologyEndpoint): number {
  const order = Number(right.attached === "host") - Number(left.attached === "host");
  return order || compareAddresses(left, right) || compareTexts(left.name, right.name) || compareTexts(left.id, right.id);
}

/** Those without an address come last. */
function compareAddresses(left: TopologyEndpoint, right: TopologyEndpoint): number {
  const [a, b] = [left, right].map(({ addresses }) => findIp((addresses[0] ?? "").replace(/\/.*/, "")));
  if (a === undefined || b === undefined) return Number(a === undefined) - Number(b === undefined);
  return compareIp(a, b);
}

function byName(left: TopologyNetwork, right: TopologyNetwork): number {
  return compareTexts(left.name, right.name) || byId(left, right);
}

function byId(left: { readonly id: Guid }, right: { readonly id: Guid }): number {
  return compareTexts(left.id, right.id);
}

/** By code units: the same on every machine, whatever its language. */
function compareTexts(left: string, right: string): number {
  return left === right ? 0 : left < right ? -1 : 1;
}
