import type {
  AddressCounts,
  AddressRecord,
  AddressState,
  BlockRecord,
  IpamTransaction,
  PoolRecord,
  ReleaseTime,
} from "../../core/ipam/store.ts";
import { integer, text, verified } from "./columns.ts";
import type { Database } from "./database.ts";
import type { Row } from "./row.ts";

const POOL = ["id", "cidr", "carved", "version"];
const BLOCK = ["pool", "cidr", "usable", "held", "next", "version"];
const ADDRESS = ["pool", "address", "block", "state", "owner", "released_wall", "released_uptime", "released_boot"];

/** The IPAM tables. Every query uses an index whose size does not matter, so the cost does not grow with the addresses held. */
export class SqliteIpamTransaction implements IpamTransaction {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  findPool(id: string): PoolRecord | undefined {
    return this.#database.get("SELECT * FROM pools WHERE id = ?", parsePool, id);
  }

  listPools(): PoolRecord[] {
    return this.#database.all("SELECT * FROM pools ORDER BY id", parsePool);
  }

  swapPool(pool: PoolRecord, expected: number | undefined): boolean {
    if (this.findPool(pool.id)?.version !== expected) return false;
    this.#database.put("pools", POOL, [pool.id, pool.cidr, pool.carved, pool.version]);
    return true;
  }

  findBlock(pool: string, cidr: string): BlockRecord | undefined {
    return this.#database.get(`SELECT * FROM blocks WHERE pool = ? AND cidr = ?`, parseBlock, pool, cidr);
  }

  findFullestBlock(pool: string): BlockRecord | undefined {
    const sql = `SELECT * FROM blocks WHERE pool = ? AND held < usable ORDER BY held DESC LIMIT 1`;
    return this.#database.get(sql, parseBlock, pool);
  }

  swapBlock(block: BlockRecord, expected: number | undefined): boolean {
    const { pool, cidr, usable, held, next, version } = block;
    if (this.findBlock(pool, cidr)?.version !== expected) return false;
    this.#database.put("blocks", BLOCK, [pool, cidr, usable, held, next, version]);
    return true;
  }

  findAddress(pool: string, address: string): AddressRecord | undefined {
    return this.#database.get(`SELECT * FROM addresses WHERE pool = ? AND address = ?`, parseAddress, pool, address);
  }

  findOldestFree(pool: string, block: string): AddressRecord | undefined {
    const where = "pool = ? AND block = ? AND state = 'free' ORDER BY released_wall LIMIT 1";
    return this.#database.get(`SELECT * FROM addresses WHERE ${where}`, parseAddress, pool, block);
  }

  listCooling(pool: string, bootId: string, limit: number): AddressRecord[] {
    const cooling = `SELECT * FROM addresses WHERE pool = ? AND state = 'cooling'`;
    const order = "ORDER BY released_uptime LIMIT ?";
    const older = ["<", ">"].flatMap((than) =>
      this.#database.all(`${cooling} AND released_boot ${than} ? ${order}`, parseAddress, pool, bootId, limit),
    );
    return [...older, ...this.#database.all(`${cooling} AND released_boot = ? ${order}`, parseAddress, pool, bootId, limit)].slice(
      0,
      limit,
    );
  }

  listOwned(owner: string): AddressRecord[] {
    return this.#database.all(`SELECT * FROM addresses WHERE owner = ? AND owner <> ''`, parseAddress, owner);
  }

  putAddress(record: AddressRecord): void {
    const { pool, address, block, state, owner, released } = record;
    const when = [released?.wallMs ?? null, released?.uptimeMs ?? null, released?.bootId ?? null];
    this.#database.put("addresses", ADDRESS, [pool, address, block, state, owner, ...when]);
  }

  removeAddress(pool: string, address: string): void {
    this.#database.run("DELETE FROM addresses WHERE pool = ? AND address = ?", pool, address);
  }

  countAddresses(pool: string): AddressCounts {
    const counts = { free: 0, assigned: 0, cooling: 0, quarantined: 0 };
    const sql = "SELECT state, count(*) AS total FROM addresses WHERE pool = ? GROUP BY state";
    for (const [state, total] of this.#database.all(sql, (row) => [parseState(row), integer(row, "total")] as const, pool))
      counts[state] = total;
    return counts;
  }
}

const STATES: readonly string[] = ["free", "assigned", "cooling", "quarantined"] satisfies AddressState[];

function parseState(row: Row): AddressState {
  return text(row, "state", STATES) as AddressState;
}

function parsePool(row: Row): PoolRecord {
  verified(row, POOL);
  return { id: text(row, "id"), cidr: text(row, "cidr"), carved: integer(row, "carved"), version: integer(row, "version") };
}

function parseBlock(row: Row): BlockRecord {
  verified(row, BLOCK);
  return {
    pool: text(row, "pool"),
    cidr: text(row, "cidr"),
    usable: integer(row, "usable"),
    held: integer(row, "held"),
    next: integer(row, "next"),
    version: integer(row, "version"),
  };
}

function parseAddress(row: Row): AddressRecord {
  verified(row, ADDRESS);
  return {
    pool: text(row, "pool"),
    address: text(row, "address"),
    block: text(row, "block"),
    state: parseState(row),
    owner: text(row, "owner"),
    released: parseRelease(row),
  };
}

function parseRelease(row: Row): ReleaseTime | undefined {
  if (row["released_wall"] === null) return undefined;
  return { wallMs: integer(row, "released_wall"), uptimeMs: integer(row, "released_uptime"), bootId: text(row, "released_boot") };
}
