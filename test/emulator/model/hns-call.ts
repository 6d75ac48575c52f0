import { formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import { buildEndpointV1, buildNetworkV1, buildPolicyListV1, policyToV2, readEndpointV1, readNetworkV1, readPolicyListV1 } from "./documents-v1.ts";
import { buildNamespaceV2 } from "./documents-v2.ts";
import { createEndpoint, deleteEndpoint, getEndpoint } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findField, findNumber, findText, listObjects, parseObject, type JsonObject, type JsonValue } from "./json.ts";
import { createList, deleteList, getList } from "./lists.ts";
import { createNetwork, deleteNetwork, getNetwork } from "./networks.ts";
import { checkPolicies } from "./policies.ts";
import { normaliseId, type EndpointRecord, type World } from "./world.ts";

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
  portpools: () => [],
};

/** Does one version 1 request and returns its Output. Throws HnsError, which the caller puts into the envelope. */
export function doHnsCall(world: World, method: string, path: string, body: string): JsonValue {
  const [resource = "", id, action] = path.split("/").filter((part) => part !== "");
  const handler = RESOURCES[resource.toLowerCase()];
  if (handler === undefined || !["GET", "POST", "DELETE"].includes(method)) throw unsupported(method, path);
  return handler(world, { method, id: resource.toLowerCase() === "globals" ? id : id && normaliseId(id), action: action?.toLowerCase(), body });
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
    if (findField(change, "Extensions") !== undefined) network.extensions = listObjects(change, "Extensions");
    if (findField(change, "Policies") !== undefined) {
      network.policies = checkPolicies("network", listObjects(change, "Policies").map(policyToV2), world.settings);
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
  if (action !== undefined) return doEndpointAction(world, getEndpoint(world, id), request);
  if (method === "DELETE") {
    deleteEndpoint(world, id);
    return {};
  }
  const endpoint = getEndpoint(world, id);
  if (method === "POST") endpoint.policies = checkPolicies("endpoint", listObjects(parseObject(body), "Policies").map(policyToV2), world.settings);
  return buildEndpointV1(world, endpoint);
}

function postEndpoint(world: World, document: JsonObject): JsonValue {
  const network = normaliseId(findText(document, "HostComputeNetwork") ?? "");
  return buildEndpointV1(world, createEndpoint(world, network, formatGuid(ZERO_GUID), document));
}

function doEndpointAction(world: World, endpoint: EndpointRecord, { method, action, body }: Request): JsonValue {
  if (method !== "POST" || (action !== "attach" && action !== "detach")) throw unsupported(method, `/endpoints/{id}/${action}`);
  const request = parseObject(body);
  const system = findText(request, "SystemType") ?? "";
  if (system === "Host") {
    if (action === "attach") attachHost(endpoint, findNumber(request, "CompartmentId") ?? 1);
    else detachHost(endpoint);
  } else if (system === "Container" || system === "VirtualMachine") {
    const key = system === "Container" ? (findText(request, "ContainerId") ?? "") : `vm:${findText(request, "VirtualNicName") ?? ""}`;
    if (action === "attach") attachSystem(endpoint, key);
    else endpoint.attachments = endpoint.attachments.filter((known) => !(system === "VirtualMachine" ? known.startsWith("vm:") : known === key));
  } else {
    throw new HnsError(HRESULT.INVALID_ARGUMENT, "SystemType");
  }
  return buildEndpointV1(world, endpoint);
}

function attachHost(endpoint: EndpointRecord, compartment: number): void {
  if (endpoint.hostCompartment !== null || endpoint.namespace !== null) throw new HnsError(HRESULT.ENDPOINT_ALREADY_ATTACHED);
  endpoint.hostCompartment = compartment;
}

function detachHost(endpoint: EndpointRecord): void {
  if (endpoint.hostCompartment === null) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, "not attached to the host");
  endpoint.hostCompartment = null;
  endpoint.forwarding = false;
}

function attachSystem(endpoint: EndpointRecord, key: string): void {
  if (endpoint.attachments.includes(key)) throw new HnsError(HRESULT.ENDPOINT_ALREADY_ATTACHED);
  endpoint.attachments.push(key);
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

function handleNamespaces(world: World, { method, id }: Request): JsonValue {
  if (method !== "GET") throw unsupported(method, "/namespaces");
  const all = [...world.namespaces.values()].filter((namespace) => id === undefined || namespace.id === id);
  if (id === undefined) return all.map(buildNamespaceV2);
  const found = all[0];
  if (found === undefined) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, id);
  return buildNamespaceV2(found);
}

function handleEndpointStats(world: World, { id }: Request): JsonValue {
  const zero = { BytesReceived: 0, BytesSent: 0, PacketsReceived: 0, PacketsSent: 0, DroppedPacketsIncoming: 0, DroppedPacketsOutgoing: 0 };
  if (id !== undefined) return { EndpointID: getEndpoint(world, id).id, ...zero };
  return [...world.endpoints.keys()].map((endpoint) => ({ EndpointID: endpoint, ...zero }));
}

function handleEndpointAddresses(world: World): JsonValue {
  return [...world.endpoints.values()].map(({ id, mac, addresses }) => ({ EndpointID: id, MacAddress: mac, IPAddresses: addresses.map(({ address }) => address) }));
}
