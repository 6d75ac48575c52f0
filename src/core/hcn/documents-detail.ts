import { findGuid, type Guid } from "../base/ids.ts";
import { asRecord, type EndpointView, getId, listOf, type NetworkView, parseEndpoint, parseNetwork, record, text } from "./documents.ts";

/** The parts of HNS's documents that only people look at; the engine's own views are in documents.ts and cost less. */

export interface PolicyView {
  readonly type: string;
  /** As HNS wrote it; {} where a policy has none. */
  readonly settings: unknown;
}

export interface RouteView {
  readonly destination: string;
  readonly nextHop: string;
}

export interface SubnetDetail {
  readonly prefix: string;
  readonly gateway: string | undefined;
  readonly routes: readonly RouteView[];
  readonly policies: readonly PolicyView[];
}

export interface DnsView {
  readonly domain: string | undefined;
  readonly search: readonly string[];
  readonly servers: readonly string[];
  readonly options: readonly string[];
}

export interface NetworkDetail extends Omit<NetworkView, "subnets"> {
  readonly flags: number;
  readonly subnets: readonly SubnetDetail[];
  readonly macRanges: readonly { readonly first: string; readonly last: string }[];
  readonly dns: DnsView;
  readonly policies: readonly PolicyView[];
}

export interface EndpointDetail extends Omit<EndpointView, "policies"> {
  /** The endpoint stands for one on another node. */
  readonly isRemote: boolean;
  readonly policies: readonly PolicyView[];
}

export interface NamespaceView {
  readonly id: Guid;
  readonly compartment: number | undefined;
  /** Host, HostDefault, Guest or GuestDefault. */
  readonly type: string;
  readonly endpoints: readonly Guid[];
  readonly containers: readonly string[];
}

export interface LoadBalancerView {
  readonly id: Guid;
  readonly vips: readonly string[];
  readonly ports: readonly { readonly protocol: string; readonly external: number; readonly internal: number }[];
  readonly endpoints: readonly Guid[];
}

export interface SdnRouteView {
  readonly id: Guid;
  readonly routes: readonly { readonly destination: string; readonly nextHop: string | undefined; readonly needEncap: boolean }[];
  readonly endpoints: readonly Guid[];
}

/** What the version 1 interface tells of an endpoint and version 2 does not. */
export interface EndpointUse {
  /** Something uses it: the host, a namespace, a container or a machine. */
  readonly isAttached: boolean;
  /** Containers and machines that it was attached to the version 1 way. */
  readonly containers: readonly string[];
}

/** Throws HNS_REFUSED when HNS's answer is no network document; so do the functions below for theirs. */
export function parseNetworkDetail(answer: unknown): NetworkDetail {
  const document = asRecord(answer, "network");
  const view = parseNetwork(answer);
  const subnets = listOf(document["Ipams"]).flatMap((ipam) => listOf(ipam["Subnets"]));
  return {
    ...view,
    flags: number(document["Flags"]) ?? 0,
    subnets: view.subnets.map((subnet, index) => ({
      ...subnet,
      routes: parseRoutes(subnets[index]?.["Routes"]),
      policies: parsePolicies(subnets[index]?.["Policies"]),
    })),
    macRanges: listOf(record(document["MacPool"])?.["Ranges"]).map((range) => ({
      first: text(range["StartMacAddress"]) ?? "",
      last: text(range["EndMacAddress"]) ?? "",
    })),
    dns: parseDns(document["Dns"]),
    policies: parsePolicies(document["Policies"]),
  };
}

const REMOTE = 1;

export function parseEndpointDetail(answer: unknown): EndpointDetail {
  const document = asRecord(answer, "endpoint");
  const isRemote = ((number(document["Flags"]) ?? 0) & REMOTE) !== 0;
  return { ...parseEndpoint(answer), isRemote, policies: parsePolicies(document["Policies"]) };
}

export function parseNamespace(answer: unknown): NamespaceView {
  const document = asRecord(answer, "namespace");
  const resources = listOf(document["Resources"]);
  const members = (type: string): string[] =>
    resources.filter((entry) => text(entry["Type"]) === type).flatMap((entry) => text(record(entry["Data"])?.["Id"]) ?? []);
  return {
    id: getId(document, "namespace"),
    compartment: number(document["NamespaceId"]),
    type: text(document["Type"]) ?? "Host",
    endpoints: guids(members("Endpoint")),
    containers: members("Container"),
  };
}

export function parseLoadBalancer(answer: unknown): LoadBalancerView {
  const document = asRecord(answer, "load balancer");
  return {
    id: getId(document, "load balancer"),
    vips: texts(document["FrontendVIPs"]),
    ports: listOf(document["PortMappings"]).map((mapping) => ({
      protocol: nameProtocol(number(mapping["Protocol"])),
      external: number(mapping["ExternalPort"]) ?? 0,
      internal: number(mapping["InternalPort"]) ?? 0,
    })),
    endpoints: guids(texts(document["HostComputeEndpoints"])),
  };
}

/** Clients write the list as `Setting`, Microsoft's published schema has `Routes`; either is read. */
export function parseSdnRoute(answer: unknown): SdnRouteView {
  const document = asRecord(answer, "route");
  return {
    id: getId(document, "route"),
    routes: [...listOf(document["Routes"]), ...listOf(document["Setting"])].map((route) => ({
      destination: text(route["DestinationPrefix"]) ?? "",
      nextHop: text(route["NextHop"]),
      needEncap: route["NeedEncap"] === true,
    })),
    endpoints: guids(texts(document["HostComputeEndpoints"])),
  };
}

/** The answer of `GET /endpoints/`, by endpoint. States: 1 created, 2 attached, 3 attached and shared. Anything else is no use known. */
export function parseEndpointUses(answer: unknown): Map<Guid, EndpointUse> {
  return new Map(
    listOf(answer).flatMap((entry) => {
      const id = findGuid(text(entry["ID"]) ?? "");
      const state = number(entry["State"]);
      return id === undefined ? [] : [[id, { isAttached: state === 2 || state === 3, containers: texts(entry["SharedContainers"]) }]];
    }),
  );
}

function parsePolicies(value: unknown): PolicyView[] {
  return listOf(value).map((policy) => ({ type: text(policy["Type"]) ?? "", settings: policy["Settings"] ?? {} }));
}

function parseRoutes(value: unknown): RouteView[] {
  return listOf(value).map((route) => ({ destination: text(route["DestinationPrefix"]) ?? "", nextHop: text(route["NextHop"]) ?? "" }));
}

function parseDns(value: unknown): DnsView {
  const dns = record(value) ?? {};
  return { domain: text(dns["Domain"]), search: texts(dns["Search"]), servers: texts(dns["ServerList"]), options: texts(dns["Options"]) };
}

function nameProtocol(protocol: number | undefined): string {
  if (protocol === 6) return "tcp";
  if (protocol === 17) return "udp";
  return protocol === undefined || protocol === 0 ? "any" : String(protocol);
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.flatMap((entry) => text(entry) ?? []) : [];
}

function guids(values: readonly string[]): Guid[] {
  return values.map((value) => findGuid(value.replace(/^\/endpoints\//i, ""))).filter((id) => id !== undefined);
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}
