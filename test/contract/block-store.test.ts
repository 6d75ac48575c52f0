import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemoryBlockStore } from "../../src/core/ipam/memory-block-store.ts";
import { Database } from "../../src/host/state/database.ts";
import { SqliteBlockStore } from "../../src/host/state/sqlite-block-store.ts";
import { errorWith } from "../support/matchers.ts";
import { describeBlockStore } from "./block-store.contract.ts";

function openSqlite(path: string): { store: SqliteBlockStore; database: Database; close(): void } {
  const database = Database.open({ path, busyTimeoutMs: 5_000 });
  return { store: new SqliteBlockStore(database), database, close: () => database.close() };
}

describeBlockStore("memory", () => ({ store: new MemoryBlockStore(), close: () => undefined }));
describeBlockStore("SQLite", () => openSqlite(":memory:"));

describe("block claims in state.db", () => {
  const folder = mkdtempSync(join(tmpdir(), "hns-blocks-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  test("are one for two processes, and stay", async () => {
    const path = join(folder, "a", "state.db");
    const [one, two] = [openSqlite(path), openSqlite(path)];
    const claim = await one.store.claim("p", "10.0.0.0/26", "a");
    expect(await two.store.claim("p", "10.0.0.0/26", "b")).toBeUndefined();
    one.close();
    two.close();
    const again = openSqlite(path);
    expect(await again.store.list("p")).toEqual([claim]);
    again.close();
  });

  test("that are damaged are STATE_DAMAGED, never a guess", async () => {
    const { store, database, close } = openSqlite(":memory:");
    await store.claim("p", "10.0.0.0/26", "a");
    database.run("UPDATE block_claims SET node = 'b'");
    await expect(store.find("p", "10.0.0.0/26")).rejects.toThrow(errorWith({ code: "STATE_DAMAGED" }));
    close();
  });
});
