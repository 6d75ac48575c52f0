import { containsIp, findAddressWithPrefix, findIp, networkOf } from "../../../src/core/base/ip.ts";
import { carrierName, findOwnAddress, isLeased, listAdapters, listInterfaces, listRoutes } from "./host.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import type { Adapter, HostAddress, HostDns, World } from "./world.ts";

/** A card, or the management interface of a switch over one, with all that a connection needs. */
export interface EmulatedUplink {
  readonly name: string;
  readonly kind: "adapter" | "management";
  readonly mac: string;
  readonly isUp: boolean;
  /** It asks a DHCP server. */
  readonly isDhcp: boolean;
  readonly addresses: { address: string; origin: "static" | "dhcp" | "link-local" }[];
  readonly routes: { destination: string; nextHop: string; metric: number; isPersistent: boolean }[];
  readonly dns: string[];
  readonly mtu: number;
}

/** Cards and management interfaces. A card under a virtual switch has nothing left: the management interface has it. */
export function listUplinks(world: World): EmulatedUplink[] {
  return listInterfaces(world).flatMap(({ name, kind, mac }) => {
    const adapter = listAdapters(world).find((card) => card.name === name || carrierName(world, card) === name);
    if (kind === "endpoint" || adapter === undefined) return [];
    const base = { name, kind, mac, isUp: true, mtu: adapter.mtu ?? 1500 };
    if (carrierName(world, adapter) !== name) return [{ ...base, isDhcp: false, addresses: [], routes: [], dns: [] }];
    return [{ ...base, ...describeCarrier(world, adapter) }];
  });
}

function describeCarrier(world: World, adapter: Adapter): Pick<EmulatedUplink, "isDhcp" | "addresses" | "routes" | "dns"> {
  const name = carrierName(world, adapter);
  const byHand = world.hostAddresses.filter((given) => given.interface === name);
  const isDhcp = isLeased(world, adapter) && !byHand.some(({ origin }) => origin === "static");
  const own = findOwnAddress(world, adapter);
  const made = own === null ? [] : [{ address: own, origin: originOf(own !== adapter.address, isDhcp) }];
  const routes = listRoutes(world).filter((route) => route.interface === name);
  return {
    isDhcp,
    addresses: [...made, ...byHand.map(({ address, origin }) => ({ address, origin }))],
    routes: routes.map(({ destination, nextHop }) => ({
      destination,
      nextHop,
      metric: 0,
      isPersistent: destination !== "0.0.0.0/0" || !isDhcp,
    })),
    dns: findDns(world, adapter, isDhcp),
  };
}

function originOf(isMadeUp: boolean, isDhcp: boolean): "static" | "dhcp" | "link-local" {
  if (isMadeUp) return "link-local";
  return isDhcp ? "dhcp" : "static";
}

/** Those given by hand; else the card's, unless they were lost, or were a DHCP server's that is asked no more. */
function findDns(world: World, adapter: Adapter, isDhcp: boolean): string[] {
  const byHand = world.hostDns.find((given) => given.interface === carrierName(world, adapter));
  const areLost = world.lostDns.includes(adapter.name) || isDhcp !== isLeased(world, adapter);
  return [...(byHand?.servers ?? (areLost ? [] : (adapter.dns ?? [])))];
}

export function addAddress(world: World, given: HostAddress): void {
  const uplink = requireUplink(world, given.interface);
  if (findAddressWithPrefix(given.address) === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "address");
  if (uplink.addresses.some(({ address, origin }) => address === given.address && origin === given.origin))
    throw new HnsError(HRESULT.OBJECT_EXISTS, given.address);
  world.hostAddresses.push(given);
}

export function setDns(world: World, given: HostDns): void {
  requireUplink(world, given.interface);
  world.hostDns = [...world.hostDns.filter((known) => known.interface !== given.interface), given];
}

/** Whether the neighbour answers: it is the gateway of the card, lies in a network of the interface, and the setting does not say no. */
export function answers(world: World, name: string, neighbour: string): boolean {
  const uplink = listUplinks(world).find((known) => known.name === name);
  const adapter = listAdapters(world).find((card) => carrierName(world, card) === name);
  if (uplink === undefined || adapter?.gateway !== neighbour) return false;
  const { gatewayAnswers } = world.settings;
  if (gatewayAnswers === "never" || (gatewayAnswers === "without-switch" && world.switches.has(adapter.name))) return false;
  const ip = findIp(neighbour);
  return uplink.addresses.some(({ address }) => {
    const parsed = findAddressWithPrefix(address);
    return ip !== undefined && parsed !== undefined && containsIp(networkOf(parsed.address, parsed.prefix), ip);
  });
}

function requireUplink(world: World, name: string): EmulatedUplink {
  const found = listUplinks(world).find((uplink) => uplink.name === name);
  if (found === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, `no interface ${name}`);
  return found;
}
