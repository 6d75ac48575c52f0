import { getEndpoint, notifyAttached, notifyDetached, refuseRemote } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findObject, findText, type JsonObject } from "./json.ts";
import { normaliseId, type EndpointRecord, type NamespaceRecord, type World } from "./world.ts";

const TYPES = ["Host", "HostDefault", "Guest", "GuestDefault"];

export function createNamespace(world: World, id: string, document: JsonObject): NamespaceRecord {
  const type = findText(document, "Type") ?? "Host";
  if (!TYPES.includes(type)) throw new HnsError(HRESULT.INVALID_ARGUMENT, "Type");
  const chosen = world.chooseId(id, findText(document, "ID"));
  if (world.namespaces.has(chosen)) throw new HnsError(HRESULT.OBJECT_EXISTS, chosen);
  const hasDefault = [...world.namespaces.values()].some((namespace) => namespace.type === "HostDefault");
  if (type === "HostDefault" && hasDefault) throw new HnsError(HRESULT.DEFAULT_NAMESPACE_EXISTS);
  world.counters.compartment += 1;
  const record: NamespaceRecord = { id: chosen, compartment: world.counters.compartment, type, endpoints: [], containers: [] };
  world.namespaces.set(chosen, record);
  world.notify({ type: 5, data: JSON.stringify({ ID: chosen }) });
  return record;
}

export function getNamespace(world: World, id: string): NamespaceRecord {
  const record = world.namespaces.get(id);
  if (record === undefined) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, id);
  return record;
}

/** Deletes a namespace; its endpoints live on outside any. */
export function deleteNamespace(world: World, id: string): void {
  const record = getNamespace(world, id);
  for (const member of record.endpoints) {
    const endpoint = world.endpoints.get(member);
    if (endpoint !== undefined) endpoint.namespace = null;
  }
  world.namespaces.delete(id);
  world.notify({ type: 6, data: JSON.stringify({ ID: id }) });
}

/** `{ResourceType: Endpoint|Container, RequestType: Add|Remove, Settings: {EndpointId|ContainerId}}`. */
export function modifyNamespace(world: World, id: string, request: JsonObject): void {
  const record = getNamespace(world, id);
  const settings = findObject(request, "Settings") ?? {};
  const add = isAdd(findText(request, "RequestType") ?? "");
  switch (findText(request, "ResourceType")) {
    case "Endpoint": {
      const endpoint = getEndpoint(world, normaliseId(findText(settings, "EndpointId") ?? ""));
      if (add) join(world, record, endpoint);
      else leave(world, record, endpoint);
      return;
    }
    case "Container": {
      const container = findText(settings, "ContainerId") ?? "";
      record.containers = record.containers.filter((known) => known !== container);
      if (add) record.containers.push(container);
      return;
    }
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "ResourceType");
  }
}

function isAdd(requestType: string): boolean {
  if (requestType !== "Add" && requestType !== "Remove") throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  return requestType === "Add";
}

function join(world: World, namespace: NamespaceRecord, endpoint: EndpointRecord): void {
  refuseRemote(endpoint);
  const isHere = endpoint.namespace === namespace.id;
  if (isHere || endpoint.hostCompartment !== null) throw new HnsError(HRESULT.ENDPOINT_ALREADY_ATTACHED);
  if (endpoint.namespace !== null) throw new HnsError(HRESULT.ENDPOINT_IN_NAMESPACE);
  endpoint.namespace = namespace.id;
  namespace.endpoints.push(endpoint.id);
  notifyAttached(world, endpoint, namespace.id);
}

function leave(world: World, namespace: NamespaceRecord, endpoint: EndpointRecord): void {
  if (endpoint.namespace !== namespace.id) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, "endpoint is not in this namespace");
  endpoint.namespace = null;
  namespace.endpoints = namespace.endpoints.filter((member) => member !== endpoint.id);
  notifyDetached(world, endpoint, namespace.id);
}
