import { COMPUTE_EXPORTS } from "./compute-systems.ts";
import { buildEndpointV1, buildNetworkV1, buildPolicyListV1 } from "./documents-v1.ts";
import { buildEndpointV2, buildListV2, buildNamespaceV2, buildNetworkV2 } from "./documents-v2.ts";
import { buildEndpointAddresses, buildEndpointStats } from "./endpoint-reports.ts";
import { createEndpoint, deleteEndpoint, getEndpoint, listAddresses, modifyEndpoint } from "./endpoints.ts";
import {
  readDocument,
  readHandle,
  readId,
  readNonZeroId,
  type CallArgs,
  type CallContext,
  type CallEffect,
  type Export,
} from "./export-arguments.ts";
import { GUEST_EXPORTS, NO_OBJECT } from "./guest-exports.ts";
import { buildGuestService, createGuestService, deleteGuestService, getGuestService, modifyGuestService } from "./guest-services.ts";
import type { HandleKind } from "./handles.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findText, type JsonObject } from "./json.ts";
import { createList, deleteList, getList, modifyList } from "./lists.ts";
import { createNamespace, deleteNamespace, getNamespace, modifyNamespace } from "./namespaces.ts";
import { createNetwork, deleteNetwork, getNetwork, modifyNetwork } from "./networks.ts";
import { matches, parseQuery, type Searchable } from "./query.ts";
import type { EndpointRecord, World } from "./world.ts";

/** The six kinds of objects, each with the rules its exports share. */
interface ObjectKind {
  readonly kind: HandleKind;
  readonly singular: string;
  readonly plural: string;
  list(world: World): Searchable[];
  get(world: World, id: string): unknown;
  create(world: World, id: string, document: JsonObject): { readonly id: string };
  modify(world: World, id: string, request: JsonObject): void;
  query(world: World, id: string, version: 1 | 2): JsonObject;
  delete(world: World, id: string): void;
}

const NETWORK: ObjectKind = {
  kind: "network",
  singular: "Network",
  plural: "Networks",
  list: (world) => [...world.networks.values()].map(({ id, name, type }) => ({ ID: id, Name: name, Type: type })),
  get: getNetwork,
  create: createNetwork,
  modify: modifyNetwork,
  query: (world, id, version) => (version === 1 ? buildNetworkV1 : buildNetworkV2)(world, getNetwork(world, id)),
  delete: deleteNetwork,
};

const ENDPOINT: ObjectKind = {
  kind: "endpoint",
  singular: "Endpoint",
  plural: "Endpoints",
  list: (world) =>
    [...world.endpoints.values()].map((endpoint) => ({
      ID: endpoint.id,
      Name: endpoint.name,
      VirtualNetwork: endpoint.network,
      HostComputeNetwork: endpoint.network,
      VirtualNetworkName: world.networks.get(endpoint.network)?.name ?? "",
      MacAddress: endpoint.mac,
      ...listKey("IPAddress", listAddresses(world, endpoint)[0]?.address),
      ...listKey("HostComputeNamespace", endpoint.namespace ?? undefined),
    })),
  get: getEndpoint,
  create: () => {
    throw new HnsError(HRESULT.INVALID_ARGUMENT, "endpoints are created on a network");
  },
  modify: modifyEndpoint,
  query: (world, id, version) => (version === 1 ? buildEndpointV1 : buildEndpointV2)(world, getEndpoint(world, id)),
  delete: deleteEndpoint,
};

const NAMESPACE: ObjectKind = {
  kind: "namespace",
  singular: "Namespace",
  plural: "Namespaces",
  list: (world) => [...world.namespaces.keys()].map((id) => ({ ID: id })),
  get: getNamespace,
  create: createNamespace,
  modify: modifyNamespace,
  query: (world, id) => buildNamespaceV2(getNamespace(world, id)),
  delete: deleteNamespace,
};

const GUEST_SERVICE: ObjectKind = {
  kind: "guestService",
  singular: "GuestNetworkService",
  plural: "GuestNetworkServices",
  list: (world) => [...world.guestServices.keys()].map((id) => ({ ID: id })),
  get: getGuestService,
  create: createGuestService,
  modify: modifyGuestService,
  query: (world, id) => buildGuestService(getGuestService(world, id)),
  delete: deleteGuestService,
};

const LOAD_BALANCER = buildListKind("loadBalancer", "LoadBalancer", "loadBalancers");
const SDN_ROUTE = buildListKind("sdnRoute", "SdnRoute", "sdnRoutes");

