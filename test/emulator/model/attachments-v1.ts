import { notifyAttached, notifyDetached, refuseRemote } from "./endpoints.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findNumber, findText, type JsonObject } from "./json.ts";
import type { EndpointRecord, World } from "./world.ts";

/**
 * `{"SystemType":"Host","CompartmentId"}`, `{…"Container","ContainerId"}` or `{…"VirtualMachine","VirtualNicName"}`: attaches an endpoint the
 * version 1 way. ENDPOINT_ALREADY_ATTACHED when it is already there; the service's callbacks hear of it.
 */
export function attachEndpoint(world: World, endpoint: EndpointRecord, request: JsonObject): void {
  refuseRemote(endpoint);
  const key = readKey(request);
  if (key === undefined) attachHost(endpoint, findNumber(request, "CompartmentId") ?? 1);
  else attachTo(endpoint, key);
  notifyAttached(world, endpoint, null);
}

/** The reverse, with the same request; ELEMENT_NOT_FOUND when it is not attached to the host. */
export function detachEndpoint(world: World, endpoint: EndpointRecord, request: JsonObject): void {
  const key = readKey(request);
  if (key === undefined) detachHost(endpoint);
  else detachFrom(endpoint, key);
  notifyDetached(world, endpoint, null);
}

const MACHINE = "vm:";

/** What stands for the container or machine in an endpoint's list of attachments; undefined for the host. */
function readKey(request: JsonObject): string | undefined {
  switch (findText(request, "SystemType")) {
    case "Host":
      return undefined;
    case "Container":
      return findText(request, "ContainerId") ?? "";
    case "VirtualMachine":
      return `${MACHINE}${findText(request, "VirtualNicName") ?? ""}`;
    default:
      throw new HnsError(HRESULT.INVALID_ARGUMENT, "SystemType");
  }
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

function attachTo(endpoint: EndpointRecord, key: string): void {
  if (endpoint.attachments.includes(key)) throw new HnsError(HRESULT.ENDPOINT_ALREADY_ATTACHED);
  endpoint.attachments.push(key);
}

/** Detaching a machine takes all its cards: its request does not name one. */
function detachFrom(endpoint: EndpointRecord, key: string): void {
  endpoint.attachments = endpoint.attachments.filter((known) => (key === MACHINE ? !known.startsWith(MACHINE) : known !== key));
}
