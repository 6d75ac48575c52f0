import type { Family } from "../../base/ip.ts";
import { isDefault, isUsable, parseAddress, type Uplink, type UplinkAddress, type UplinkRoute } from "./uplink.ts";

/** One thing to give back to an uplink. */
export type Repair =
  | { readonly kind: "address"; readonly address: UplinkAddress }
  | { readonly kind: "route"; readonly route: UplinkRoute }
  | { readonly kind: "dns"; readonly servers: readonly string[] };

/**
 * What `now` lacks of what `before` had and what can be given back, in the order in which it has to be: routes need addresses. What a DHCP
 * server gave is its own to change: it is only missing where there is nothing in its place.
 */
export function findMissing(before: Uplink, now: Uplink): Repair[] {
  return [...findMissingAddresses(before, now), ...findMissingRoutes(before, now), ...findMissingDns(before, now)];
}

/** Of a restore: what it takes for the node's own addresses to be there. */
export function findMissingAddresses(before: Uplink, now: Uplink): Repair[] {
  return before.addresses
    .filter((address) => isUsable(address) && isMissing(address, now))
    .map((address): Repair => ({ kind: "address", address }));
}

function isMissing({ address, origin }: UplinkAddress, now: Uplink): boolean {
  const same = now.addresses.find((own) => own.address === address);
  if (origin === "static") return same?.origin !== "static";
  return origin === "dhcp" && !now.addresses.some((own) => isUsable(own) && familyOf(own.address) === familyOf(address));
}

function findMissingRoutes(before: Uplink, now: Uplink): Repair[] {
  return before.routes
    .filter((route) => !now.routes.some((own) => replaces(own, route, before)))
    .map((route): Repair => ({ kind: "route", route }));
}

function replaces(own: UplinkRoute, { destination, nextHop }: UplinkRoute, before: Uplink): boolean {
  if (own.destination !== destination) return false;
  return own.nextHop === nextHop || (before.isDhcp && isDefault(own));
}

function findMissingDns(before: Uplink, now: Uplink): Repair[] {
  const isThere = before.isDhcp ? now.dns.length > 0 : before.dns.every((server) => now.dns.includes(server));
  return isThere || before.dns.length === 0 ? [] : [{ kind: "dns", servers: before.dns }];
}

/** What is otherwise than before and is left so: each a sentence without an end. */
export function findChanges(before: Uplink, now: Uplink): string[] {
  const lease = (uplink: Uplink): string =>
    uplink.addresses
      .filter((address) => address.origin === "dhcp" && isUsable(address))
      .map(({ address }) => address)
      .join(", ");
  const [was, is] = [lease(before), lease(now)];
  return [
    ...(was !== "" && is !== "" && was !== is ? [`the DHCP server gave ${is}, and before ${was}`] : []),
    ...(before.dns.join() !== now.dns.join() && now.dns.length > 0
      ? [`the name servers are ${now.dns.join(", ")}, and were ${before.dns.join(", ") || "none"}`]
      : []),
    ...(before.mtu !== now.mtu ? [`the MTU is ${now.mtu}, and was ${before.mtu}`] : []),
  ];
}

export function describeRepair(repair: Repair): string {
  switch (repair.kind) {
    case "address":
      return `address ${repair.address.address}${repair.address.origin === "static" ? "" : " (leased before)"}`;
    case "route":
      return `${isDefault(repair.route) ? "default route" : `route ${repair.route.destination}`} via ${repair.route.nextHop}`;
    case "dns":
      return `name servers ${repair.servers.join(", ")}`;
  }
}

function familyOf(address: string): Family | undefined {
  return parseAddress(address)?.family;
}