/** Every export of computenetwork.dll and vmcompute.dll that leads here, by name. HNSCall is apart: its refusals travel in an envelope. */
export const EXPORTS: ReadonlyMap<string, Export> = new Map([
  ...[NETWORK, ENDPOINT, NAMESPACE, LOAD_BALANCER, SDN_ROUTE, GUEST_SERVICE].flatMap(buildExports),
  ["HcnCreateEndpoint", createEndpointExport],
  ["HcnQueryEndpointStats", buildReport((_, endpoint) => buildEndpointStats(endpoint))],
  ["HcnQueryEndpointAddresses", buildReport(buildEndpointAddresses)],
  ["HcnRegisterServiceCallback", ({ handles, pid }: CallContext) => ({ handle: handles.open("callback", NO_OBJECT, pid) })],
  ["HcnUnregisterServiceCallback", buildClose("callback")],
  ...GUEST_EXPORTS,
  ...COMPUTE_EXPORTS,
]);

/** A field of something searchable, absent when it has no value. */
function listKey<K extends keyof Searchable>(key: K, value: string | undefined): Partial<Record<K, string>> {
  return value === undefined ? {} : ({ [key]: value } as Record<K, string>);
}

function buildReport(build: (world: World, endpoint: EndpointRecord) => JsonObject): Export {
  return ({ world, handles, pid }, [handle]) => {
    const id = handles.resolve(readHandle(handle), "endpoint", pid);
    return { output: JSON.stringify(build(world, getEndpoint(world, id))) };
  };
}

function buildListKind(kind: "loadBalancer" | "sdnRoute", singular: string, map: "loadBalancers" | "sdnRoutes"): ObjectKind {
  return {
    kind,
    singular,
    plural: `${singular}s`,
    list: (world) => [...world[map].keys()].map((id) => ({ ID: id })),
    get: (world, id) => getList(world, map, id),
    create: (world, id, document) => createList(world, map, id, document),
    modify: (world, id, document) => modifyList(world, map, id, document),
    query: (world, id, version) => (version === 1 ? buildPolicyListV1(map, getList(world, map, id)) : buildListV2(getList(world, map, id))),
    delete: (world, id) => deleteList(world, map, id),
  };
}

function buildExports(object: ObjectKind): [string, Export][] {
  return [
    [`HcnEnumerate${object.plural}`, buildEnumerate(object)],
    [`HcnCreate${object.singular}`, buildCreate(object)],
    [`HcnOpen${object.singular}`, buildOpen(object)],
    [`HcnModify${object.singular}`, buildModify(object)],
    [`HcnQuery${object.singular}Properties`, buildQuery(object)],
    [`HcnDelete${object.singular}`, buildDelete(object)],
    [`HcnClose${object.singular}`, buildClose(object.kind)],
  ];
}

function buildEnumerate(object: ObjectKind): Export {
  return ({ world }, [query]) => {
    const { filter } = parseQuery(query ?? null);
    const found = object.list(world).filter((item) => matches(filter, item));
    return { output: JSON.stringify(found.map(({ ID }) => ID)) };
  };
}

function buildCreate(object: ObjectKind): Export {
  return ({ world, handles, pid }, [id, settings]) => {
    const record = object.create(world, readId(id), readDocument(settings));
    return { handle: handles.open(object.kind, record.id, pid) };
  };
}

function createEndpointExport({ world, handles, pid }: CallContext, [network, id, settings]: CallArgs): CallEffect {
  const networkId = handles.resolve(readHandle(network), "network", pid);
  const record = createEndpoint(world, networkId, readId(id), readDocument(settings));
  return { handle: handles.open("endpoint", record.id, pid) };
}

function buildOpen(object: ObjectKind): Export {
  return ({ world, handles, pid }, [id]) => {
    const given = readNonZeroId(id);
    object.get(world, given);
    return { handle: handles.open(object.kind, given, pid) };
  };
}

function buildModify(object: ObjectKind): Export {
  return ({ world, handles, pid }, [handle, settings]) => {
    const id = handles.resolve(readHandle(handle), object.kind, pid);
    const document = readDocument(settings);
    findText(document, "RequestType");
    object.modify(world, id, document);
    return {};
  };
}

function buildQuery(object: ObjectKind): Export {
  return ({ world, handles, pid }, [handle, query]) => {
    const id = handles.resolve(readHandle(handle), object.kind, pid);
    return { output: JSON.stringify(object.query(world, id, parseQuery(query ?? null).version)) };
  };
}

function buildDelete(object: ObjectKind): Export {
  return ({ world }, [id]) => {
    object.delete(world, readNonZeroId(id));
    return {};
  };
}

function buildClose(kind: HandleKind): Export {
  return ({ handles, pid }, [handle]) => {
    handles.close(readHandle(handle), kind, pid);
    return {};
  };
}
