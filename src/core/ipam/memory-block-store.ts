import { compareIp, findCidr } from "../base/ip.ts";
import type { BlockClaim, BlockStore } from "./block-store.ts";

/** Claims in this process alone: for simulations. */
export class MemoryBlockStore implements BlockStore {
  readonly #claims = new Map<string, BlockClaim>();
  #version = 0;

  async list(pool: string, node?: string): Promise<BlockClaim[]> {
    const found = [...this.#claims.values()].filter((claim) => claim.pool === pool && (node === undefined || claim.node === node));
    return sortClaims(found);
  }

  async find(pool: string, cidr: string): Promise<BlockClaim | undefined> {
    return this.#claims.get(key(pool, cidr));
  }

  async claim(pool: string, cidr: string, node: string): Promise<BlockClaim | undefined> {
    if (this.#claims.has(key(pool, cidr))) return undefined;
    this.#version += 1;
    const claim = { pool, cidr, node, version: this.#version };
    this.#claims.set(key(pool, cidr), claim);
    return claim;
  }

  async release(claim: BlockClaim): Promise<boolean> {
    const stored = this.#claims.get(key(claim.pool, claim.cidr));
    if (stored?.node !== claim.node || stored.version !== claim.version) return false;
    return this.#claims.delete(key(claim.pool, claim.cidr));
  }
}

/** Lowest address first. */
export function sortClaims(claims: readonly BlockClaim[]): BlockClaim[] {
  const placed = claims.flatMap((claim) => {
    const at = findCidr(claim.cidr)?.address;
    return at === undefined ? [] : [{ claim, at }];
  });
  return placed.sort((left, right) => compareIp(left.at, right.at)).map(({ claim }) => claim);
}

function key(pool: string, cidr: string): string {
  return `${pool}\0${cidr}`;
}
