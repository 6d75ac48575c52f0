import { addressAt, cidrSize, type Cidr, findIp, networkOf, offsetIn, width } from "../base/ip.ts";

/** A pod range and the offsets in it that are never handed out. */
export interface Subnet {
  readonly cidr: Cidr;
  readonly reserved: readonly number[];
}

/** How many addresses of `block` may be handed out, `block` being part of the subnet. */
export function usableIn(subnet: Subnet, block: Cidr): number {
  return cidrSize(block) - reservedWithin(subnet, block).size;
}

/** The lowest offset of `block` from `from` on that is not reserved; the block's size when there is none. */
export function nextUsable(subnet: Subnet, block: Cidr, from: number): number {
  const reserved = reservedWithin(subnet, block);
  let offset = from;
  while (reserved.has(offset)) offset++;
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
  if (start + size > cidrSize(cidr)) return undefined;
  return { block: networkOf(addressAt(cidr, start), bits), carved: start + size };
}

/** Whether the subnet keeps `address` back. */
export function isReserved(subnet: Subnet, address: string): boolean {
  const ip = findIp(address);
  const offset = ip === undefined ? undefined : offsetIn(subnet.cidr, ip);
  return offset !== undefined && subnet.reserved.includes(offset);
}

/** The reserved offsets of the subnet that fall into `block`, as offsets in `block`. */
function reservedWithin(subnet: Subnet, block: Cidr): Set<number> {
  const offsets = subnet.reserved.map((offset) => offsetIn(block, addressAt(subnet.cidr, offset)));
  return new Set(offsets.filter((offset) => offset !== undefined));
}
