/** The kinds of fields that settings of HNS policies have, and how each is read from a user's configuration. */
import { findAddressWithPrefix, findIp, formatCidr, formatIp, networkOf } from "../base/ip.ts";
import { findGuid, findMac, formatGuid } from "../base/ids.ts";
import { describeFault, type Fault } from "../base/fault.ts";
import { VLAN_RANGE, VSID_RANGE } from "./isolation.ts";
import { findProtocol, PROTOCOL_NUMBERS } from "./protocols.ts";

/** Where faults go, and what beside the value itself decides. */
export interface ReadContext {
  readonly faults: Fault[];
  /** Ids of the network's address sets, which may stand where an address may. */
  readonly sets: ReadonlySet<string>;
}

interface Kind {
  /** What a value must be, as the end of "must be ...". */
  readonly expects: string;
  /** The value as HNS is to get it; undefined when it is none of this kind. */
  readonly read: (value: unknown, sets: ReadonlySet<string>) => unknown;
}

const MAPPED_PROTOCOLS: readonly number[] = [PROTOCOL_NUMBERS.tcp, PROTOCOL_NUMBERS.udp, PROTOCOL_NUMBERS.sctp];
const PROXIED_PROTOCOLS: readonly number[] = [0, 1, 2, 6, 17, 58];

export const KINDS = {
  text: { expects: "a text that is not empty", read: (value) => (typeof value === "string" && value.trim() !== "" ? value : undefined) },
  flag: { expects: "true or false", read: (value) => (typeof value === "boolean" ? value : undefined) },
  uint16: { expects: "a whole number from 0 to 65535", read: (value) => readWhole(value, 0, 0xffff) },
  uint32: { expects: "a whole number from 0 to 4294967295", read: (value) => readWhole(value, 0, 0xffff_ffff) },
  uint64: { expects: "a whole number of 0 or more", read: (value) => readWhole(value, 0, Number.MAX_SAFE_INTEGER) },
  weight: { expects: "a whole number from 0 to 100", read: (value) => readWhole(value, 0, 100) },
  port: { expects: "a port from 1 to 65535", read: (value) => readWhole(value, 1, 0xffff) },
  natFlags: { expects: "0, 1 (LocalRoutedVip), 2 (IPv6) or 3 (both)", read: (value) => readWhole(value, 0, 3) },
  vlan: {
    expects: `a VLAN id from ${VLAN_RANGE.first} to ${VLAN_RANGE.last}`,
    read: (value) => readWhole(value, VLAN_RANGE.first, VLAN_RANGE.last),
  },
  vsid: {
    expects: `a virtual subnet id from ${VSID_RANGE.first} to ${VSID_RANGE.last}`,
    read: (value) => readWhole(value, VSID_RANGE.first, VSID_RANGE.last),
  },
  portText: { expects: 'a port from 1 to 65535 as text, such as "15001"', read: (value) => readPortText(value) },
  address: { expects: "an IP address", read: (value) => readAddress(value) },
  addressOrNone: { expects: "an IP address or an empty text", read: (value) => (value === "" ? "" : readAddress(value)) },
  prefix: { expects: "an IP address or network such as 10.96.0.0/12", read: (value) => readPrefix(value) },
  prefixOrNone: { expects: "an IP address, a network, or an empty text", read: (value) => (value === "" ? "" : readPrefix(value)) },
  prefixes: { expects: "a list of IP addresses and networks", read: (value) => readList(value, readPrefix) },
  texts: { expects: "a list of texts", read: (value) => readList(value, (item) => (typeof item === "string" ? item : undefined)) },
  portRanges: { expects: "a list of ports and ranges", read: (value) => readList(value, readRange) },
  mac: { expects: "a MAC address such as 00-15-5D-00-00-09", read: (value) => readMac(value) },
  guid: { expects: "a GUID", read: (value) => readGuid(value) },
  mappedProtocol: { expects: "6 (TCP), 17 (UDP) or 132 (SCTP)", read: (value) => readProtocol(value, MAPPED_PROTOCOLS) },
  proxiedProtocol: { expects: "a protocol number such as 6 (TCP)", read: (value) => readProtocol(value, PROXIED_PROTOCOLS) },
  protocolList: {
    expects: 'protocol numbers from 0 to 256 with commas, such as "6,17"',
    read: (value) => joinItems(value, readProtocolText),
  },
  addressList: {
    expects: 'addresses and networks with commas, such as "10.0.0.4,10.96.0.0/12"; for any address leave the field out',
    read: (value, sets) => joinItems(value, (item) => (sets.has(item) ? item : readPrefix(item))),
  },
  portList: { expects: 'ports and ranges with commas, such as "80,8000-8080"', read: (value) => joinItems(value, readRange) },
} as const satisfies Readonly<Record<string, Kind>>;

