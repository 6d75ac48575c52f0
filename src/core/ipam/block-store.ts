import { addressAt, type Cidr, formatCidr, networkOf, width } from "../base/ip.ts";

/** One block of a pool, and the node that has it. */
export interface BlockClaim {
  readonly pool: string;
  readonly cidr: string;
  readonly node: string;
  readonly version: number;
}

/**
 * Which node has which block of the pools that nodes share. Every write compares and swaps, so a store needs no locks: one that many
 * nodes write to at once keeps the promise that a block has one owner. Methods throw STATE_FAILURE when the store cannot be used.
 */
export interface BlockStore {
  /** The blocks of a pool, of one node or of all, lowest address first. */
  list(pool: string, node?: string): Promise<BlockClaim[]>;
  find(pool: string, cidr: string): Promise<BlockClaim | undefined>;
  /** Claims a block that nobody has; undefined when somebody has it, be it the same node. */
  claim(pool: string, cidr: string, node: string): Promise<BlockClaim | undefined>;
  /** Gives up `claim`; false when the store holds another version of it, or none. */
  release(claim: BlockClaim): Promise<boolean>;
}

export interface SharedPool {
  readonly id: string;
  readonly cidr: Cidr;
  readonly blockPrefix: number;
}

/** A claim that came true, and how many blocks were found taken on the way. */
export interface ClaimOutcome {
  readonly claim: BlockClaim;
  readonly retries: number;
}

/**
 * Claims one more block of the pool for the node. Nodes begin at places of their own and go on from there, so that they seldom meet;
 * `start` is how many blocks past its place the node has come. Undefined when every block is taken.
 */
export async function claimNextBlock(store: BlockStore, pool: SharedPool, node: string, start = 0): Promise<ClaimOutcome | undefined> {
  const count = countBlocks(pool);
  const home = hashName(node) % count;
  for (let retries = 0; retries < count; retries++) {
    const cidr = formatCidr(blockAt(pool, (home + start + retries) % count));
    const claim = await store.claim(pool.id, cidr, node);
    if (claim !== undefined) return { claim, retries };
  }
  return undefined;
}

export function countBlocks({ cidr, blockPrefix }: SharedPool): number {
  return 2 ** (Math.max(blockPrefix, cidr.prefix) - cidr.prefix);
}

/** The block of the pool with this index, counted from its lowest address. */
export function blockAt({ cidr, blockPrefix }: SharedPool, index: number): Cidr {
  const prefix = Math.max(blockPrefix, cidr.prefix);
  const size = 2 ** (width(cidr.address.family) - prefix);
  return networkOf(addressAt(cidr, index * size), prefix);
}

/** FNV-1a, 32 bits, with a last mixing: names that differ in their end alone must not be neighbours. */
function hashName(name: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
