import { findGuid, formatGuid, ZERO_GUID, type Guid } from "../../../src/core/base/ids.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import type { JsonObject } from "./json.ts";

/** A network card of the emulated machine. */
export interface Adapter {
  readonly name: string;
  /** Its address with prefix, such as `10.0.0.4/24`. */
  readonly address: string;
}

/** What a test can turn; see `set` of the control protocol. */
export interface Settings {
  /** Answer of GET /globals/version. */
  version: { Major: number; Minor: number };
  adapters: Adapter[];
  /** HNS picks every id, whatever the caller gave. */
  ignoreCallerIds: boolean;
  /** An endpoint that names no address gets the lowest free one of each family. */
  allocateAddresses: boolean;
  /** ManagementIP (and an overlay's provider address) stays empty this long after a network was made. */
  managementIpDelayMs: number;
  /** How an endpoint in no namespace shows HostComputeNamespace; real hosts have been seen with all of them. */
  detachedNamespace: "zero" | "empty" | "absent";
  /** Newer builds give a refused HNSCall its HRESULT too, not only the envelope. */
  hnsCallFails: boolean;
}

export interface SubnetRecord {
  readonly prefix: string;
  readonly routes: { nextHop: string; destination: string }[];
  policies: JsonObject[];
}

export interface NetworkRecord {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly flags: number;
  readonly adapter: string | null;
  readonly ipamType: string;
  readonly macPool: { start: string; end: string }[];
  readonly createdAt: number;
  subnets: SubnetRecord[];
  policies: JsonObject[];
  dns: JsonObject;
  extensions: JsonObject[];
}

export interface EndpointRecord {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly mac: string;
  readonly flags: number;
  readonly addresses: { address: string; prefix: number }[];
  readonly routes: { nextHop: string; destination: string }[];
  policies: JsonObject[];
  dns: JsonObject;
  namespace: string | null;
  /** The compartment a version 1 host attach put it in. */
  hostCompartment: number | null;
  /** Containers and machines it was attached to by version 1 calls. */
  attachments: string[];
  /** Whether the host's interface forwards packets; an interface setting, outside HNS. */
  forwarding: boolean;
}

export interface NamespaceRecord {
  readonly id: string;
  /** The number of the compartment behind it. */
  readonly compartment: number;
  readonly type: string;
  endpoints: string[];
  containers: string[];
}

/** A load balancer or an SDN route: kept as the document it was made from. */
export interface ListRecord {
  readonly id: string;
  document: JsonObject;
}

/** Everything the service knows, as plain JSON. */
export interface WorldSnapshot {
  readonly settings: Settings;
  readonly bootId: string;
  readonly hnsStart: string;
  readonly counters: { compartment: number; macPool: number };
  readonly networks: NetworkRecord[];
  readonly endpoints: EndpointRecord[];
  readonly namespaces: NamespaceRecord[];
  readonly loadBalancers: ListRecord[];
  readonly sdnRoutes: ListRecord[];
}

export interface Notification {
  readonly type: number;
  readonly data: string;
}

/** Sources of time and chance, injected so that a run can be repeated exactly. */
export interface Sources {
  now(): number;
  /** A fresh random GUID in any case. */
  guid(): string;
}

export function defaultSettings(): Settings {
  return {
    version: { Major: 15, Minor: 2 },
    adapters: [{ name: "Ethernet", address: "10.0.0.4/24" }],
    ignoreCallerIds: false,
    allocateAddresses: true,
    managementIpDelayMs: 0,
    detachedNamespace: "zero",
    hnsCallFails: false,
  };
}

/** The objects of the emulated service and what they need from outside. Holds data; the rules are in the files beside this one. */
export class World {
  readonly sources: Sources;
  readonly networks = new Map<string, NetworkRecord>();
  readonly endpoints = new Map<string, EndpointRecord>();
  readonly namespaces = new Map<string, NamespaceRecord>();
  readonly loadBalancers = new Map<string, ListRecord>();
  readonly sdnRoutes = new Map<string, ListRecord>();
  settings: Settings;
  bootId: string;
  hnsStart: string;
  counters = { compartment: 1, macPool: 0 };
  notify: (notification: Notification) => void = () => undefined;

  constructor(sources: Sources, settings: Partial<Settings> = {}) {
    this.sources = sources;
    this.settings = { ...defaultSettings(), ...settings };
    this.bootId = this.freshId();
    this.hnsStart = this.freshId();
  }

  freshId(): string {
    return this.sources.guid().toUpperCase();
  }

  /** The id of a new object: the caller's (argument first, then document) unless it is zero or ids are ignored. */
  chooseId(argument: string, documentId: string | undefined): string {
    if (this.settings.ignoreCallerIds) return this.freshId();
    if (argument !== formatGuid(ZERO_GUID)) return argument;
    return documentId === undefined || documentId === "" ? this.freshId() : normaliseId(documentId);
  }

  snapshot(): WorldSnapshot {
    return structuredClone({
      settings: this.settings,
      bootId: this.bootId,
      hnsStart: this.hnsStart,
      counters: this.counters,
      networks: [...this.networks.values()],
      endpoints: [...this.endpoints.values()],
      namespaces: [...this.namespaces.values()],
      loadBalancers: [...this.loadBalancers.values()],
      sdnRoutes: [...this.sdnRoutes.values()],
    });
  }

  restore(snapshot: WorldSnapshot): void {
    const copy = structuredClone(snapshot);
    this.settings = copy.settings;
    this.bootId = copy.bootId;
    this.hnsStart = copy.hnsStart;
    this.counters = copy.counters;
    refill(this.networks, copy.networks);
    refill(this.endpoints, copy.endpoints);
    refill(this.namespaces, copy.namespaces);
    refill(this.loadBalancers, copy.loadBalancers);
    refill(this.sdnRoutes, copy.sdnRoutes);
  }
}

/** An id as HNS writes it (upper case, no braces); INVALID_ARGUMENT when the text is no GUID. */
export function normaliseId(text: string): string {
  const guid: Guid | undefined = findGuid(text);
  if (guid === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, `not a GUID: ${text}`);
  return formatGuid(guid);
}

function refill<T extends { readonly id: string }>(map: Map<string, T>, records: T[]): void {
  map.clear();
  for (const record of records) map.set(record.id, record);
}
