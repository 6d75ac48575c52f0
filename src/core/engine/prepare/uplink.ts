import type { Mac } from "../../base/ids.ts";
import { containsIp, findAddressWithPrefix, findCidr, findIp, type IpAddress, isLinkLocal } from "../../base/ip.ts";

/** static: somebody wrote it · dhcp: leased · link-local: made up by the system · other: of a router's announcements, and the like. */
export type AddressOrigin = "static" | "dhcp" | "link-local" | "other";

export interface UplinkAddress {
  /** With prefix: `10.0.0.4/24`. */
  readonly address: string;
  readonly origin: AddressOrigin;
}

export interface UplinkRoute {
  /** In CIDR form; `0.0.0.0/0` and `::/0` are the default routes. */
  readonly destination: string;
  readonly nextHop: string;
  readonly metric: number;
  /** It comes back after a start of the machine. */
  readonly isPersistent: boolean;
}

/** A card of the node, or the management interface of the virtual switch over one, with all that the node's connection needs. */
export interface Uplink {
  /** As Windows shows it: `Ethernet`, `vEthernet (Ethernet)`. */
  readonly name: string;
  readonly kind: "adapter" | "management";
  /** The management interface of a switch has that of its card. */
  readonly mac: Mac;
  readonly isUp: boolean;
  /** It asks a DHCP server for its IPv4 address. */
  readonly isDhcp: boolean;
  readonly addresses: readonly UplinkAddress[];
  /** Default routes included; those that an address brings by itself left out. */
  readonly routes: readonly UplinkRoute[];
  /** Name servers, in their order. */
  readonly dns: readonly string[];
  /** Bytes. */
  readonly mtu: number;
}

/** The machine's own network settings. Every method throws IO_FAILURE, naming the system's error. */
export interface UplinkAccess {
  /** The cards and the management interfaces of switches, as they are now. */
  list(): Promise<readonly Uplink[]>;
  /**
   * A static address ends DHCP on the interface, and may be written together with these gateways, so that they last as long; one that is
   * there as it is to be is no error.
   */
  addAddress(name: string, address: UplinkAddress, gateways: readonly string[]): Promise<void>;
  /** A route that is there is no error. */
  addRoute(name: string, route: UplinkRoute): Promise<void>;
  setDns(name: string, servers: readonly string[]): Promise<void>;
  /** Whether a neighbour on the interface's link answers now. */
  reaches(name: string, neighbour: string): Promise<boolean>;
}

const LINK_LOCAL_IPV6 = findCidr("fe80::/10");

/** An address by which others can reach the node: neither made up by the system nor none at all. */
export function isUsable({ address }: UplinkAddress): boolean {
  const ip = parseAddress(address);
  if (ip === undefined || isLinkLocal(ip)) return false;
  return LINK_LOCAL_IPV6 === undefined || !containsIp(LINK_LOCAL_IPV6, ip);
}

export function parseAddress(text: string): IpAddress | undefined {
  return findAddressWithPrefix(text)?.address ?? findIp(text);
}

export function isDefault({ destination }: Pick<UplinkRoute, "destination">): boolean {
  return destination === "0.0.0.0/0" || destination === "::/0";
}

/** The next hops of the default routes. */
export function gatewaysOf({ routes }: Pick<Uplink, "routes">): string[] {
  return [...new Set(routes.filter(isDefault).map(({ nextHop }) => nextHop))];
}

/** The management interface of the switch over the card with this MAC address; undefined while there is no switch. */
export function findManagement(uplinks: readonly Uplink[], mac: Mac): Uplink | undefined {
  return uplinks.find((uplink) => uplink.kind === "management" && uplink.mac === mac);
}

/** The card itself, after it may have got another name. The virtual function of a synthetic card bears the same MAC address: the name goes first. */
export function findCard(uplinks: readonly Uplink[], { name, mac }: Pick<Uplink, "name" | "mac">): Uplink | undefined {
  const same = uplinks.filter((uplink) => uplink.kind === "adapter" && uplink.mac === mac);
  return same.find((card) => card.name === name) ?? same[0];
}

/** What has the card's addresses: the card itself, or the management interface of the switch over it. */
export function findCarrier(uplinks: readonly Uplink[], card: Uplink): Uplink {
  return findManagement(uplinks, card.mac) ?? card;
}
