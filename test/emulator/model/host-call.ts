import { findAddressWithPrefix } from "../../../src/core/base/ip.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findFlag, findText, listTexts, parseObject, type JsonObject } from "./json.ts";
import { listInterfaces, listRoutes } from "./host.ts";
import { addAddress, answers, listUplinks, setDns } from "./uplinks.ts";
import type { HostAddress, HostRoute, World } from "./world.ts";

/**
 * What the emulated machine does outside HNS, for programs on Linux that have no Windows to ask:
 * `{"op":"identity"}` gives `{bootId, hnsStart}`; `{"op":"set-forwarding","address","enabled"}` sets forwarding on the interface of
 * the host-attached endpoint with that address, ELEMENT_NOT_FOUND when there is none; `{"op":"interfaces"}` and `{"op":"routes"}` give
 * lists; `{"op":"add-route"|"delete-route","destination","nextHop","interface"}` change the routes of the machine.
 * `{"op":"uplinks"}` gives cards and management interfaces with all that a connection needs; `{"op":"add-address","interface","address",
 * "origin":"static"|"dhcp"}` and `{"op":"set-dns","interface","servers"}` change them; `{"op":"probe","interface","address"}` tells whether a
 * neighbour on the link answers.
 */
export function doHostCall(world: World, text: string): JsonObject {
  const request = parseObject(text);
  const op = OPERATIONS[findText(request, "op") ?? ""];
  if (op === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "op");
  return op(world, request);
}

type HostOperation = (world: World, request: JsonObject) => JsonObject;

/** One that answers nothing. */
function change(work: (world: World, request: JsonObject) => void): HostOperation {
  return (world, request) => {
    work(world, request);
    return {};
  };
}

const OPERATIONS: Readonly<Record<string, HostOperation>> = {
  identity: ({ bootId, hnsStart }) => ({ bootId, hnsStart }),
  "set-forwarding": change((world, request) =>
    setForwarding(world, findText(request, "address") ?? "", findFlag(request, "enabled") ?? true),
  ),
  interfaces: (world) => ({ interfaces: listInterfaces(world).map((item) => ({ ...item })) }),
  routes: (world) => ({ routes: listRoutes(world).map((route) => ({ ...route })) }),
  "add-route": change((world, request) => addRoute(world, readRoute(request))),
  "delete-route": change((world, request) => deleteRoute(world, readRoute(request))),
  uplinks: (world) => ({ uplinks: listUplinks(world).map((uplink) => ({ ...uplink })) }),
  "add-address": change((world, request) => addAddress(world, readAddress(request))),
  "set-dns": change((world, request) => setDns(world, { interface: readInterface(request), servers: listTexts(request, "servers") })),
  probe: (world, request) => ({ answers: answers(world, readInterface(request), findText(request, "address") ?? "") }),
};

function readInterface(request: JsonObject): string {
  return findText(request, "interface") ?? "";
}

function setForwarding(world: World, address: string, enabled: boolean): void {
  for (const endpoint of world.endpoints.values()) {
    if (endpoint.hostCompartment === null || !endpoint.addresses.some((own) => own.address === address)) continue;
    endpoint.forwarding = enabled;
    return;
  }
  throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, address);
}

function readAddress(request: JsonObject): HostAddress {
  const origin = findText(request, "origin") === "dhcp" ? "dhcp" : "static";
  return { interface: readInterface(request), address: findText(request, "address") ?? "", origin };
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