export type KindName = keyof typeof KINDS;

/** One field of a policy's settings. */
export interface Field {
  readonly kind: KindName | { readonly oneOf: readonly string[] } | { readonly object: Shape } | { readonly objects: Shape };
  readonly required?: true;
  /** Names it has in version 1 documents. */
  readonly aliases?: readonly string[];
}

export interface Shape {
  readonly fields: Readonly<Record<string, Field>>;
  /** What of several fields together HNS refuses, as one fault a problem. */
  check?(settings: Readonly<Record<string, unknown>>, path: string): Fault[];
}

/** The value of `field`; adds a fault and gives undefined when it is none. Objects inside are not read here. */
export function readScalar(
  kind: KindName | { readonly oneOf: readonly string[] },
  value: unknown,
  path: string,
  context: ReadContext,
): unknown {
  if (typeof kind !== "string") {
    const found = kind.oneOf.find((one) => typeof value === "string" && one.toLowerCase() === value.toLowerCase());
    if (found === undefined)
      context.faults.push(describeFault(path, value, `must be ${kind.oneOf.join(", ")}`, `write one of ${kind.oneOf.join(", ")}`));
    return found;
  }
  const { expects, read }: Kind = KINDS[kind];
  const found = read(value, context.sets);
  if (found === undefined) context.faults.push(describeFault(path, describeBad(value), `must be ${expects}`, `write ${expects}`));
  return found;
}

/** Lists are shown by their texts: what is wrong is one of the items. */
function describeBad(value: unknown): unknown {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value.join(", ") : value;
}

function readWhole(value: unknown, least: number, most: number): number | undefined {
  return typeof value === "number" && Number.isInteger(value) && value >= least && value <= most ? value : undefined;
}

function readPortText(value: unknown): string | undefined {
  const number = typeof value === "string" && /^\d{1,5}$/.test(value) ? Number(value) : value;
  const port = readWhole(number, 1, 0xffff);
  return port === undefined ? undefined : String(port);
}

function readAddress(value: unknown): string | undefined {
  const ip = typeof value === "string" ? findIp(value.trim()) : undefined;
  return ip === undefined ? undefined : formatIp(ip);
}

/** A network with host bits set means the network around the address. */
function readPrefix(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const parsed = findAddressWithPrefix(value.trim());
  return parsed === undefined ? readAddress(value) : formatCidr(networkOf(parsed.address, parsed.prefix));
}

function readList<T>(value: unknown, read: (item: unknown) => T | undefined): T[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) => read(item));
  return items.some((item) => item === undefined) ? undefined : items.filter((item) => item !== undefined);
}

/** A text of items with commas, read one by one and joined again; version 1 documents give a single item as a number. */
function joinItems(value: unknown, read: (item: string) => string | undefined): string | undefined {
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  const items = String(value)
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
  return readList(items, (item) => read(String(item)))?.join(",");
}

function readRange(value: unknown): string | undefined {
  const match = typeof value === "string" ? /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(value.trim()) : null;
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  if (first > last || last > 0xffff) return undefined;
  return first === last ? String(first) : `${first}-${last}`;
}

function readProtocol(value: unknown, allowed: readonly number[]): number | undefined {
  const protocol = findProtocol(value);
  return protocol !== undefined && allowed.includes(protocol) ? protocol : undefined;
}

function readProtocolText(value: string): string | undefined {
  const protocol = findProtocol(value);
  return protocol === undefined ? undefined : String(protocol);
}

function readMac(value: unknown): string | undefined {
  const mac = typeof value === "string" ? findMac(value) : undefined;
  return mac?.replaceAll(":", "-").toUpperCase();
}

function readGuid(value: unknown): string | undefined {
  const guid = typeof value === "string" ? findGuid(value) : undefined;
  return guid === undefined ? undefined : formatGuid(guid);
}
