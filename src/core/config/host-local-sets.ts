import {
  addressAt,
  type Cidr,
  compareIp,
  formatCidr,
  formatIp,
  type IpAddress,
  mergeRanges,
  offsetIn,
  type OffsetRange,
} from "../base/ip.ts";
import type { Fault } from "./faults.ts";

/** A range of a host-local configuration: a subnet, and the part of it that may be handed out. */
export interface HostLocalRange {
  readonly cidr: Cidr;
  /** Offsets in `cidr`, both inclusive. */
  readonly part: OffsetRange;
  /** May lie outside of `cidr`, as host-local allows. */
  readonly gateway: IpAddress;
  /** Where its keys are, such as `ipam.ranges[0][0]`. */
  readonly path: string;
}

/** Ranges that give a pod one address between them. */
export type HostLocalSet = readonly HostLocalRange[];

/** Part of a host-local set that is one pool: the ranges of one subnet with one gateway. */
export interface HostLocalPool {
  readonly cidr: Cidr;
  readonly gateway: IpAddress;
  readonly set: number;
  /** What may be handed out, in order and apart from each other. */
  readonly parts: readonly OffsetRange[];
  readonly path: string;
  /** Another pool has the same subnet. */
  readonly isShared: boolean;
}

/** The pools of the sets, in the order written. */
export function listPools(sets: readonly HostLocalSet[]): HostLocalPool[] {
  const groups = sets.flatMap((ranges, set) => {
    const byPool = Map.groupBy(ranges, ({ cidr, gateway }) => `${formatCidr(cidr)} ${formatIp(gateway)}`);
    return [...byPool.values()].flatMap((group) => {
      const [first] = group;
      return first === undefined
        ? []
        : [{ cidr: first.cidr, gateway: first.gateway, path: first.path, set, parts: mergeRanges(group.map(({ part }) => part)) }];
    });
  });
  const counts = Map.groupBy(groups, ({ cidr }) => formatCidr(cidr));
  return groups.map((group) => ({ ...group, isShared: (counts.get(formatCidr(group.cidr))?.length ?? 0) > 1 }));
}

/** Faults of ranges that are right one by one: two families in a set, and addresses in two ranges. */
export function findSetFaults(sets: readonly HostLocalSet[]): Fault[] {
  const mixed = sets.flatMap((set) => set.filter(({ cidr }) => cidr.address.family !== set[0]?.cidr.address.family).slice(0, 1));
  const all = sets.flat();
  const overlapping = all.flatMap((later, at) => {
    const earlier = all.slice(0, at).find((range) => overlap(range, later));
    return earlier === undefined ? [] : [{ later, earlier }];
  });
  return [
    ...mixed.map(({ path }) => ({
      path,
      problem: "is of another address family than the set's first range",
      remedy: "write a set for each address family",
    })),
    ...overlapping.map(({ later, earlier }) => ({
      path: later.path,
      problem: `overlaps ${earlier.path}`,
      remedy: "keep the ranges apart",
    })),
  ];
}

function overlap(left: HostLocalRange, right: HostLocalRange): boolean {
  if (left.cidr.address.family !== right.cidr.address.family) return false;
  const [from, to] = [addressAt(right.cidr, right.part.first), addressAt(right.cidr, right.part.last)];
  return compareIp(from, addressAt(left.cidr, left.part.last)) <= 0 && compareIp(to, addressAt(left.cidr, left.part.first)) >= 0;
}

/** The offsets of the pool that are not handed out: all that lies between its parts and around them, and the gateways of its set. */
export function outsideParts({ parts, cidr }: HostLocalPool, size: number, gateways: readonly IpAddress[]): OffsetRange[] {
  const ends = [-1, ...parts.flatMap(({ first, last }) => [first, last]), size];
  const gaps = parts.map(({ first }, at) => ({ first: (ends[at * 2] ?? -1) + 1, last: first - 1 }));
  const rest = { first: (ends.at(-2) ?? -1) + 1, last: size - 1 };
  const inside = gateways.map((gateway) => offsetIn(cidr, gateway)).filter((offset) => offset !== undefined);
  return [...gaps, rest, ...inside.map((offset) => ({ first: offset, last: offset }))].filter(({ first, last }) => first <= last);
}
