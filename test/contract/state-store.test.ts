import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { StateStore } from "../../src/core/engine/store.ts";
import { checksum } from "../../src/host/state/columns.ts";
import { Database, encodeVersion } from "../../src/host/state/database.ts";
import { MIGRATIONS } from "../../src/host/state/schema.ts";
import { SqliteStateStore } from "../../src/host/state/sqlite-store.ts";
import { ADDRESS, ATTACHMENT, BLOCK, describeStateStore, guid, LEASE, NETWORK, POOL } from "./state-store.contract.ts";
import { containing, errorWith } from "../support/matchers.ts";

let folder = "";
let files = 0;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hns-state-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function freshPath(): string {
  files += 1;
  return join(folder, `${files}`, "state.db");
}

function open(path: string, busyTimeoutMs = 0): StateStore {
  return new SqliteStateStore(Database.open({ path, busyTimeoutMs }));
}

/** A store with one record of each kind, closed again. */
function fill(path: string): void {
  const store = open(path);
  store.transaction((tx) => {
    tx.swapPool(POOL, undefined);
    tx.swapBlock(BLOCK, undefined);
    tx.putAddress({ ...ADDRESS, released: { wallMs: 1, uptimeMs: 2, bootId: "b" } });
    tx.putAttachment(ATTACHMENT);
    tx.putLease(LEASE);
    tx.putLeak({ attachment: guid(1), life: 1, since: { wallMs: 1, uptimeMs: 2, bootId: "b" } });
    tx.putNetwork(NETWORK);
  });
  store.close();
}

