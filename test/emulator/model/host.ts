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

/** The machine's routes: those of its cards unless they were lost, and those added by hand. */
export function listRoutes(world: World): HostRoute[] {
  const own = listAdapters(world).flatMap((adapter) => {
    const name = world.switches.has(adapter.name) ? managementName(adapter) : adapter.name;
    const given = adapter.gateway === undefined ? [] : [{ destination: "0.0.0.0/0", nextHop: adapter.gateway }];
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
}

/** Takes the switch away with the last network on it; the card gets its address back. */
export function dropUnusedSwitches(world: World): void {
  const used = new Set([...world.networks.values()].map(({ adapter }) => adapter));
  for (const name of [...world.switches.keys()]) if (!used.has(name)) world.switches.delete(name);
}

/** The address of a network's management interface, or "" while it has none. */
export function findManagementIp(world: World, network: NetworkRecord): string {
  const adapter = listAdapters(world).find((candidate) => candidate.name === network.adapter);
  if (adapter === undefined) return "";
  return managementAddress(world, adapter, network.createdAt)?.split("/")[0] ?? "";
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
  const found = world.switches.get(adapter.name);
  if (found === undefined) return [{ ...card, address: adapter.address }];
  const address = managementAddress(world, adapter, found.createdAt);
  return [
    { ...card, address: null },
    { ...card, name: managementName(adapter), kind: "management", address },
  ];
}

const DEFAULT_MAC = "00-0D-3A-00-00-04";

function managementName(adapter: Adapter): string {
  return `vEthernet (${adapter.name})`;
}

/** `since`: when the switch or network was made. A start of the machine begins the waiting anew. */
function managementAddress(world: World, adapter: Adapter, since: number): string | null {
  const { managementIp, managementIpDelayMs } = world.settings;
  const isReady = world.sources.now() - Math.max(since, world.bootedAt) >= managementIpDelayMs;
  if (managementIp === "link-local" || (managementIp === "link-local-first" && !isReady)) return "169.254.83.107/16";
  return isReady ? adapter.address : null;
}

function buildEndpointInterface(endpoint: EndpointRecord): HostInterface {
  const first = endpoint.addresses[0];
  const address = first === undefined ? null : `${first.address}/${first.prefix}`;
  return { name: `vEthernet (${endpoint.name})`, kind: "endpoint", address, mac: endpoint.mac, forwarding: endpoint.forwarding };
}
