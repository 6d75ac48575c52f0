import { readHandle, type CallArgs, type CallContext, type CallEffect, type Export } from "./export-arguments.ts";
import { getEndpoint, notifyAttached, notifyDetached, refuseRemote } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findField, findText, isObject, parseObject, type JsonObject } from "./json.ts";
import { normaliseId, type EndpointRecord, type World } from "./world.ts";

/** The part of vmcompute.dll that attaches endpoints to running containers the version 1 way. */
export const COMPUTE_EXPORTS: readonly (readonly [string, Export])[] = [
  ["HcsOpenComputeSystem", openSystem],
  ["HcsCloseComputeSystem", closeSystem],
  ["HcsGetComputeSystemProperties", querySystem],
  ["HcsModifyComputeSystem", modifySystem],
  ["HcsRegisterComputeSystemCallback", registerCallback],
  ["HcsUnregisterComputeSystemCallback", unregisterCallback],
];

/** What the runtime does before a plugin is called: makes the container. */
export function createComputeSystem(world: World, id: string): void {
  if (id === "") throw new HnsError(HRESULT.INVALID_ARGUMENT, "id is empty");
  world.computeSystems.set(id, { id });
}

/** The container ends: its endpoints are attached to nothing afterwards. */
export function deleteComputeSystem(world: World, id: string): void {
  if (!world.computeSystems.delete(id)) throw new HnsError(HRESULT.SYSTEM_NOT_FOUND, id);
  for (const endpoint of world.endpoints.values()) if (endpoint.attachments.includes(id)) detach(world, endpoint, id);
}

function openSystem({ world, handles, pid }: CallContext, [id]: CallArgs): CallEffect {
  const name = id ?? "";
  if (name === "") throw new HnsError(HRESULT.INVALID_ARGUMENT, "id");
  if (!world.computeSystems.has(name)) {
    if (!world.settings.anyComputeSystem) throw new HnsError(HRESULT.SYSTEM_NOT_FOUND, name);
    createComputeSystem(world, name);
  }
  return { handle: handles.open("computeSystem", name, pid) };
}

function closeSystem({ handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  handles.close(readHandle(handle), "computeSystem", pid);
  return {};
}

function querySystem({ handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  const id = handles.resolve(readHandle(handle), "computeSystem", pid);
  const properties = { Id: id, Name: id, SystemType: "Container", State: "Running", Owner: "hns-emulator", IsRuntimeTemplate: false };
  return { output: JSON.stringify(properties) };
}

/**
 * `{"ResourceType":"Network","RequestType":"Add|Remove","Settings":"<endpoint id>"}`, the id also as `Data` or inside an object as
 * `EndpointId`; the resource also as "NetworkAdapter".
 */
function modifySystem({ world, handles, pid }: CallContext, [handle, text]: CallArgs): CallEffect {
  const system = handles.resolve(readHandle(handle), "computeSystem", pid);
  const request = parseObject(text ?? "");
  const resource = findText(request, "ResourceType") ?? findText(request, "Resource") ?? "";
  if (resource !== "Network" && resource !== "NetworkAdapter") throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, resource);
  const endpoint = getEndpoint(world, normaliseId(readEndpointId(request)));
  switch (findText(request, "RequestType") ?? findText(request, "Request")) {
    case "Add":
      attach(world, endpoint, system);
      return {};
    case "Remove":
      if (!endpoint.attachments.includes(system)) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, "endpoint is not attached");
      detach(world, endpoint, system);
      return {};
    default:
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "RequestType");
  }
}

function readEndpointId(request: JsonObject): string {
  const settings = findField(request, "Settings") ?? findField(request, "Data");
  if (typeof settings === "string") return settings;
  return isObject(settings) ? (findText(settings, "EndpointId") ?? "") : "";
}

function attach(world: World, endpoint: EndpointRecord, system: string): void {
  refuseRemote(endpoint);
  if (endpoint.attachments.includes(system)) throw new HnsError(HRESULT.ENDPOINT_ALREADY_ATTACHED);
  endpoint.attachments.push(system);
  notifyAttached(world, endpoint, null);
}

function detach(world: World, endpoint: EndpointRecord, system: string): void {
  endpoint.attachments = endpoint.attachments.filter((known) => known !== system);
  notifyDetached(world, endpoint, null);
}

function registerCallback({ handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  const id = handles.resolve(readHandle(handle), "computeSystem", pid);
  return { handle: handles.open("computeCallback", id, pid) };
}

function unregisterCallback({ handles, pid }: CallContext, [handle]: CallArgs): CallEffect {
  handles.close(readHandle(handle), "computeCallback", pid);
  return {};
}