function withSql<T>(path: string, work: (database: DatabaseSync) => T): T {
  const database = new DatabaseSync(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

describeStateStore("SQLite in a file", () => open(freshPath()));
describeStateStore("SQLite in memory", () => open(":memory:"));

describe("state.db", () => {
  test("keeps everything when it is opened again", () => {
    const path = freshPath();
    fill(path);
    const store = open(path);
    expect(store.read((tx) => [tx.findAttachment(ATTACHMENT.id), tx.findLease(LEASE.attachment), tx.findNetwork("pods")])).toEqual([
      ATTACHMENT,
      LEASE,
      NETWORK,
    ]);
    store.close();
  });

  test("is one state for two processes: what one commits the other sees, and what it rolls back not", () => {
    const path = freshPath();
    const [one, two] = [open(path), open(path)];
    one.transaction((tx) => tx.putNetwork(NETWORK));
    expect(two.read((tx) => tx.findNetwork("pods"))).toEqual(NETWORK);
    expect(() => one.transaction((tx) => (tx.putAttachment(ATTACHMENT), fail()))).toThrow();
    expect(two.read((tx) => tx.findAttachment(ATTACHMENT.id))).toBeUndefined();
    one.close();
    two.close();
  });

  test("a writer keeps other writers out and no reader; who waits too long gets a retryable STATE_FAILURE", () => {
    const path = freshPath();
    const [one, two] = [open(path), open(path, 1)];
    one.transaction((tx) => {
      tx.putNetwork(NETWORK);
      expect(two.read((other) => other.findNetwork("pods"))).toBeUndefined();
      expect(() => two.transaction(() => undefined)).toThrow(errorWith({ code: "STATE_FAILURE", retryable: true }));
    });
    two.transaction((tx) => expect(tx.findNetwork("pods")).toEqual(NETWORK));
    one.close();
    two.close();
  });

  test("a reader sees one state, whatever others commit meanwhile", () => {
    const path = freshPath();
    const [one, two] = [open(path), open(path)];
    two.read((reader) => {
      expect(reader.findNetwork("pods")).toBeUndefined();
      one.transaction((tx) => tx.putNetwork(NETWORK));
      expect(reader.findNetwork("pods")).toBeUndefined();
    });
    expect(two.read((tx) => tx.findNetwork("pods"))).toEqual(NETWORK);
    one.close();
    two.close();
  });

  test("a compare-and-swap loses against another process", () => {
    const path = freshPath();
    fill(path);
    const [one, two] = [open(path), open(path)];
    const seen = two.read((tx) => tx.findBlock(POOL.id, BLOCK.cidr));
    one.transaction((tx) => expect(tx.swapBlock({ ...BLOCK, held: 2, version: 2 }, 1)).toBe(true));
    two.transaction((tx) => expect(tx.swapBlock({ ...BLOCK, held: 3, version: 2 }, seen?.version)).toBe(false));
    expect(two.read((tx) => tx.findBlock(POOL.id, BLOCK.cidr)?.held)).toBe(2);
    one.close();
    two.close();
  });

  test("is brought from an empty file to the newest schema, once", () => {
    const path = freshPath();
    open(path).close();
    expect(withSql(path, (database) => database.prepare("PRAGMA user_version").get())).toEqual({
      user_version: encodeVersion(MIGRATIONS.length),
    });
    const before = readFileSync(path);
    open(path).close();
    expect(readFileSync(path)).toEqual(before);
  });

  test("of schema version 3 keeps its addresses, whose owners nothing more is known of", () => {
    const path = freshPath();
    mkdirSync(dirname(path), { recursive: true });
    const row = [POOL.id, ADDRESS.address, BLOCK.cidr, "cooling", ADDRESS.owner, 1, 2.5, "boot-1"];
    withSql(path, (database) => {
      database.exec(MIGRATIONS.slice(0, 3).join("\n"));
      database.exec(`PRAGMA user_version = ${encodeVersion(3)}`);
      database.prepare("INSERT INTO addresses VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)").run(...row, checksum(row));
    });
    const store = open(path);
    const released = { wallMs: 1, uptimeMs: 2.5, bootId: "boot-1" };
    const old = { ...ADDRESS, state: "cooling", released } as const;
    expect(store.read((tx) => tx.listCooling(POOL.id, "boot-1", 9))).toEqual([old]);
    const holder = { containerId: "c1", ifname: "eth0", isSticky: false };
    store.transaction((tx) => tx.putAddress({ ...old, holder }));
    expect(store.read((tx) => tx.findAddress(POOL.id, ADDRESS.address))).toEqual({ ...old, holder });
    store.close();
  });

  test("of a newer version is refused and not changed", () => {
    const path = freshPath();
    fill(path);
    withSql(path, (database) => database.exec(`PRAGMA user_version = ${encodeVersion(MIGRATIONS.length + 1)}`));
    expect(() => open(path)).toThrow(errorWith({ code: "STATE_FAILURE", message: containing(`schema version ${MIGRATIONS.length + 1}`) }));
    expect(withSql(path, (database) => database.prepare("SELECT count(*) AS n FROM attachments").get())).toEqual({ n: 1 });
  });

  test("whose version has any bit flipped is damaged, not of a newer version", () => {
    const path = freshPath();
    fill(path);
    for (let bit = 0; bit < 31; bit++) {
      withSql(path, (database) => database.exec(`PRAGMA user_version = ${encodeVersion(MIGRATIONS.length) ^ (1 << bit)}`));
      expect(() => open(path)).toThrow(errorWith({ code: "STATE_DAMAGED" }));
    }
  });

  test.each<[string, string, (store: StateStore) => unknown]>([
    [
      "an attachment's address of HNS",
      "UPDATE attachments SET endpoint = 'no guid'",
      (store) => store.read((tx) => tx.findAttachment(ATTACHMENT.id)),
    ],
    [
      "an attachment's result",
      "UPDATE attachments SET result = 'x' || result",
      (store) => store.read((tx) => tx.listAttachments({ network: "pods" })),
    ],
    [
      "an address's owner",
      "UPDATE addresses SET owner = 'somebody'",
      (store) => store.read((tx) => tx.findAddress(POOL.id, ADDRESS.address)),
    ],
    ["an address's release", "UPDATE addresses SET released_boot = 'other'", (store) => store.read((tx) => tx.listOwned(ADDRESS.owner))],
    [
      "an address's pod",
      "UPDATE addresses SET container = 'c1', ifname = 'eth0', pod = 'shop/db-0'",
      (store) => store.read((tx) => tx.listOwned(ADDRESS.owner)),
    ],
    ["a block's count", "UPDATE blocks SET held = 7", (store) => store.read((tx) => tx.findFullestBlock(POOL.id))],
    ["a pool's progress", "UPDATE pools SET carved = 0", (store) => store.read((tx) => tx.findPool(POOL.id))],
    ["a lease's holder", "UPDATE leases SET pid = 1", (store) => store.read((tx) => tx.findLease(LEASE.attachment))],
    ["a leak's age", "UPDATE leaks SET since_wall = 0", (store) => store.read((tx) => tx.listLeaks())],
    ["a network's id", "UPDATE networks SET hns_id = NULL", (store) => store.read((tx) => tx.findNetwork("pods"))],
  ])("that holds a damaged value, %s, is STATE_DAMAGED, never a guess", (_what, sql, read) => {
    const path = freshPath();
    fill(path);
    withSql(path, (database) => database.exec(sql));
    const store = open(path);
    expect(() => read(store)).toThrow(errorWith({ code: "STATE_DAMAGED" }));
    store.close();
  });

  test("that is no database is STATE_DAMAGED", () => {
    const path = freshPath();
    fill(path);
    writeFileSync(path, Buffer.alloc(8_192, 0x5a));
    expect(() => open(path)).toThrow(errorWith({ code: "STATE_DAMAGED" }));
  });

  test("that cannot be made is STATE_FAILURE naming the path", () => {
    const path = join(folder, "a-file", "state.db");
    writeFileSync(join(folder, "a-file"), "");
    expect(() => open(path)).toThrow(errorWith({ code: "STATE_FAILURE", message: containing(path) }));
  });
});

/** A database that notes every statement run on it; `plans` tells how SQLite means to run those since it was last asked. */
function openNoting(path: string): { database: Database; plans: () => string[] } {
  const database = Database.open({ path, busyTimeoutMs: 0 });
  const statements: string[] = [];
  for (const method of ["get", "all", "run"] as const) {
    const original = database[method].bind(database) as (...args: unknown[]) => unknown;
    const noting = (sql: string, ...rest: unknown[]): unknown => {
      statements.push(sql);
      return original(sql, ...rest);
    };
    Object.defineProperty(database, method, { value: noting });
  }
  const explain = (raw: DatabaseSync, sql: string): string => {
    const values = Array<null>(sql.split("?").length - 1).fill(null);
    return raw
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...values)
      .map((row) => String(row["detail"]))
      .join("; ");
  };
  return { database, plans: () => withSql(path, (raw) => statements.splice(0).map((sql) => explain(raw, sql))) };
}

describe("the cost of a query does not grow with the addresses held:", () => {
  test.each<[string, (store: StateStore) => unknown, RegExp]>([
    ["findFullestBlock", (store) => store.read((tx) => tx.findFullestBlock(POOL.id)), /INDEX blocks_with_room/],
    ["listRoomiest", (store) => store.read((tx) => tx.listRoomiest(POOL.id, 9)), /INDEX blocks_with_room/],
    ["removeBlock", (store) => store.transaction((tx) => tx.removeBlock(POOL.id, BLOCK.cidr, 1)), /PRIMARY KEY|INDEX addresses_free/],
    ["findSurplus", (store) => store.read((tx) => tx.findSurplus(POOL.id)), /PRIMARY KEY/],
    ["findOldestFree", (store) => store.read((tx) => tx.findOldestFree(POOL.id, BLOCK.cidr)), /INDEX addresses_free/],
    ["listCooling", (store) => store.read((tx) => tx.listCooling(POOL.id, "b", 16)), /INDEX addresses_cooling/],
    ["listOwned", (store) => store.read((tx) => tx.listOwned(guid(1))), /INDEX addresses_by_owner/],
    ["listSticky", (store) => store.read((tx) => tx.listSticky("shop/db-0")), /INDEX addresses_by_pod/],
    ["pruneGone", (store) => store.transaction((tx) => tx.pruneGone(1)), /INDEX attachments_gone/],
    [
      "listAttachments",
      (store) => store.read((tx) => tx.listAttachments({ network: "pods", phases: ["intent", "attached"] })),
      /INDEX attachments_by_network \(network=\? AND phase=\?\)/,
    ],
    ["findAttachment", (store) => store.read((tx) => tx.findAttachment(guid(1))), /PRIMARY KEY/],
  ])("%s", (_name, ask, index) => {
    const { database, plans } = openNoting(freshPath());
    const store = new SqliteStateStore(database);
    plans();
    ask(store);
    const found = plans();
    expect(found.length).toBeGreaterThan(0);
    for (const plan of found) {
      expect(plan).toMatch(index);
      expect(plan).toMatch(/^SEARCH/);
      // Of the two halves for other boots each is in the index's order by boot; sorting those is bounded by what cools from before.
      if (index.source !== "INDEX addresses_cooling") expect(plan).not.toContain("TEMP B-TREE");
    }
    store.close();
  });
});

test("attachments are counted by their index alone", () => {
  const { database, plans } = openNoting(freshPath());
  const store = new SqliteStateStore(database);
  plans();
  store.read((tx) => tx.countAttachments());
  expect(plans()).toEqual([expect.stringContaining("COVERING INDEX attachments_by_network")]);
  store.close();
});

function fail(): never {
  throw new Error("on purpose");
}
