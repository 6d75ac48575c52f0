import { findAddressWithPrefix } from "../../../src/core/base/ip.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findFlag, findText, parseObject, type JsonObject } from "./json.ts";
import { listInterfaces, listRoutes } from "./host.ts";
import type { HostRoute, World } from "./world.ts";

/**
 * What the emulated machine does outside HNS, for programs on Linux that have no Windows to ask:
 * `{"op":"identity"}` gives `{bootId, hnsStart}`; `{"op":"set-forwarding","address","enabled"}` sets forwarding on the interface of
 * the host-attached endpoint with that address, ELEMENT_NOT_FOUND when there is none; `{"op":"interfaces"}` and `{"op":"routes"}` give
 * lists; `{"op":"add-route"|"delete-route","destination","nextHop","interface"}` change the routes of the machine.
 */
export function doHostCall(world: World, text: string): JsonObject {
  const request = parseObject(text);
  switch (findText(request, "op")) {
    case "identity":
      return { bootId: world.bootId, hnsStart: world.hnsStart };
    case "set-forwarding":
      setForwarding(world, findText(request, "address") ?? "", findFlag(request, "enabled") ?? true);
      return {};
    case "interfaces":
      return { interfaces: listInterfaces(world).map((item) => ({ ...item })) };
    case "routes":
      return { routes: listRoutes(world).map((route) => ({ ...route })) };
    case "add-route":
      addRoute(world, readRoute(request));
      return {};
    case "delete-route":
      deleteRoute(world, readRoute(request));
      return {};
    default:
      throw new HnsError(HRESULT.INVALID_ARGUMENT, "op");
  }
}

function setForwarding(world: World, address: string, enabled: boolean): void {
  for (const endpoint of world.endpoints.values()) {
    if (endpoint.hostCompartment === null || !endpoint.addresses.some((own) => own.address === address)) continue;
    endpoint.forwarding = enabled;
    return;
  }
  throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, address);
}

function readRoute(request: JsonObject): HostRoute {
  const read = (name: string): string => findText(request, name) ?? "";
  return { destination: read("destination"), nextHop: read("nextHop"), interface: read("interface") };
}

function addRoute(world: World, route: HostRoute): void {
  const isInterface = listInterfaces(world).some(({ name }) => name === route.interface);
  if (!isInterface || findAddressWithPrefix(route.destination) === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "route");
  if (listRoutes(world).some((known) => sameRoute(known, route))) throw new HnsError(HRESULT.OBJECT_EXISTS, route.destination);
  world.hostRoutes.push(route);
}

/** Takes back a route that was added; those of the cards go only with the cards. */
function deleteRoute(world: World, route: HostRoute): void {
  const left = world.hostRoutes.filter((known) => !sameRoute(known, route));
  if (left.length === world.hostRoutes.length) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, route.destination);
  world.hostRoutes = left;
}

function sameRoute(left: HostRoute, right: HostRoute): boolean {
  return left.destination === right.destination && left.nextHop === right.nextHop && left.interface === right.interface;
}
