import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GroupFlush, type SyncFile } from "../../../src/host/state/group-flush.ts";

describe("group flush", () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hns-cni-flush-"));
    path = join(folder, "state.db");
    writeFileSync(`${path}-wal`, "journal");
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A disk whose flushes end when the test says so. */
  function slowDisk(): { sync: SyncFile; ends: (() => void)[] } {
    const ends: (() => void)[] = [];
    return { ends, sync: () => new Promise<void>((resolve) => ends.push(resolve)) };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  async function begun(ends: readonly unknown[], count: number): Promise<void> {
    while (ends.length < count) await turn();
  }

  test("callers who come during a flush share the next one, and are not told of the one that began before they wrote", async () => {
    const { sync, ends } = slowDisk();
    const flush = new GroupFlush(path, sync);
    const done: string[] = [];
    const call = (name: string): Promise<void> => flush.flush().then(() => void done.push(name));
    const first = call("first");
    await begun(ends, 1);
    const others = [call("second"), call("third"), call("fourth")];
    for (let turns = 0; turns < 20; turns++) await turn();
    expect(ends).toHaveLength(1); // one at a time
    ends[0]?.();
    await first;
    await begun(ends, 2);
    expect(done).toEqual(["first"]);
    ends[1]?.();
    await Promise.all(others);
    expect(done).toEqual(["first", "second", "third", "fourth"]);
  });

  test("a flush that fails fails its callers with STATE_FAILURE, and the next begins anew", async () => {
    const outcomes: (() => Promise<void>)[] = [() => Promise.reject(new Error("EIO")), () => Promise.resolve()];
    const flush = new GroupFlush(path, () => (outcomes.shift() ?? (() => Promise.resolve()))());
    await expect(flush.flush()).rejects.toMatchObject({ code: "STATE_FAILURE", retryable: true });
    await flush.flush();
    expect(outcomes).toEqual([]);
  });

  test("a journal that is not there is a STATE_FAILURE that names it", async () => {
    unlinkSync(`${path}-wal`);
    await expect(new GroupFlush(path).flush()).rejects.toMatchObject({
      code: "STATE_FAILURE",
      message: expect.stringContaining("-wal") as unknown,
    });
  });

  test("the real one flushes", async () => {
    await new GroupFlush(path).flush();
  });
});
