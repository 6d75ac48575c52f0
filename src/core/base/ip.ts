/** Address families, by their number in the protocols' names. */
export type Family = 4 | 6;

/** An IP address. IPv4 values are plain numbers (0 to 2^32-1), so the common path needs no BigInt. */
export type IpAddress = { readonly family: 4; readonly value: number } | { readonly family: 6; readonly value: bigint };

/** A network in canonical form: no host bits set. */
export interface Cidr {
  readonly address: IpAddress;
  readonly prefix: number;
  readonly __brand: "Cidr";
}

/** Neighbouring addresses of a network by their offsets, both ends included. */
export interface OffsetRange {
  readonly first: number;
  readonly last: number;
}

/** `10.0.0.4` or `fd00::4`; undefined when `text` is no IP address. Leading zeros in IPv4 are refused (they mean octal to some readers). */
export function findIp(text: string): IpAddress | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { family: 4, value: v4 };
  const v6 = parseV6(text);
  return v6 === undefined ? undefined : { family: 6, value: v6 };
}

export function formatIp(ip: IpAddress): string {
  return ip.family === 4 ? formatV4(ip.value) : formatV6(ip.value);
}

/** `address/prefix` without changing the address, so host bits can be told; undefined when `text` is not of that form. */
export function findAddressWithPrefix(text: string): { address: IpAddress; prefix: number } | undefined {
  const match = /^([^/]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = findIp(match?.[1] ?? "");
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > width(address.family)) return undefined;
  return { address, prefix };
}

/** The network written as `text`; undefined when it is no CIDR or has host bits set. */
export function findCidr(text: string): Cidr | undefined {
  const parsed = findAddressWithPrefix(text);
  if (parsed === undefined) return undefined;
  const cidr = networkOf(parsed.address, parsed.prefix);
  return compareIp(cidr.address, parsed.address) === 0 ? cidr : undefined;
}

/** The network of `prefix` bits that holds `ip`. */
export function networkOf(ip: IpAddress, prefix: number): Cidr {
  if (ip.family === 4) {
    const size = 2 ** (32 - prefix);
    return makeCidr({ family: 4, value: Math.floor(ip.value / size) * size }, prefix);
  }
  const hostBits = BigInt(128 - prefix);
  return makeCidr({ family: 6, value: (ip.value >> hostBits) << hostBits }, prefix);
}

export function formatCidr(cidr: Cidr): string {
  return `${formatIp(cidr.address)}/${cidr.prefix}`;
}

/** How many addresses `cidr` spans; Infinity is never returned: IPv6 sizes are exact up to 2^1023 as doubles. */
export function cidrSize(cidr: Cidr): number {
  return 2 ** (width(cidr.address.family) - cidr.prefix);
}

/** Addresses of a network that are ever given out: beyond 2^48 of an IPv6 network none are, so that offsets stay exact numbers. */
const MAX_CARVED = 2 ** 48;

/** How many addresses of the network can be given out. */
export function carvableSize(cidr: Cidr): number {
  return Math.min(cidrSize(cidr), MAX_CARVED);
}

/** The address at `offset` (a non-negative integer) from the network address. */
export function addressAt(cidr: Cidr, offset: number): IpAddress {
  const { address } = cidr;
  if (address.family === 4) return { family: 4, value: address.value + offset };
  return { family: 6, value: address.value + BigInt(offset) };
}

/** The offset of `ip` in `cidr`; undefined when it is outside. Exact up to 2^53, so for IPv6 networks of /75 and longer. */
export function offsetIn(cidr: Cidr, ip: IpAddress): number | undefined {
  if (!containsIp(cidr, ip)) return undefined;
  return ip.family === 4 ? ip.value - Number(cidr.address.value) : Number(ip.value - BigInt(cidr.address.value));
}

/**
 * The part of `cidr` that `text` names: an address, a network in CIDR form, or `first-last`. "outside" when nothing of it lies in `cidr`;
 * undefined when it is of none of these forms.
 */
