import { findGuid, formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import { buildEndpointV1, buildNetworkV1, buildPolicyListV1 } from "./documents-v1.ts";
import { buildEndpointV2, buildListV2, buildNamespaceV2, buildNetworkV2 } from "./documents-v2.ts";
import { createEndpoint, deleteEndpoint, getEndpoint, modifyEndpoint } from "./endpoints.ts";
import type { HandleKind, HandleTable } from "./handles.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findText, parseObject, type JsonObject } from "./json.ts";
import { createList, deleteList, getList, modifyList } from "./lists.ts";
import { createNamespace, deleteNamespace, getNamespace, modifyNamespace } from "./namespaces.ts";
import { createNetwork, deleteNetwork, getNetwork, modifyNetwork } from "./networks.ts";
import { matches, parseQuery, type Searchable } from "./query.ts";
import type { World } from "./world.ts";

export interface CallContext {
  readonly world: World;
  readonly handles: HandleTable;
  readonly pid: number;
}

/** Arguments of an export in the order of its signature without the out pointers: handles as decimal text, GUIDs as text. */
export type CallArgs = readonly (string | null)[];

/** What an export gives back besides its HRESULT: an out handle or an out string. */
export interface CallEffect {
  readonly handle?: number;
  readonly output?: string;
}

export type Export = (context: CallContext, args: CallArgs) => CallEffect;

/** The five kinds of objects, each with the rules its exports share. */
interface ObjectKind {
  readonly kind: Exclude<HandleKind, "callback">;
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
  list: (world) => [...world.networks.values()].map(({ id, name }) => ({ ID: id, Name: name })),
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
    [...world.endpoints.values()].map(({ id, name, network }) => ({
      ID: id,
      Name: name,
      VirtualNetwork: network,
      VirtualNetworkName: world.networks.get(network)?.name ?? "",
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

const LOAD_BALANCER = buildListKind("loadBalancer", "LoadBalancer", "loadBalancers");
const SDN_ROUTE = buildListKind("sdnRoute", "SdnRoute", "sdnRoutes");

/** Every export of computenetwork.dll that clients use, by name. HNSCall is apart: its refusals travel in an envelope. */
export const EXPORTS: ReadonlyMap<string, Export> = new Map([
  ...[NETWORK, ENDPOINT, NAMESPACE, LOAD_BALANCER, SDN_ROUTE].flatMap(buildExports),
  ["HcnCreateEndpoint", createEndpointExport],
  ["HcnRegisterServiceCallback", ({ handles, pid }: CallContext) => ({ handle: handles.open("callback", formatGuid(ZERO_GUID), pid) })],
  ["HcnUnregisterServiceCallback", buildClose("callback")],
]);

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

function readId(text: string | null | undefined): string {
  const guid = findGuid(text ?? "");
  if (guid === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "id");
  return formatGuid(guid);
}

function readNonZeroId(text: string | null | undefined): string {
  const id = readId(text);
  if (id === formatGuid(ZERO_GUID)) throw new HnsError(HRESULT.INVALID_ARGUMENT, "id is zero");
  return id;
}

function readHandle(text: string | null | undefined): number {
  const handle = Number(text ?? "0");
  return Number.isSafeInteger(handle) ? handle : -1;
}

function readDocument(text: string | null | undefined): JsonObject {
  if (text === null || text === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "settings are NULL");
  return parseObject(text);
}
