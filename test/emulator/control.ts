import { formatGuid, ZERO_GUID } from "../../src/core/base/ids.ts";
import { buildEndpointV2, buildNamespaceV2, buildNetworkV2 } from "./model/documents-v2.ts";
import { createEndpoint, deleteEndpoint, modifyEndpoint } from "./model/endpoints.ts";
import { FAULT_KINDS, HOST_CALL, type FaultKind, type FaultSpec } from "./model/faults.ts";
import { EXPORTS } from "./model/exports.ts";
import { doHnsCall } from "./model/hns-call.ts";
import { buildObject, findFlag, findNumber, findObject, findText, isObject, type JsonObject, type JsonValue } from "./model/json.ts";
import type { HnsModel } from "./model/model.ts";
import { createNamespace, deleteNamespace, modifyNamespace } from "./model/namespaces.ts";
import { createNetwork, deleteNetwork, modifyNetwork } from "./model/networks.ts";
import { defaultSettings, normaliseId, type Settings, type WorldSnapshot } from "./model/world.ts";

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

function buildStatus({ world, log, handles, faults }: HnsModel): unknown {
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
    addresses: endpoint.addresses.map(({ address, prefix }) => `${address}/${prefix}`),
    mac: endpoint.mac,
    namespace: endpoint.namespace,
    hostCompartment: endpoint.hostCompartment,
    forwarding: endpoint.forwarding,
    document: buildEndpointV2(world, endpoint),
  }));
}

function readFault(fault: JsonObject): FaultSpec {
  const call = findText(fault, "call") ?? "";
  const kind = FAULT_KINDS.find((known) => known === findText(fault, "kind"));
  if (kind === undefined) throw new Error(`a fault's kind is one of ${FAULT_KINDS.join(", ")}`);
  if (call !== "*" && call !== "HNSCall" && call !== HOST_CALL && !EXPORTS.has(call)) throw new Error(`no export "${call}"`);
  return { call, kind, ...readFaultDetails(fault, kind) };
}

function readFaultDetails(fault: JsonObject, kind: FaultKind): Omit<FaultSpec, "call" | "kind"> {
  const nth = findNumber(fault, "nth");
  const match = findText(fault, "match");
  const hresult = findNumber(fault, "hresult");
  const ms = findNumber(fault, "ms");
  if (kind.startsWith("fail") && hresult === undefined) throw new Error("this fault needs an hresult");
  if (["late", "delay"].includes(kind) && ms === undefined) throw new Error("this fault needs ms");
  if (nth !== undefined && (!Number.isInteger(nth) || nth < 1)) throw new Error("nth counts from 1");
  // The fields were read with these types just above.
  return buildObject({ nth, match, hresult: hresult === undefined ? undefined : hresult >>> 0, ms });
}

/** `{"op":"set","settings":{...},"bootId"?,"hnsStart"?}`: only what is given changes. */
function changeSettings({ world }: HnsModel, request: JsonObject): unknown {
  world.settings = { ...world.settings, ...readSettings(findObject(request, "settings") ?? {}) };
  world.bootId = findText(request, "bootId") ?? world.bootId;
  world.hnsStart = findText(request, "hnsStart") ?? world.hnsStart;
  return { bootId: world.bootId, hnsStart: world.hnsStart, settings: world.settings };
}

function readSettings(given: JsonObject): Partial<Settings> {
  const known = defaultSettings();
  for (const [key, value] of Object.entries(given)) {
    if (!(key in known)) throw new Error(`no setting "${key}"; there are: ${Object.keys(known).join(", ")}`);
    if (typeof value !== typeof known[key as keyof Settings]) throw new Error(`setting "${key}" has the wrong type`);
  }
  // Every key and the type of each value were checked above.
  return given;
}

function readId(request: JsonObject): string {
  const text = findText(request, "id");
  return text === undefined ? formatGuid(ZERO_GUID) : normaliseId(text);
}

function readDocument(request: JsonObject): JsonObject {
  return findObject(request, "document") ?? {};
}
