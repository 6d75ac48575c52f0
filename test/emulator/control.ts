import { formatGuid, ZERO_GUID } from "../../src/core/base/ids.ts";
import { buildEndpointV2, buildNamespaceV2, buildNetworkV2 } from "./model/documents-v2.ts";
import { createEndpoint, deleteEndpoint, getEndpoint, listAddresses, modifyEndpoint } from "./model/endpoints.ts";
import { doHnsCall } from "./model/hns-call.ts";
import { decidePacket } from "./model/acl.ts";
import { createComputeSystem, deleteComputeSystem } from "./model/compute-systems.ts";
import { readBudget, readFault, readLatency, readPacket, readSettings } from "./control-readers.ts";
import { listInterfaces, listRoutes } from "./model/host.ts";
import { findFlag, findNumber, findObject, findText, isObject, type JsonObject, type JsonValue } from "./model/json.ts";
import type { HnsModel } from "./model/model.ts";
import { createNamespace, deleteNamespace, modifyNamespace } from "./model/namespaces.ts";
import { createNetwork, deleteNetwork, getNetwork, modifyNetwork } from "./model/networks.ts";
import { listUplinks } from "./model/uplinks.ts";
import { normaliseId, type WorldSnapshot } from "./model/world.ts";

type ControlHandler = (model: HnsModel, request: JsonObject) => unknown;

/** What a test or a person can ask of the emulator besides HNS's own calls. None of these is in the call log. */
const HANDLERS: Readonly<Record<string, ControlHandler>> = {
  status: buildStatus,
  networks: listNetworks,
  endpoints: listEndpoints,
  namespaces: ({ world }) => [...world.namespaces.values()].map(({ id, compartment, endpoints }) => ({ id, compartment, endpoints })),
  "load-balancers": ({ world }) => [...world.loadBalancers.values()],
  "sdn-routes": ({ world }) => [...world.sdnRoutes.values()],
  calls: ({ log }) => log.list(),
  counts: ({ log }) => log.counts(),
  handles: ({ handles }) => handles.list(),
  "clear-calls": ({ log }) => log.clear(),
  "clear-handles": ({ handles }) => handles.clear(),
  "fault-add": ({ faults }, request) => faults.add(readFault(findObject(request, "fault") ?? {})),
  "fault-list": ({ faults }) => faults.list(),
  "fault-clear": ({ faults }, request) => faults.clear(findNumber(request, "id")),
  "latency-set": ({ latencies }, request) => latencies.set(readLatency(findObject(request, "latency") ?? {})),
  "latency-list": ({ latencies }) => latencies.list(),
  "latency-clear": ({ latencies }, request) => latencies.clear(findText(request, "call")),
  "budget-set": ({ budget }, request) => budget.set(readBudget(findObject(request, "budget") ?? {})),
  budget: ({ budget }) => budget.report(),
  "budget-clear": ({ budget }) => budget.clear(),
  interfaces: ({ world }) => listInterfaces(world),
  routes: ({ world }) => listRoutes(world),
  uplinks: ({ world }) => listUplinks(world),
  "guest-services": ({ world }) => [...world.guestServices.values()],
  "port-reservations": ({ world }) => [...world.portReservations.values()],
  "compute-systems": ({ world }) => [...world.computeSystems.values()],
  "create-compute-system": ({ world }, request) => createComputeSystem(world, findText(request, "id") ?? ""),
  "delete-compute-system": ({ world }, request) => deleteComputeSystem(world, findText(request, "id") ?? ""),
  packet: decide,
  set: changeSettings,
  reset: (model, request) => model.reset(readSettings(findObject(request, "settings") ?? {})),
  snapshot: ({ world }) => world.snapshot(),
  // A snapshot is what this same program gave out; it is not checked field by field.
  restore: ({ world }, request) => world.restore((findObject(request, "snapshot") ?? {}) as unknown as WorldSnapshot),
  restart: (model, request) => model.restart({ loseEndpoints: findFlag(request, "loseEndpoints") ?? false }),
  reboot: (model) => model.reboot(),
  "create-network": ({ world }, request) => buildNetworkV2(world, createNetwork(world, readId(request), readDocument(request))),
  "create-endpoint": ({ world }, request) =>
    buildEndpointV2(world, createEndpoint(world, normaliseId(findText(request, "network") ?? ""), readId(request), readDocument(request))),
  "create-namespace": ({ world }, request) => buildNamespaceV2(createNamespace(world, readId(request), readDocument(request))),
  "modify-network": ({ world }, request) => modifyNetwork(world, readId(request), readDocument(request)),
  "modify-endpoint": ({ world }, request) => modifyEndpoint(world, readId(request), readDocument(request)),
  "modify-namespace": ({ world }, request) => modifyNamespace(world, readId(request), readDocument(request)),
  "delete-network": ({ world }, request) => deleteNetwork(world, readId(request)),
  "delete-endpoint": ({ world }, request) => deleteEndpoint(world, readId(request)),
  "delete-namespace": ({ world }, request) => deleteNamespace(world, readId(request)),
  "hns-call": ({ world }, request) =>
    doHnsCall(world, findText(request, "method") ?? "GET", findText(request, "path") ?? "", JSON.stringify(readDocument(request))),
};

