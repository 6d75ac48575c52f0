import { compareIp, findCidr, type IpAddress } from "../../core/base/ip.ts";
import {
  type AddressCounts,
  type AddressRecord,
  type AddressState,
  type BlockRecord,
  type Holder,
  type IpamTransaction,
  podKey,
  type PoolRecord,
  type ReleaseTime,
} from "../../core/ipam/store.ts";
import { flag, integer, text, textOrUndefined, verified } from "./columns.ts";
import type { Database } from "./database.ts";
import type { Cell, Row } from "./row.ts";

const POOL = ["id", "cidr", "carved", "version"];
const BLOCK = ["pool", "cidr", "usable", "held", "next", "version"];
const ADDRESS = ["pool", "address", "block", "state", "owner", "released_wall", "released_uptime", "released_boot"];
const HELD_ADDRESS = [...ADDRESS, "container", "ifname", "pod", "pod_uid", "sticky"];
const SURPLUS = ["pool", "since_wall", "since_uptime", "since_boot"];

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

  listRoomiest(pool: string, limit: number): BlockRecord[] {
    return this.#database.all(`SELECT * FROM blocks WHERE pool = ? AND held < usable ORDER BY held LIMIT ?`, parseBlock, pool, limit);
  }

  removeBlock(pool: string, cidr: string, expected: number): boolean {
    if (this.#database.run("DELETE FROM blocks WHERE pool = ? AND cidr = ? AND version = ? AND held = 0", pool, cidr, expected) === 0)
      return false;
    this.#database.run("DELETE FROM addresses WHERE pool = ? AND block = ? AND state = 'free'", pool, cidr);
    return true;
  }

  listBlocks(pool: string): BlockRecord[] {
    const blocks = this.#database.all("SELECT * FROM blocks WHERE pool = ?", parseBlock, pool);
    return blocks
      .map((block) => ({ block, at: findCidr(block.cidr)?.address }))
      .sort(byAddress)
      .map(({ block }) => block);
  }

  listAddresses(pool: string): AddressRecord[] {
    return this.#database.all("SELECT * FROM addresses WHERE pool = ?", parseAddress, pool);
  }

  findSurplus(pool: string): ReleaseTime | undefined {
    return this.#database.get("SELECT * FROM pool_surplus WHERE pool = ?", parseSurplus, pool);
  }

  putSurplus(pool: string, since: ReleaseTime | undefined): void {
    if (since === undefined) this.#database.run("DELETE FROM pool_surplus WHERE pool = ?", pool);
    else this.#database.put("pool_surplus", SURPLUS, [pool, since.wallMs, since.uptimeMs, since.bootId]);
  }

  findAddress(pool: string, address: string): AddressRecord | undefined {
    return this.#database.get(`SELECT * FROM addresses WHERE pool = ? AND address = ?`, parseAddress, pool, address);
  }

  findOldestFree(pool: string, block: string): AddressRecord | undefined {
    const where = "pool = ? AND block = ? AND state = 'free' ORDER BY sticky, released_wall LIMIT 1";
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

  listSticky(pod: string): AddressRecord[] {
    return this.#database.all("SELECT * FROM addresses WHERE pod = ? AND sticky = 1", parseAddress, pod);
  }

  putAddress(record: AddressRecord): void {
    const { pool, address, block, state, owner, released, holder } = record;
    const when = [released?.wallMs ?? null, released?.uptimeMs ?? null, released?.bootId ?? null];
    const row = [pool, address, block, state, owner, ...when];
    if (holder === undefined) this.#database.put("addresses", ADDRESS, row);
    else this.#database.put("addresses", HELD_ADDRESS, [...row, ...holderCells(holder)]);
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

function byAddress(left: { at: IpAddress | undefined }, right: { at: IpAddress | undefined }): number {
  return left.at === undefined || right.at === undefined ? 0 : compareIp(left.at, right.at);
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

function holderCells({ containerId, ifname, pod, isSticky }: Holder): Cell[] {
  return [containerId, ifname, pod === undefined ? null : podKey(pod), pod?.uid ?? null, isSticky ? 1 : 0];
}

/** Undefined for rows without a holder, which is also how rows of before schema version 4 are. */
function parseHolder(row: Row): Holder | undefined {
  const containerId = textOrUndefined(row, "container");
  if (containerId === undefined) return undefined;
  const [pod, uid] = [textOrUndefined(row, "pod"), textOrUndefined(row, "pod_uid")];
  const at = pod?.indexOf("/") ?? 0;
  const identity =
    pod === undefined ? {} : { pod: { namespace: pod.slice(0, at), name: pod.slice(at + 1), ...(uid !== undefined && { uid }) } };
  return { containerId, ifname: text(row, "ifname"), ...identity, isSticky: flag(row, "sticky") };
}

function parseAddress(row: Row): AddressRecord {
  verified(row, row["container"] === null ? ADDRESS : HELD_ADDRESS);
  const holder = parseHolder(row);
  return {
    pool: text(row, "pool"),
    address: text(row, "address"),
    block: text(row, "block"),
    state: parseState(row),
    owner: text(row, "owner"),
    released: parseRelease(row),
    ...(holder !== undefined && { holder }),
  };
}

function parseRelease(row: Row): ReleaseTime | undefined {
  if (row["released_wall"] === null) return undefined;
  return { wallMs: integer(row, "released_wall"), uptimeMs: integer(row, "released_uptime"), bootId: text(row, "released_boot") };
}

function parseSurplus(row: Row): ReleaseTime {
  verified(row, SURPLUS);
  return { wallMs: integer(row, "since_wall"), uptimeMs: integer(row, "since_uptime"), bootId: text(row, "since_boot") };
}
