import { getEndpoint } from "./endpoints.ts";
import { knows } from "./features.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { findIp } from "../../../src/core/base/ip.ts";
import { findNumber, findText, listObjects, listTexts, type JsonObject } from "./json.ts";
import { normaliseId, type ListRecord, type World } from "./world.ts";

/** Load balancers and SDN routes: policy lists over endpoints, with one life cycle. */
export type ListKind = "loadBalancers" | "sdnRoutes";

export function createList(world: World, kind: ListKind, id: string, document: JsonObject): ListRecord {
  checkDocument(world, kind, document);
  const chosen = world.chooseId(id, findText(document, "ID"));
  if (world[kind].has(chosen)) throw new HnsError(HRESULT.OBJECT_EXISTS, chosen);
  if (kind === "loadBalancers") refuseSameFrontend(world, document, undefined);
  const record: ListRecord = { id: chosen, document: structuredClone(document) };
  world[kind].set(chosen, record);
  return record;
}

export function getList(world: World, kind: ListKind, id: string): ListRecord {
  const record = world[kind].get(id);
  if (record === undefined) throw new HnsError(HRESULT.ELEMENT_NOT_FOUND, id);
  return record;
}

export function deleteList(world: World, kind: ListKind, id: string): void {
  getList(world, kind, id);
  world[kind].delete(id);
}

/** Replaces the whole document: load balancers and routes have no partial change. */
export function modifyList(world: World, kind: ListKind, id: string, document: JsonObject): void {
  const record = getList(world, kind, id);
  if (kind === "loadBalancers" && !knows(world.settings.version, "ModifyLoadBalancer"))
    throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "this HNS cannot modify load balancers");
  checkDocument(world, kind, document);
  if (kind === "loadBalancers") refuseSameFrontend(world, document, id);
  record.document = structuredClone(document);
}

function checkDocument(world: World, kind: ListKind, document: JsonObject): void {
  for (const reference of listTexts(document, "HostComputeEndpoints")) checkReference(world, reference);
  if (kind !== "loadBalancers") return;
  checkFeatures(world, document);
  for (const vip of listTexts(document, "FrontendVIPs"))
    if (vip !== "" && findIp(vip) === undefined) throw new HnsError(HRESULT.INVALID_IP, vip);
  for (const mapping of listObjects(document, "PortMappings")) {
    const port = findNumber(mapping, "InternalPort") ?? 0;
    if (port < 0 || port > 65535) throw new HnsError(HRESULT.INVALID_INTERNAL_PORT);
  }
}

/** Direct server return, IPv6 and session affinity came one after the other. */
function checkFeatures({ settings: { version } }: World, document: JsonObject): void {
  const flags = findNumber(document, "Flags") ?? 0;
  const isSticky = listObjects(document, "PortMappings").some((mapping) => (findNumber(mapping, "DistributionType") ?? 0) !== 0);
  const isRefused =
    ((flags & FLAG_DSR) !== 0 && !knows(version, "DirectServerReturn")) ||
    ((flags & FLAG_IPV6) !== 0 && !knows(version, "DualStack")) ||
    (isSticky && !knows(version, "SessionAffinity"));
  if (isRefused) throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "this HNS has no such load balancer");
}

const FLAG_DSR = 1;
const FLAG_IPV6 = 2;

function checkReference(world: World, reference: string): void {
  try {
    getEndpoint(world, normaliseId(reference.replace(/^\/endpoints\//i, "")));
  } catch {
    throw new HnsError(HRESULT.INVALID_JSON_REFERENCE, reference);
  }
}

/** One load balancer per frontend: address, protocol and external port. */
function refuseSameFrontend(world: World, document: JsonObject, self: string | undefined): void {
  const wanted = frontends(document);
  for (const record of world.loadBalancers.values()) {
    if (record.id !== self && frontends(record.document).some((key) => wanted.includes(key)))
      throw new HnsError(HRESULT.PORT_ALREADY_EXISTS);
  }
}

function frontends(document: JsonObject): string[] {
  return listTexts(document, "FrontendVIPs").flatMap((vip) =>
    listObjects(document, "PortMappings").map((mapping) =>
      [vip, findNumber(mapping, "Protocol") ?? 0, findNumber(mapping, "ExternalPort") ?? 0].join("/"),
    ),
  );
}
