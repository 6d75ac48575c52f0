import {
  addressAt,
  carvableSize,
  cidrSize,
  type Cidr,
  findIp,
  mergeRanges,
  networkOf,
  offsetIn,
  type OffsetRange,
  width,
} from "../base/ip.ts";

/** A pod range and the offsets in it that are never handed out. */
export interface Subnet {
  readonly cidr: Cidr;
  /** Single offsets: those Windows needs, and a gateway. */
  readonly reserved: readonly number[];
  /** What the configuration keeps back besides, as offsets; in any order, and they may overlap. */
  readonly keptBack?: readonly OffsetRange[];
  /** Windows' own addresses (see windowsOffsets) are kept back in every block of `blockPrefix` bits too. */
  readonly isReservedPerBlock?: boolean;
  readonly blockPrefix?: number;
}

/**
 * The offsets that no pod can have on Windows: network (with IPv6 the routers' anycast address), gateway of HNS, host endpoint, and with
 * IPv4 the broadcast address.
 */
export function windowsOffsets(cidr: Cidr): number[] {
  return cidr.address.family === 4 ? [0, 1, 2, cidrSize(cidr) - 1] : [0, 1, 2];
}

/** How many addresses of `block` may be handed out, `block` being part of the subnet. */
export function usableIn(subnet: Subnet, block: Cidr): number {
  return reservedWithin(subnet, block).reduce((left, { first, last }) => left - (last - first + 1), cidrSize(block));
}

/** The lowest offset of `block` from `from` on that is not reserved; the block's size when there is none. */
export function nextUsable(subnet: Subnet, block: Cidr, from: number): number {
  let offset = from;
  for (const { first, last } of reservedWithin(subnet, block)) {
    if (offset >= first && offset <= last) offset = last + 1;
  }
  return Math.min(offset, cidrSize(block));
}

/**
 * The next block of `prefix` bits in the subnet after the first `carved` addresses, aligned to its own size.
 * A prefix shorter than the subnet's means one block, the subnet itself. Undefined when nothing is left.
 */
export function carveBlock(subnet: Subnet, prefix: number, carved: number): { block: Cidr; carved: number } | undefined {
  const { cidr } = subnet;
  const bits = Math.max(prefix, cidr.prefix);
  const size = 2 ** (width(cidr.address.family) - bits);
  const start = Math.ceil(carved / size) * size;
  if (start + size > carvableSize(cidr)) return undefined;
  return { block: networkOf(addressAt(cidr, start), bits), carved: start + size };
}

/** The lowest offset of the subnet from `from` on that is not reserved; at least the subnet's size when there is none. */
export function skipReserved(subnet: Subnet, from: number): number {
  const touching = rangesBetween({ ...subnet, isReservedPerBlock: false }, from, Infinity);
  let offset = from;
  for (const { first, last } of mergeRanges(touching)) {
    if (offset >= first && offset <= last) offset = last + 1;
  }
  return offset;
}

/** The reserved offsets of `block`, one by one. For people: as long as the block. */
export function reservedOffsets(subnet: Subnet, block: Cidr): Set<number> {
  const ranges = reservedWithin(subnet, block);
  return new Set(ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, index) => first + index)));
}

/** How many of the subnet's first `end` addresses are reserved. */
export function reservedBefore(subnet: Subnet, end: number): number {
  const cut = rangesBetween(subnet, 0, end - 1).map(({ first, last }) => ({ first, last: Math.min(last, end - 1) }));
  return mergeRanges(cut).reduce((sum, { first, last }) => sum + last - first + 1, 0);
}

/** Whether the subnet keeps `address` back. */
export function isReserved(subnet: Subnet, address: string): boolean {
  const ip = findIp(address);
  const offset = ip === undefined ? undefined : offsetIn(subnet.cidr, ip);
  if (offset === undefined) return false;
  return rangesBetween(subnet, offset, offset).length > 0;
}

/** What is reserved in `block` as offsets in it: in order, apart from each other, and cut at the block's ends. */
function reservedWithin(subnet: Subnet, block: Cidr): OffsetRange[] {
  const start = offsetIn(subnet.cidr, block.address) ?? 0;
  const end = start + cidrSize(block) - 1;
  const ranges = rangesBetween(subnet, start, end).map(({ first, last }) => {
    return { first: Math.max(first, start) - start, last: Math.min(last, end) - start };
  });
  return mergeRanges(ranges);
}

/** The reserved ranges that touch the offsets from `start` to `end`. */
function rangesBetween(subnet: Subnet, start: number, end: number): OffsetRange[] {
  const single = subnet.reserved.map((offset) => ({ first: offset, last: offset }));
  return [...single, ...(subnet.keptBack ?? []), ...windowsRanges(subnet, start, end)].filter(
    ({ first, last }) => first <= end && last >= start,
  );
}

/** Windows' own of each block between `start` and `end`. */
function windowsRanges(subnet: Subnet, start: number, end: number): OffsetRange[] {
  if (subnet.isReservedPerBlock !== true || subnet.blockPrefix === undefined) return [];
  const size = 2 ** (width(subnet.cidr.address.family) - Math.max(subnet.blockPrefix, subnet.cidr.prefix));
  const ranges: OffsetRange[] = [];
  for (let block = Math.floor(start / size) * size; block <= end; block += size) {
    ranges.push({ first: block, last: block + 2 });
    if (subnet.cidr.address.family === 4) ranges.push({ first: block + size - 1, last: block + size - 1 });
  }
  return ranges;
}
