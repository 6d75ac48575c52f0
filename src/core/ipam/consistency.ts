import { type Cidr, cidrSize, containsCidr, findCidr, findIp, offsetIn, overlaps } from "../base/ip.ts";
import { isSparse } from "./carve.ts";
import type { AddressRecord, BlockRecord, IpamTransaction, PoolRecord } from "./store.ts";

/** One thing that the tables say and that cannot be true, or should not. */
export interface Finding {
  readonly pool: string;
  /** A block, an address or an owner. */
  readonly subject: string;
  readonly problem: string;
  readonly remedy: string;
}

const REBUILD = "run a GC; if it stays, move state.db aside while no pod starts: it is rebuilt from HNS";

/** Compares the tables of pools, blocks and addresses with each other. Empty when they tell one story. */
export function findInconsistencies(tx: IpamTransaction): Finding[] {
  const pools = tx.listPools();
  const findings = pools.flatMap((pool) => checkPool(pool, tx.listBlocks(pool.id), tx.listAddresses(pool.id)));
  const isHeld = ({ state }: AddressRecord): boolean => state === "assigned" || state === "quarantined";
  const held = pools.flatMap((pool) => tx.listAddresses(pool.id).filter(isHeld));
  return [...findings, ...findTwiceHeld(held)];
}

function checkPool(pool: PoolRecord, blocks: readonly BlockRecord[], addresses: readonly AddressRecord[]): Finding[] {
  const find = (subject: string, problem: string, remedy = REBUILD): Finding => ({ pool: pool.id, subject, problem, remedy });
  const range = findCidr(pool.cidr);
  if (range === undefined) return [find(pool.cidr, "is no network")];
  const byBlock = Map.groupBy(addresses, ({ block }) => block);
  const known = new Set(blocks.map(({ cidr }) => cidr));
  const strays = [...byBlock].filter(([cidr]) => !known.has(cidr));
  return [
    ...strays.map(([cidr, rows]) => find(cidr, `is no block of the pool, and ${rows.length} addresses name it`)),
    ...findMisplaced(pool, range, blocks).map(({ cidr, problem }) => find(cidr, problem)),
    ...blocks.flatMap((block) => checkBlock(block, byBlock.get(block.cidr) ?? []).map(([subject, problem]) => find(subject, problem))),
    ...addresses.flatMap((record) => checkAddress(record).map((problem) => find(record.address, problem))),
  ];
}

/** Blocks outside the pool, beyond what it says is carved, or over each other. They come in order of their addresses. */
function findMisplaced(pool: PoolRecord, range: Cidr, blocks: readonly BlockRecord[]): { cidr: string; problem: string }[] {
  let before: Cidr | undefined;
  return blocks.flatMap(({ cidr: text }) => {
    const cidr = findCidr(text);
    if (cidr === undefined) return [{ cidr: text, problem: "is no network" }];
    const isOverlapping = before !== undefined && overlaps(before, cidr);
    before = cidr;
    if (!containsCidr(range, cidr)) return [{ cidr: text, problem: `lies outside the pool ${pool.cidr}` }];
    if (isOverlapping) return [{ cidr: text, problem: "overlaps the block before it" }];
    const end = (offsetIn(range, cidr.address) ?? 0) + cidrSize(cidr);
    return end > pool.carved && !isSparse(range)
      ? [{ cidr: text, problem: "lies beyond what the pool says is carved: it could be carved again" }]
      : [];
  });
}

function checkBlock(block: BlockRecord, rows: readonly AddressRecord[]): [string, string][] {
  const cidr = findCidr(block.cidr);
  if (cidr === undefined) return [];
  const found: [string, string][] = [];
  const held = rows.filter(({ state }) => state !== "free").length;
  if (held !== block.held) found.push([block.cidr, `says that ${block.held} addresses are held, and ${held} are`]);
  if (block.usable > cidrSize(cidr)) found.push([block.cidr, `says that ${block.usable} of its ${cidrSize(cidr)} addresses are usable`]);
  let below = 0;
  for (const { address } of rows) {
    const ip = findIp(address);
    const offset = ip === undefined ? undefined : offsetIn(cidr, ip);
    if (offset === undefined) found.push([address, `lies outside its block ${block.cidr}`]);
    else if (offset >= block.next) found.push([address, `is known although its block ${block.cidr} says that it was never handed out`]);
    else below += 1;
  }
  const lost = block.next - below - (cidrSize(cidr) - block.usable);
  if (lost > 0) found.push([block.cidr, `has ${lost} addresses that are neither free nor held: lost, or not reserved any more`]);
  return found;
}

function checkAddress({ state, owner, released }: AddressRecord): string[] {
  if (state === "free") return owner === "" ? [] : [`is free and has the owner ${owner}`];
  if (state === "cooling") return released === undefined ? ["rests, and since when is not known"] : [];
  return owner === "" ? [`is ${state} and has no owner`] : [];
}

/** Pools may lie over each other; an address may be held in one of them. */
function findTwiceHeld(held: readonly AddressRecord[]): Finding[] {
  const groups = [...Map.groupBy(held, ({ address }) => address)].filter(([, rows]) => rows.length > 1);
  return groups.map(([address, rows]) => ({
    pool: rows.map(({ pool }) => pool).join(", "),
    subject: address,
    problem: `has ${rows.length} owners: ${rows.map(({ owner }) => owner).join(", ")}`,
    remedy: "give the networks ranges that do not overlap, and restart one of the pods",
  }));
}
