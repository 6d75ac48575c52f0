import { addressAt, carvableSize, type Cidr, networkOf, width } from "../base/ip.ts";
import { type Subnet, usableIn } from "./blocks.ts";

export interface Capacity {
  /** Those that are ever carved: all of an IPv4 range. */
  readonly addresses: number;
  /** Kept back: Windows' own, a gateway's, and what the configuration names. */
  readonly reserved: number;
  readonly usable: number;
  readonly blocks: number;
  /** Addresses of a block. */
  readonly blockSize: number;
}

/** What a pool can give to pods in all. */
export function poolCapacity(subnet: Subnet, blockPrefix: number): Capacity {
  const { cidr } = subnet;
  const prefix = Math.max(blockPrefix, cidr.prefix);
  const addresses = carvableSize(cidr);
  const blockSize = 2 ** (width(cidr.address.family) - prefix);
  const carved = networkOf(cidr.address, width(cidr.address.family) - Math.log2(addresses));
  const usable = Math.max(0, usableIn(subnet, carved));
  return { addresses, reserved: addresses - usable, usable, blocks: addresses / blockSize, blockSize };
}

/**
 * A sentence when a node may run more pods than it has addresses, which shows as pods that never start; undefined when it may not.
 * `maxPods` is the kubelet's limit. Pods on the host's own network need no address, so equal numbers are enough.
 */
export function findPodLimitWarning(usable: number, maxPods: number): string | undefined {
  if (maxPods <= usable) return undefined;
  return `the kubelet allows ${maxPods} pods and there are ${usable} addresses for them: set maxPods to ${usable} or less, or give the node a larger range`;
}

/** How a range is divided among nodes: the same for each, in one piece. */
export interface Split {
  readonly nodes: number;
  /** Prefix length of a node's range. */
  readonly prefix: number;
  /** How many ranges of that size there are; those beyond the nodes are left for later ones. */
  readonly ranges: number;
  readonly rangeAt: (index: number) => Cidr;
}

/** The largest equal ranges for that many nodes; undefined when the range has fewer addresses than there are nodes. */
export function splitRange(cidr: Cidr, nodes: number): Split | undefined {
  const prefix = cidr.prefix + Math.ceil(Math.log2(nodes));
  const bits = width(cidr.address.family);
  if (prefix > bits) return undefined;
  const rangeAt = (index: number): Cidr => networkOf(addressAt(cidr, index * 2 ** (bits - prefix)), prefix);
  return { nodes, prefix, ranges: 2 ** (prefix - cidr.prefix), rangeAt };
}
