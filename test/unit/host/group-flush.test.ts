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

  /** A disk that is done at once, and a database of which the test says how often it was committed to. */
  function quickDisk(): { counts: { commits: number; flushes: number }; flush: GroupFlush } {
    const counts = { commits: 0, flushes: 0 };
    const sync = (): Promise<void> => {
      counts.flushes++;
      return Promise.resolve();
    };
    return { counts, flush: new GroupFlush(path, { countCommits: () => counts.commits, sync }) };
  }

  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  async function begun(ends: readonly unknown[], count: number): Promise<void> {
    while (ends.length < count) await turn();
  }

  test("callers who come during a flush share the next one, and are not told of the one that began before they wrote", async () => {
    const { sync, ends } = slowDisk();
    let commits = 1;
    const flush = new GroupFlush(path, { countCommits: () => commits, sync });
    const done: string[] = [];
    const call = (name: string): Promise<void> => flush.flush().then(() => void done.push(name));
    const first = call("first");
    await begun(ends, 1);
    commits++;
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

  test("who asks during a flush that began after the last commit shares that one", async () => {
    const { sync, ends } = slowDisk();
    const flush = new GroupFlush(path, { countCommits: () => 1, sync });
    const both = [flush.flush(), flush.flush()];
    await begun(ends, 1);
    both.push(flush.flush());
    ends[0]?.();
    await Promise.all(both);
    expect(ends).toHaveLength(1);
  });

  test("the first flush is made in any case, and then one for each commit that was not flushed yet", async () => {
    const { counts, flush } = quickDisk();
    await flush.flush();
    await flush.flush();
    expect(counts.flushes).toBe(1);
    counts.commits++;
    await flush.flush();
    await flush.flush();
    expect(counts.flushes).toBe(2);
  });

  test("a commit during a flush is flushed by the next one, also when nobody asked for that before the first was over", async () => {
    const { sync, ends } = slowDisk();
    let commits = 1;
    const flush = new GroupFlush(path, { countCommits: () => commits, sync });
    const first = flush.flush();
    await begun(ends, 1);
    commits++;
    ends[0]?.();
    await first;
    const second = flush.flush();
    await begun(ends, 2);
    ends[1]?.();
    await second;
    await flush.flush();
    expect(ends).toHaveLength(2);
  });

  test("a flush that failed covers nothing", async () => {
    let flushes = 0;
    const sync = (): Promise<void> => (++flushes === 1 ? Promise.reject(new Error("EIO")) : Promise.resolve());
    const flush = new GroupFlush(path, { countCommits: () => 1, sync });
    await expect(flush.flush()).rejects.toMatchObject({ code: "STATE_FAILURE" });
    await flush.flush();
    await flush.flush();
    expect(flushes).toBe(2);
  });

  test("a flush that fails fails its callers with STATE_FAILURE, and the next begins anew", async () => {
    const outcomes: (() => Promise<void>)[] = [() => Promise.reject(new Error("EIO")), () => Promise.resolve()];
    const flush = new GroupFlush(path, { countCommits: () => 1, sync: () => (outcomes.shift() ?? (() => Promise.resolve()))() });
    await expect(flush.flush()).rejects.toMatchObject({ code: "STATE_FAILURE", retryable: true });
    await flush.flush();
    expect(outcomes).toEqual([]);
  });

  test("a journal that is not there is a STATE_FAILURE that names it", async () => {
    unlinkSync(`${path}-wal`);
    await expect(new GroupFlush(path, { countCommits: () => 1 }).flush()).rejects.toMatchObject({
      code: "STATE_FAILURE",
      message: expect.stringContaining("-wal") as unknown,
    });
  });

  test("the real one flushes", async () => {
    await new GroupFlush(path, { countCommits: () => 1 }).flush();
  });
});