/** Carries out one control request `{op, ...}`. Throws when the request is wrong or HNS would refuse it. */
export function doControl(model: HnsModel, request: unknown): unknown {
  if (!isObject(request as JsonValue)) throw new Error("a control request is an object");
  const message = request as JsonObject;
  const op = findText(message, "op") ?? "";
  const handler = HANDLERS[op];
  if (handler === undefined) throw new Error(`no control request "${op}"; there are: ${Object.keys(HANDLERS).join(", ")}`);
  return handler(model, message) ?? null;
}

function buildStatus({ world, log, handles, faults, latencies, budget }: HnsModel): unknown {
  return {
    bootId: world.bootId,
    hnsStart: world.hnsStart,
    settings: world.settings,
    networks: world.networks.size,
    endpoints: world.endpoints.size,
    namespaces: world.namespaces.size,
    loadBalancers: world.loadBalancers.size,
    sdnRoutes: world.sdnRoutes.size,
    calls: log.list().length,
    openHandles: handles.list().length,
    faults: faults.list().length,
    latencies: latencies.list().length,
    budget: budget.report() ?? null,
  };
}

function listNetworks({ world }: HnsModel): unknown {
  return [...world.networks.values()].map((network) => ({
    id: network.id,
    name: network.name,
    type: network.type,
    adapter: network.adapter,
    subnets: network.subnets.map(({ prefix }) => prefix),
    document: buildNetworkV2(world, network),
  }));
}

function listEndpoints({ world }: HnsModel): unknown {
  return [...world.endpoints.values()].map((endpoint) => ({
    id: endpoint.id,
    name: endpoint.name,
    network: endpoint.network,
    networkName: world.networks.get(endpoint.network)?.name ?? "",
    addresses: listAddresses(world, endpoint).map(({ address, prefix }) => `${address}/${prefix}`),
    mac: endpoint.mac,
    namespace: endpoint.namespace,
    hostCompartment: endpoint.hostCompartment,
    attachments: endpoint.attachments,
    forwarding: endpoint.forwarding,
    document: buildEndpointV2(world, endpoint),
  }));
}

/** `{"op":"packet","endpoint","packet"}`: what the endpoint's ACLs do with a packet, and which of them. */
function decide({ world }: HnsModel, request: JsonObject): unknown {
  const endpoint = getEndpoint(world, normaliseId(findText(request, "endpoint") ?? ""));
  return decidePacket(getNetwork(world, endpoint.network), endpoint, readPacket(findObject(request, "packet") ?? {}));
}

/** `{"op":"set","settings":{...},"bootId"?,"hnsStart"?}`: only what is given changes. */
function changeSettings({ world }: HnsModel, request: JsonObject): unknown {
  world.settings = { ...world.settings, ...readSettings(findObject(request, "settings") ?? {}) };
  world.bootId = findText(request, "bootId") ?? world.bootId;
  world.hnsStart = findText(request, "hnsStart") ?? world.hnsStart;
  return { bootId: world.bootId, hnsStart: world.hnsStart, settings: world.settings };
}

function readId(request: JsonObject): string {
  const text = findText(request, "id");
  return text === undefined ? formatGuid(ZERO_GUID) : normaliseId(text);
}

function readDocument(request: JsonObject): JsonObject {
  return findObject(request, "document") ?? {};
}
