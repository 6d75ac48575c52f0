import type { Attachment, Phase } from "../../core/engine/attachment.ts";
import type {
  LeakRecord,
  LeaseRecord,
  NetworkRecord,
  PlaceRecord,
  RequestRecord,
  StateStore,
  StateTransaction,
  WaiterRecord,
} from "../../core/engine/store.ts";
import { findGuid, type Guid } from "../../core/base/ids.ts";
import type { Database } from "./database.ts";
import type { Row } from "./row.ts";
import { SqliteIpamTransaction } from "./sqlite-ipam.ts";
import { flag, guid, guidOrUndefined, integer, text, textOrUndefined, verified } from "./columns.ts";

/** The node's state in SQLite. One instance a process; every method is synchronous and short. */
export class SqliteStateStore implements StateStore {
  readonly #database: Database;
  readonly #transaction: SqliteTransaction;

  constructor(database: Database) {
    this.#database = database;
    this.#transaction = new SqliteTransaction(database);
  }

  transaction<T>(work: (tx: StateTransaction) => T): T {
    return this.#database.transaction("BEGIN IMMEDIATE", () => work(this.#transaction));
  }

  read<T>(work: (tx: StateTransaction) => T): T {
    return this.#database.transaction("BEGIN", () => work(this.#transaction));
  }

  close(): void {
    this.#database.close();
  }
}

const ATTACHMENT = ["id", "network", "container", "ifname", "netns", "endpoint", "phase", "result", "cancelled", "boot_id", "updated_at"];
const LEASE = ["attachment", "pid", "started_at", "boot_id", "expires_at"];
const LEAK = ["attachment", "life", "since_wall", "since_uptime", "since_boot"];
const NETWORK = ["name", "hns_id", "ours", "creating", "verified", "hns_version"];
const PLACE = ["network", "adapter", "management_ip"];
const REQUEST = ["id", "config", "program"];

class SqliteTransaction extends SqliteIpamTransaction implements StateTransaction {
  readonly #database: Database;

  constructor(database: Database) {
    super(database);
    this.#database = database;
  }

  findAttachment(id: Guid): Attachment | undefined {
    return this.#database.get(`SELECT * FROM attachments WHERE id = ?`, parseAttachment, id);
  }

  putAttachment(a: Attachment): void {
    const key = [a.id, a.network, a.containerId, a.ifname, a.netns, a.endpoint];
    this.#database.put("attachments", ATTACHMENT, [
      ...key,
      a.phase,
      a.result ?? null,
      a.isCancelled ? 1 : 0,
      a.bootId,
      Math.round(a.updatedAt),
    ]);
    if (a.phase === "gone") this.#database.run("DELETE FROM requests WHERE id = ?", a.id);
  }

  listAttachments({ network, phases }: { network?: string; phases?: readonly Phase[] }): Attachment[] {
    const conditions = [
      ...(network === undefined ? [] : ["network = ?"]),
      ...(phases === undefined ? [] : [`phase IN (${phases.map(() => "?").join(", ")})`]),
    ];
    const where = conditions.length === 0 ? "" : ` WHERE ${conditions.join(" AND ")}`;
    const values = [...(network === undefined ? [] : [network]), ...(phases ?? [])];
    return this.#database.all(`SELECT * FROM attachments${where}`, parseAttachment, ...values);
  }

  countAttachments(): Map<Phase, number> {
    const sql = "SELECT phase, count(*) AS total FROM attachments GROUP BY phase";
    return new Map(this.#database.all(sql, (row) => [parsePhase(row), integer(row, "total")] as const));
  }

  listOwnersWithoutAttachment(network: string): Guid[] {
    const sql = `SELECT DISTINCT owner FROM addresses WHERE substr(pool, 1, length(?1) + 1) = ?1 || '/' AND state IN ('assigned', 'quarantined')
      AND owner NOT IN (SELECT id FROM attachments WHERE phase <> 'gone')`;
    return this.#database.all(sql, (row) => findGuid(text(row, "owner")), network).filter((owner) => owner !== undefined);
  }

  pruneGone(before: number): void {
    this.#database.run("DELETE FROM attachments WHERE phase = 'gone' AND updated_at < ?", Math.round(before));
  }

  findLease(attachment: Guid): LeaseRecord | undefined {
    return this.#database.get("SELECT * FROM leases WHERE attachment = ?", parseLease, attachment);
  }

  putLease(lease: LeaseRecord): void {
    this.#database.put("leases", LEASE, [lease.attachment, lease.pid, lease.startedAt, lease.bootId, lease.expiresAt]);
  }

  removeLease(attachment: Guid): void {
    this.#database.run("DELETE FROM leases WHERE attachment = ?", attachment);
  }

  listLeases(): LeaseRecord[] {
    return this.#database.all("SELECT * FROM leases", parseLease);
  }

  listLeaks(): LeakRecord[] {
    return this.#database.all("SELECT * FROM leaks", parseLeak);
  }

  putLeak({ attachment, life, since }: LeakRecord): void {
    this.#database.put("leaks", LEAK, [attachment, Math.round(life), since.wallMs, since.uptimeMs, since.bootId]);
  }

  removeLeak(attachment: Guid): void {
    this.#database.run("DELETE FROM leaks WHERE attachment = ?", attachment);
  }

  addWaiter(waiter: Omit<WaiterRecord, "place">): number {
    const sql = "INSERT INTO waiters (pool, pid, started_at, boot_id) VALUES (?, ?, ?, ?) RETURNING place";
    const place = this.#database.get(sql, (row) => integer(row, "place"), waiter.pool, waiter.pid, waiter.startedAt, waiter.bootId);
    return place ?? 0;
  }

  listWaiters(pool: string): WaiterRecord[] {
    return this.#database.all("SELECT * FROM waiters WHERE pool = ? ORDER BY place", parseWaiter, pool);
  }

  removeWaiter(place: number): void {
    this.#database.run("DELETE FROM waiters WHERE place = ?", place);
  }

  findNetwork(name: string): NetworkRecord | undefined {
    return this.#database.get("SELECT * FROM networks WHERE name = ?", parseNetworkRecord, name);
  }

  putNetwork(record: NetworkRecord): void {
    const { name, id, isOurs, isCreating, verified: stamp, hnsVersion } = record;
    this.#database.put("networks", NETWORK, [name, id ?? null, isOurs ? 1 : 0, isCreating ? 1 : 0, stamp, hnsVersion]);
  }

  listNetworks(): NetworkRecord[] {
    return this.#database.all("SELECT * FROM networks ORDER BY name", parseNetworkRecord);
  }

  findPlace(network: string): PlaceRecord | undefined {
    return this.#database.get("SELECT * FROM places WHERE network = ?", parsePlace, network);
  }

  putPlace({ network, adapter, managementIp }: PlaceRecord): void {
    this.#database.put("places", PLACE, [network, adapter, managementIp]);
  }

  removePlace(network: string): void {
    this.#database.run("DELETE FROM places WHERE network = ?", network);
  }

  findRequest(id: Guid): RequestRecord | undefined {
    return this.#database.get("SELECT * FROM requests WHERE id = ?", parseRequest, id);
  }

  putRequest({ id, config, program }: RequestRecord): void {
    this.#database.put("requests", REQUEST, [id, config, program]);
  }
}

