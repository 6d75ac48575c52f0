import type { BlockClaim, BlockStore } from "../../core/ipam/block-store.ts";
import { sortClaims } from "../../core/ipam/memory-block-store.ts";
import { integer, text, verified } from "./columns.ts";
import type { Database } from "./database.ts";
import type { Row } from "./row.ts";

const CLAIM = ["pool", "cidr", "node", "version"];

/** Claims in state.db. Each method is one transaction; a claim's version is never used again for its block. */
export class SqliteBlockStore implements BlockStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async list(pool: string, node?: string): Promise<BlockClaim[]> {
    const sql = "SELECT * FROM block_claims WHERE pool = ?";
    if (node === undefined) return sortClaims(this.#database.all(sql, parseClaim, pool));
    return sortClaims(this.#database.all(`${sql} AND node = ?`, parseClaim, pool, node));
  }

  async find(pool: string, cidr: string): Promise<BlockClaim | undefined> {
    return this.#database.get("SELECT * FROM block_claims WHERE pool = ? AND cidr = ?", parseClaim, pool, cidr);
  }

  async claim(pool: string, cidr: string, node: string): Promise<BlockClaim | undefined> {
    return this.#database.transaction("BEGIN IMMEDIATE", () => {
      const find = "SELECT cidr FROM block_claims WHERE pool = ? AND cidr = ?";
      if (this.#database.get(find, (row) => text(row, "cidr"), pool, cidr) !== undefined) return undefined;
      const count = "INSERT INTO claim_versions (pool, last) VALUES (?, 1) ON CONFLICT (pool) DO UPDATE SET last = last + 1 RETURNING last";
      const version = this.#database.get(count, (row) => integer(row, "last"), pool) ?? 1;
      this.#database.put("block_claims", CLAIM, [pool, cidr, node, version]);
      return { pool, cidr, node, version };
    });
  }

  async release({ pool, cidr, node, version }: BlockClaim): Promise<boolean> {
    const sql = "DELETE FROM block_claims WHERE pool = ? AND cidr = ? AND node = ? AND version = ?";
    return this.#database.run(sql, pool, cidr, node, version) === 1;
  }
}

function parseClaim(row: Row): BlockClaim {
  verified(row, CLAIM);
  return { pool: text(row, "pool"), cidr: text(row, "cidr"), node: text(row, "node"), version: integer(row, "version") };
}
