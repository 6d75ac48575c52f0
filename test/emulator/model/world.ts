import { findGuid, formatGuid, ZERO_GUID, type Guid } from "../../../src/core/base/ids.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import type { JsonObject } from "./json.ts";

/** A network card of the emulated machine. */
export interface Adapter {
  readonly name: string;
  /** Its address with prefix, such as `10.0.0.4/24`. */
  readonly address: string;
  readonly mac?: string;
  /** Next hop of the machine's default route. */
  readonly gateway?: string;
  /** Persistent routes over it besides the default route. */
  readonly routes?: readonly { readonly destination: string; readonly nextHop: string }[];
  /** Name servers of the card. */
  readonly dns?: readonly string[];
  /** Its address, gateway and name servers are a DHCP server's; otherwise somebody wrote them. */
  readonly dhcp?: boolean;
  /** Bytes; 1500 unless given. */
  readonly mtu?: number;
}

/** An extension that a virtual switch can have. */
export interface SwitchExtension {
  readonly Id: string;
  readonly Name: string;
  readonly IsEnabled: boolean;
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
  /** Network cards are found only this long after a start of the machine. */
  adapterDelayMs: number;
  /** What the management interface has for an address: the card's, 169.254.x.y for ever, or that until `managementIpDelayMs` is over, or none. */
  managementIp: "adapter" | "link-local" | "link-local-first" | "none";
  /** The first external network of a card makes the machine lose that card's persistent routes. */
  vSwitchLosesRoutes: boolean;
  /** It makes the machine lose the card's name servers. */
  vSwitchLosesDns: boolean;
  /** The address that somebody wrote on the card becomes one that a DHCP server gives, on the management interface. */
  vSwitchMakesDhcp: boolean;
  /** Whether the gateways of the cards answer: always, only while no virtual switch is over the card, or never. */
  gatewayAnswers: "always" | "without-switch" | "never";
  /** What a load balancer or route refers to cannot be deleted. */
  protectReferences: boolean;
  /** Who answers an endpoint of a network without subnets: a DHCP server, or nobody (then 169.254.x.y). */
  dhcp: "lease" | "silent";
  /** An endpoint's lease comes this long after its creation. */
  dhcpDelayMs: number;
  /** Any compute system can be opened by HcsOpenComputeSystem; otherwise only those made by a control request. */
  anyComputeSystem: boolean;
  /** The extensions installed on the machine. */
  switchExtensions: SwitchExtension[];
  /** When not empty: the text of every error, as of a Windows in another language. */
  errorText: string;
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
  /** When its DHCP lease comes, on the emulator's clock; null for addresses that were given. */
  readonly leaseAt: number | null;
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

/** A network service inside a guest, and the host ports reserved for it. */
export interface GuestServiceRecord {
  readonly id: string;
  state: number;
  document: JsonObject;
}

/** Reserved ports, both ends included. Protocol: 1 TCP, 2 UDP, 3 both. Access: 1 exclusive, 2 shared. */
export interface PortReservation {
  readonly id: string;
  readonly service: string;
  readonly protocol: number;
  readonly access: number;
  readonly start: number;
  readonly end: number;
}

/** A container as the version 1 compute service sees it. */
export interface ComputeSystemRecord {
  readonly id: string;
}

/** A virtual switch over a card: there while an external network uses the card. */
export interface SwitchRecord {
  /** The card's name. */
  readonly id: string;
  readonly createdAt: number;
}

/** An address that was given to an interface by hand. */
export interface HostAddress {
  readonly interface: string;
  /** With prefix. */
  readonly address: string;
  readonly origin: "static" | "dhcp";
}

/** Name servers that were given to an interface by hand. */
export interface HostDns {
  readonly interface: string;
  readonly servers: readonly string[];
}

export interface HostRoute {
  readonly destination: string;
  readonly nextHop: string;
  readonly interface: string;
}

/** Everything the service knows, as plain JSON. */
export interface WorldSnapshot {
  readonly settings: Settings;
  readonly bootId: string;
  readonly hnsStart: string;
  readonly bootedAt: number;
  readonly guestServices: GuestServiceRecord[];
  readonly portReservations: PortReservation[];
  readonly computeSystems: ComputeSystemRecord[];
  readonly switches: SwitchRecord[];
  readonly lostRoutes: string[];
  readonly lostDns: string[];
  readonly hostRoutes: HostRoute[];
  readonly hostAddresses: HostAddress[];
  readonly hostDns: HostDns[];
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
  /** The guest network service it is about; only that service's callbacks hear it. */
  readonly service?: string;
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
    adapterDelayMs: 0,
    managementIp: "adapter",
    vSwitchLosesRoutes: false,
    vSwitchLosesDns: false,
    vSwitchMakesDhcp: false,
    gatewayAnswers: "always",
    protectReferences: true,
    dhcp: "lease",
    dhcpDelayMs: 0,
    anyComputeSystem: true,
    switchExtensions: [
      { Id: "E9B59CFA-2BE1-4B21-828F-B6FBDBDDC017", Name: "Microsoft Azure VFP Switch Extension", IsEnabled: true },
      { Id: "F74F241B-440F-4433-BB28-00F89EAD20D8", Name: "Microsoft Azure VFP Switch Filter Extension", IsEnabled: false },
    ],
    errorText: "",
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
  readonly guestServices = new Map<string, GuestServiceRecord>();
  readonly portReservations = new Map<string, PortReservation>();
  readonly computeSystems = new Map<string, ComputeSystemRecord>();
  readonly switches = new Map<string, SwitchRecord>();
  /** Cards whose persistent routes are lost. */
  lostRoutes: string[] = [];
  /** Cards whose name servers are lost. */
  lostDns: string[] = [];
  /** What was added by hand; it goes with its interface. */
  hostRoutes: HostRoute[] = [];
  hostAddresses: HostAddress[] = [];
  hostDns: HostDns[] = [];
  /** When the machine started, on the emulator's clock. */
  bootedAt: number;
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
    this.bootedAt = sources.now();
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
      bootedAt: this.bootedAt,
      counters: this.counters,
      networks: [...this.networks.values()],
      endpoints: [...this.endpoints.values()],
      namespaces: [...this.namespaces.values()],
      loadBalancers: [...this.loadBalancers.values()],
      sdnRoutes: [...this.sdnRoutes.values()],
      guestServices: [...this.guestServices.values()],
      portReservations: [...this.portReservations.values()],
      computeSystems: [...this.computeSystems.values()],
      switches: [...this.switches.values()],
      lostRoutes: this.lostRoutes,
      lostDns: this.lostDns,
      hostRoutes: this.hostRoutes,
      hostAddresses: this.hostAddresses,
      hostDns: this.hostDns,
    });
  }

  restore(snapshot: WorldSnapshot): void {
    const copy = structuredClone(snapshot);
    this.settings = copy.settings;
    this.bootId = copy.bootId;
    this.hnsStart = copy.hnsStart;
    this.bootedAt = copy.bootedAt;
    this.lostRoutes = copy.lostRoutes;
    this.lostDns = copy.lostDns;
    this.hostRoutes = copy.hostRoutes;
    this.hostAddresses = copy.hostAddresses;
    this.hostDns = copy.hostDns;
    this.counters = copy.counters;
    refill(this.networks, copy.networks);
    refill(this.endpoints, copy.endpoints);
    refill(this.namespaces, copy.namespaces);
    refill(this.loadBalancers, copy.loadBalancers);
    refill(this.sdnRoutes, copy.sdnRoutes);
    refill(this.guestServices, copy.guestServices);
    refill(this.portReservations, copy.portReservations);
    refill(this.computeSystems, copy.computeSystems);
    refill(this.switches, copy.switches);
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