const PHASES: readonly string[] = ["intent", "created", "attached", "deleting", "gone"] satisfies Phase[];

function parseAttachment(row: Row): Attachment {
  verified(row, ATTACHMENT);
  return {
    id: guid(row, "id"),
    network: text(row, "network"),
    containerId: text(row, "container"),
    ifname: text(row, "ifname"),
    netns: text(row, "netns"),
    endpoint: guid(row, "endpoint"),
    phase: parsePhase(row),
    result: textOrUndefined(row, "result"),
    isCancelled: flag(row, "cancelled"),
    bootId: text(row, "boot_id"),
    updatedAt: integer(row, "updated_at"),
  };
}

function parsePhase(row: Row): Phase {
  return text(row, "phase", PHASES) as Phase; // one of them, or `text` throws
}

function parseLease(row: Row): LeaseRecord {
  verified(row, LEASE);
  return {
    attachment: guid(row, "attachment"),
    pid: integer(row, "pid"),
    startedAt: text(row, "started_at"),
    bootId: text(row, "boot_id"),
    expiresAt: integer(row, "expires_at"),
  };
}

function parseLeak(row: Row): LeakRecord {
  verified(row, LEAK);
  return {
    attachment: guid(row, "attachment"),
    life: integer(row, "life"),
    since: { wallMs: integer(row, "since_wall"), uptimeMs: integer(row, "since_uptime"), bootId: text(row, "since_boot") },
  };
}

function parseWaiter(row: Row): WaiterRecord {
  return {
    place: integer(row, "place"),
    pool: text(row, "pool"),
    pid: integer(row, "pid"),
    startedAt: text(row, "started_at"),
    bootId: text(row, "boot_id"),
  };
}

function parsePlace(row: Row): PlaceRecord {
  verified(row, PLACE);
  return { network: text(row, "network"), adapter: text(row, "adapter"), managementIp: text(row, "management_ip") };
}

function parseRequest(row: Row): RequestRecord {
  verified(row, REQUEST);
  return { id: guid(row, "id"), config: text(row, "config"), program: text(row, "program") };
}

function parseNetworkRecord(row: Row): NetworkRecord {
  verified(row, NETWORK);
  return {
    name: text(row, "name"),
    id: guidOrUndefined(row, "hns_id"),
    isOurs: flag(row, "ours"),
    isCreating: flag(row, "creating"),
    verified: text(row, "verified"),
    hnsVersion: text(row, "hns_version"),
  };
}
