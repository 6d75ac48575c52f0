import { addressAt, findAddressWithPrefix, formatIp, networkOf } from "../../../src/core/base/ip.ts";
import type { Adapter, EndpointRecord, HostRoute, NetworkRecord, World } from "./world.ts";

/** An interface of the emulated machine, as `ipconfig` would show it. */
export interface HostInterface {
  readonly name: string;
  /** A card, the management interface of a virtual switch, or the interface of an endpoint attached to the host. */
  readonly kind: "adapter" | "management" | "endpoint";
  /** With prefix; null while it has none. */
  readonly address: string | null;
  readonly mac: string;
  readonly forwarding: boolean;
}

/** The machine's interfaces. A card under a virtual switch has no address: the switch's management interface took it over. */
export function listInterfaces(world: World): HostInterface[] {
  return [
    ...listAdapters(world).flatMap((adapter) => listAdapterInterfaces(world, adapter)),
    ...[...world.endpoints.values()].filter((endpoint) => endpoint.hostCompartment !== null).map(buildEndpointInterface),
  ];
}

/** The machine's routes: those of its cards unless they were lost, and those added by hand. The default route comes with the card's address. */
export function listRoutes(world: World): HostRoute[] {
  const own = listAdapters(world).flatMap((adapter) => {
    const name = carrierName(world, adapter);
    const isThere = findOwnAddress(world, adapter) === adapter.address;
    const given = adapter.gateway === undefined || !isThere ? [] : [{ destination: "0.0.0.0/0", nextHop: adapter.gateway }];
    const kept = world.lostRoutes.includes(adapter.name) ? [] : (adapter.routes ?? []);
    return [...given, ...kept].map((route) => ({ ...route, interface: name }));
  });
  return [...own, ...world.hostRoutes];
}

/** The network cards found by now. */
export function listAdapters(world: World): readonly Adapter[] {
  const found = world.sources.now() - world.bootedAt >= world.settings.adapterDelayMs;
  return found ? world.settings.adapters : [];
}

/** Puts a virtual switch over a card, unless one is there. This is when real machines lose their connections for a moment. */
export function ensureSwitch(world: World, adapter: Adapter): void {
  if (world.switches.has(adapter.name)) return;
  world.switches.set(adapter.name, { id: adapter.name, createdAt: world.sources.now() });
  if (world.settings.vSwitchLosesRoutes && !world.lostRoutes.includes(adapter.name)) world.lostRoutes.push(adapter.name);
  if (world.settings.vSwitchLosesDns && !world.lostDns.includes(adapter.name)) world.lostDns.push(adapter.name);
  forgetByHand(world, adapter.name); // the card keeps nothing: the switch's management interface begins with what the card itself had
}

/** Takes the switch away with the last network on it; the card gets its address back. */
export function dropUnusedSwitches(world: World): void {
  const used = new Set([...world.networks.values()].map(({ adapter }) => adapter));
  for (const name of [...world.switches.keys()]) {
    if (used.has(name)) continue;
    world.switches.delete(name);
    forgetByHand(world, managementName({ name }));
  }
}

/** What somebody added to an interface goes with it. */
function forgetByHand(world: World, name: string): void {
  const isKept = (item: { readonly interface: string }): boolean => item.interface !== name;
  world.hostRoutes = world.hostRoutes.filter(isKept);
  world.hostAddresses = world.hostAddresses.filter(isKept);
  world.hostDns = world.hostDns.filter(isKept);
}

/** The address of a network's management interface, or "" while it has none. */
export function findManagementIp(world: World, network: NetworkRecord): string {
  const adapter = listAdapters(world).find((candidate) => candidate.name === network.adapter);
  if (adapter === undefined) return "";
  const byHand = world.hostAddresses.find((given) => given.interface === managementName(adapter))?.address;
  return (byHand ?? managementAddress(world, adapter, network.createdAt))?.split("/")[0] ?? "";
}

/** The address an endpoint of a network without subnets is given by the DHCP server of its card's network, or makes up without one. */
export function chooseLease(world: World, network: NetworkRecord, used: ReadonlySet<string>): { address: string; prefix: number }[] {
  const adapter = world.settings.adapters.find((candidate) => candidate.name === network.adapter);
  const parsed = world.settings.dhcp === "lease" ? findAddressWithPrefix(adapter?.address ?? "") : LINK_LOCAL;
  if (parsed === undefined) return [];
  const subnet = networkOf(parsed.address, parsed.prefix);
  for (let offset = FIRST_LEASE; ; offset++) {
    const address = formatIp(addressAt(subnet, offset));
    if (!used.has(address)) return [{ address, prefix: subnet.prefix }];
  }
}

const LINK_LOCAL = findAddressWithPrefix("169.254.0.0/16");
const FIRST_LEASE = 100;

function listAdapterInterfaces(world: World, adapter: Adapter): HostInterface[] {
  const card = { name: adapter.name, kind: "adapter", mac: adapter.mac ?? DEFAULT_MAC, forwarding: false } as const;
  const byHand = world.hostAddresses.find((given) => given.interface === carrierName(world, adapter))?.address;
  const address = byHand ?? findOwnAddress(world, adapter);
  if (!world.switches.has(adapter.name)) return [{ ...card, address }];
  return [
    { ...card, address: null },
    { ...card, name: managementName(adapter), kind: "management", address },
  ];
}

const DEFAULT_MAC = "00-0D-3A-00-00-04";

/** The interface that has the card's address: the card, or the management interface of the switch over it. */
export function carrierName(world: World, adapter: Adapter): string {
  return world.switches.has(adapter.name) ? managementName(adapter) : adapter.name;
}

/**
 * What the card or its management interface has without anybody's help; null while it has none. What Windows made up goes with the first
 * address by hand, what a DHCP server gave with the first static one.
 */
export function findOwnAddress(world: World, adapter: Adapter): string | null {
  const found = world.switches.get(adapter.name);
  const address = found === undefined ? adapter.address : managementAddress(world, adapter, found.createdAt);
  const byHand = world.hostAddresses.filter((given) => given.interface === carrierName(world, adapter));
  if (address !== adapter.address) return byHand.length === 0 ? address : null;
  return isLeased(world, adapter) && byHand.some(({ origin }) => origin === "static") ? null : address;
}

/** A DHCP server is asked, unless somebody ended that by a static address. */
export function isLeased(world: World, adapter: Adapter): boolean {
  return adapter.dhcp === true || (world.settings.vSwitchMakesDhcp && world.switches.has(adapter.name));
}

function managementName(adapter: Pick<Adapter, "name">): string {
  return `vEthernet (${adapter.name})`;
}

/** `since`: when the switch or network was made. A start of the machine begins the waiting anew. */
function managementAddress(world: World, adapter: Adapter, since: number): string | null {
  const { managementIp, managementIpDelayMs } = world.settings;
  if (managementIp === "none") return null;
  const isReady = world.sources.now() - Math.max(since, world.bootedAt) >= managementIpDelayMs;
  if (managementIp === "link-local" || (managementIp === "link-local-first" && !isReady)) return "169.254.83.107/16";
  return isReady ? adapter.address : null;
}

function buildEndpointInterface(endpoint: EndpointRecord): HostInterface {
  const first = endpoint.addresses[0];
  const address = first === undefined ? null : `${first.address}/${first.prefix}`;
  return { name: `vEthernet (${endpoint.name})`, kind: "endpoint", address, mac: endpoint.mac, forwarding: endpoint.forwarding };
}