export function findOffsets(cidr: Cidr, text: string): OffsetRange | "outside" | undefined {
  const ends = findEnds(text);
  if (ends === undefined || ends.first.family !== ends.last.family || compareIp(ends.first, ends.last) > 0) return undefined;
  const { address } = cidr;
  const end = addressAt(cidr, cidrSize(cidr) - 1);
  if (ends.first.family !== address.family || compareIp(ends.last, address) < 0 || compareIp(ends.first, end) > 0) return "outside";
  const last = cidrSize(cidr) - 1;
  return { first: offsetIn(cidr, ends.first) ?? 0, last: offsetIn(cidr, ends.last) ?? last };
}

function findEnds(text: string): { first: IpAddress; last: IpAddress } | undefined {
  const network = findCidr(text);
  if (network !== undefined) return { first: network.address, last: addressAt(network, cidrSize(network) - 1) };
  const [from = "", to = from, ...rest] = text.split("-").map((part) => part.trim());
  const [first, last] = [findIp(from), findIp(to)];
  return first === undefined || last === undefined || rest.length > 0 ? undefined : { first, last };
}

/** The same offsets in order, without overlaps. */
export function mergeRanges(ranges: readonly OffsetRange[]): OffsetRange[] {
  const merged: OffsetRange[] = [];
  for (const range of [...ranges].sort((left, right) => left.first - right.first)) {
    const before = merged.at(-1);
    if (before !== undefined && range.first <= before.last + 1) {
      merged[merged.length - 1] = { first: before.first, last: Math.max(before.last, range.last) };
    } else merged.push(range);
  }
  return merged;
}

export function containsIp(cidr: Cidr, ip: IpAddress): boolean {
  if (ip.family !== cidr.address.family) return false;
  return compareIp(networkOf(ip, cidr.prefix).address, cidr.address) === 0;
}

export function containsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefix >= outer.prefix && containsIp(outer, inner.address);
}

export function overlaps(left: Cidr, right: Cidr): boolean {
  return containsCidr(left, right) || containsCidr(right, left);
}

/** Negative, zero or positive; every IPv4 address sorts before every IPv6 address. */
export function compareIp(left: IpAddress, right: IpAddress): number {
  if (left.family !== right.family) return left.family - right.family;
  if (left.value === right.value) return 0;
  return left.value < right.value ? -1 : 1;
}

/** Whether a host made the address up for itself while no DHCP server answered (RFC 3927: 169.254.0.0/16). */
export function isLinkLocal(ip: IpAddress): boolean {
  return ip.family === 4 && Math.floor(ip.value / 0x10000) === 0xa9fe;
}

/** The number of bits of an address: 32 or 128. */
export function width(family: Family): number {
  return family === 4 ? 32 : 128;
}

function makeCidr(address: IpAddress, prefix: number): Cidr {
  return { address, prefix } as Cidr;
}

function parseV4(text: string): number | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    const octet = Number(part);
    if (octet > 255 || !/^(?:0|[1-9]\d{0,2})$/.test(part)) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

function formatV4(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
}

function parseV6(text: string): bigint | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0] ?? "", halves.length === 1);
  const tail = halves.length === 2 ? parseGroups(halves[1] ?? "", true) : [];
  if (head === undefined || tail === undefined) return undefined;
  const gap = 8 - head.length - tail.length;
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined;
  const groups = [...head, ...Array<number>(gap).fill(0), ...tail];
  return groups.reduce((sum, group) => (sum << 16n) | BigInt(group), 0n);
}

/** The 16-bit groups of a part of an IPv6 address; the last one of the whole address may be dotted IPv4. */
function parseGroups(text: string, isTail: boolean): number[] | undefined {
  if (text === "") return [];
  const groups: number[] = [];
  const parts = text.split(":");
  for (const [index, part] of parts.entries()) {
    const v4 = isTail && index === parts.length - 1 ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(Math.floor(v4 / 65536), v4 % 65536);
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

/** RFC 5952: lower case, the longest run of two or more zero groups shortened. */
function formatV6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(112 - i * 16)) & 0xffffn));
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start++) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(":");
  if (best.start < 0) return text(groups);
  return `${text(groups.slice(0, best.start))}::${text(groups.slice(best.start + best.length))}`;
}
