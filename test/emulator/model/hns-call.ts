import { formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import { buildEndpointV1, buildNetworkV1, buildPolicyListV1, readEndpointV1, readNetworkV1, readPolicyListV1 } from "./documents-v1.ts";
import { buildNamespaceV2 } from "./documents-v2.ts";
import { buildEndpointAddresses, buildEndpointStats } from "./endpoint-reports.ts";
import { attachEndpoint, detachEndpoint } from "./attachments-v1.ts";
import { checkEndpointPolicies, createEndpoint, deleteEndpoint, getEndpoint } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findField, findText, listObjects, parseObject, type JsonObject, type JsonValue } from "./json.ts";
import { createList, deleteList, getList } from "./lists.ts";
import { policyToV2 } from "./policies-v1.ts";
import { changeExtensions, checkNetworkPolicies, createNetwork, deleteNetwork, getNetwork } from "./networks.ts";
import { createNamespace, deleteNamespace, getNamespace } from "./namespaces.ts";
import { normaliseId, type EndpointRecord, type PortReservation, type World } from "./world.ts";

interface Request {
  readonly method: string;
  readonly id: string | undefined;
  readonly action: string | undefined;
  readonly body: string;
}

type Handler = (world: World, request: Request) => JsonValue;

const RESOURCES: Readonly<Record<string, Handler>> = {
  globals: handleGlobals,
  networks: handleNetworks,
  endpoints: handleEndpoints,
  policylists: handlePolicyLists,
  namespaces: handleNamespaces,
  endpointstats: handleEndpointStats,
  endpointaddresses: handleEndpointAddresses,
  activities: () => [],
  plugins: () => [],
  portpools: (world) => [...world.portReservations.values()].map(buildPortPool),
};

/** Does one version 1 request and returns its Output. Throws HnsError, which the caller puts into the envelope. */
export function doHnsCall(world: World, method: string, path: string, body: string): JsonValue {
  const [resource = "", id, action] = path.split("/").filter((part) => part !== "");
  const handler = RESOURCES[resource.toLowerCase()];
  if (handler === undefined || !["GET", "POST", "DELETE"].includes(method)) throw unsupported(method, path);
  return handler(world, {
    method,
    id: resource.toLowerCase() === "globals" ? id : id && normaliseId(id),
    action: action?.toLowerCase(),
    body,
  });
}

function unsupported(method: string, path: string): HnsError {
  return new HnsError(HRESULT.REQUEST_UNSUPPORTED, `${method} ${path}`);
}

function handleGlobals(world: World, { method, id }: Request): JsonValue {
  if (method !== "GET" || id !== "version") throw unsupported(method, "/globals");
  return { ...world.settings.version };
}

function handleNetworks(world: World, { method, id, body }: Request): JsonValue {
  if (id === undefined) {
    if (method === "GET") return [...world.networks.values()].map((network) => buildNetworkV1(world, network));
    if (method === "POST") return buildNetworkV1(world, createNetwork(world, formatGuid(ZERO_GUID), readNetworkV1(parseObject(body))));
    throw unsupported(method, "/networks");
  }
  if (method === "DELETE") {
    deleteNetwork(world, id);
    return {};
  }
  const network = getNetwork(world, id);
  if (method === "POST") {
    const change = parseObject(body);
    if (findField(change, "Extensions") !== undefined) changeExtensions(world, network, listObjects(change, "Extensions"));
    if (findField(change, "Policies") !== undefined) {
      network.policies = checkNetworkPolicies(world, network.policies, listObjects(change, "Policies").map(policyToV2));
    }
  }
  return buildNetworkV1(world, network);
}

function handleEndpoints(world: World, request: Request): JsonValue {
  const { method, id, action, body } = request;
  if (id === undefined) {
    if (method === "GET") return [...world.endpoints.values()].map((endpoint) => buildEndpointV1(world, endpoint));
    if (method === "POST") return postEndpoint(world, readEndpointV1(parseObject(body)));
    throw unsupported(method, "/endpoints");
  }
  if (action !== undefined) return doAction(world, getEndpoint(world, id), request);
  if (method === "DELETE") {
    deleteEndpoint(world, id);
    return {};
  }
  const endpoint = getEndpoint(world, id);
  if (method === "POST")
    endpoint.policies = checkEndpointPolicies(
      world,
      getNetwork(world, endpoint.network),
      listObjects(parseObject(body), "Policies").map(policyToV2),
    );
  return buildEndpointV1(world, endpoint);
}

function doAction(world: World, endpoint: EndpointRecord, { method, action, body }: Request): JsonValue {
  if (method !== "POST" || (action !== "attach" && action !== "detach")) throw unsupported(method, `/endpoints/{id}/${String(action)}`);
  if (action === "attach") attachEndpoint(world, endpoint, parseObject(body));
  else detachEndpoint(world, endpoint, parseObject(body));
  return buildEndpointV1(world, endpoint);
}

function postEndpoint(world: World, document: JsonObject): JsonValue {
  const network = normaliseId(findText(document, "HostComputeNetwork") ?? "");
  return buildEndpointV1(world, createEndpoint(world, network, formatGuid(ZERO_GUID), document));
}

function handlePolicyLists(world: World, { method, id, body }: Request): JsonValue {
  if (id === undefined) {
    if (method === "POST") {
      const { kind, document } = readPolicyListV1(parseObject(body));
      return buildPolicyListV1(kind, createList(world, kind, formatGuid(ZERO_GUID), document));
    }
    const balancers = [...world.loadBalancers.values()].map((record) => buildPolicyListV1("loadBalancers", record));
    return [...balancers, ...[...world.sdnRoutes.values()].map((record) => buildPolicyListV1("sdnRoutes", record))];
  }
  const kind = world.sdnRoutes.has(id) ? "sdnRoutes" : "loadBalancers";
  if (method === "GET") return buildPolicyListV1(kind, getList(world, kind, id));
  if (method !== "DELETE") throw unsupported(method, "/policylists/{id}");
  deleteList(world, kind, id);
  return {};
}

function handleNamespaces(world: World, { method, id, body }: Request): JsonValue {
  if (id === undefined) {
    if (method === "GET") return [...world.namespaces.values()].map(buildNamespaceV2);
    if (method === "POST") return buildNamespaceV2(createNamespace(world, formatGuid(ZERO_GUID), body === "" ? {} : parseObject(body)));
    throw unsupported(method, "/namespaces");
  }
  if (method === "GET") return buildNamespaceV2(getNamespace(world, id));
  if (method !== "DELETE") throw unsupported(method, "/namespaces/{id}");
  deleteNamespace(world, id);
  return {};
}

function buildPortPool({ id, service, start, end }: PortReservation): JsonObject {
  return { ID: id, Owner: service, StartPort: start, EndPort: end };
}

function handleEndpointStats(world: World, { id }: Request): JsonValue {
  if (id !== undefined) return buildEndpointStats(getEndpoint(world, id));
  return [...world.endpoints.values()].map(buildEndpointStats);
}

function handleEndpointAddresses(world: World, { id }: Request): JsonValue {
  if (id !== undefined) return buildEndpointAddresses(world, getEndpoint(world, id));
  return [...world.endpoints.values()].map((endpoint) => buildEndpointAddresses(world, endpoint));
}
