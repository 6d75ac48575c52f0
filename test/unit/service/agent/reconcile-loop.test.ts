import type { PassOptions } from "../../../../src/core/engine/reconcile/reconciler.ts";
import type { ReconcileReport } from "../../../../src/core/engine/reconcile/report.ts";
import { ReconcileLoop } from "../../../../src/service/agent/reconcile-loop.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { silentLog } from "../../../support/silent-log.ts";

const WELL: ReconcileReport = { entries: [], endpoints: new Map(), foreign: new Map() };
const CUT_SHORT: ReconcileReport = {
  entries: [{ action: "look", outcome: "failed", network: "pods", subject: "", detail: "" }],
  endpoints: new Map(),
  foreign: new Map(),
};

describe("the looks at HNS", () => {
  let clock: FakeClock;
  let hnsStart: string;
  let looks: PassOptions[];
  let endings: (() => boolean)[];
  let pollMs: number;
  let starts: number;
  let answer: () => Promise<ReconcileReport>;
  let loop: ReconcileLoop;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    clock = new FakeClock();
    hnsStart = "1";
    looks = [];
    endings = [];
    pollMs = 2_000;
    starts = 0;
    answer = () => Promise.resolve(WELL);
    loop = new ReconcileLoop({
      clock,
      log: silentLog,
      intervalMs: 60_000,
      dryRun: false,
      hnsStart: () => hnsStart,
      pollMs: () => pollMs,
      onStart: () => {
        starts++;
      },
      pass: ({ dryRun, isFull, isEnding }) => {
        looks.push({ dryRun, isFull });
        endings.push(isEnding ?? (() => false));
        return answer();
      },
      onReport: () => undefined,
    });
  });
  afterEach(async () => {
    await loop.close();
    jest.useRealTimers();
  });

  /** So much time goes by, tick by tick. */
  async function pass(ms: number): Promise<void> {
    for (let gone = 0; gone < ms; gone += 2_000) {
      await clock.advance(2_000);
      await jest.advanceTimersByTimeAsync(2_000);
    }
  }

  test("are made at once in full, then at intervals", async () => {
    loop.start();
    expect(looks).toEqual([{ dryRun: false, isFull: true }]);
    await pass(58_000);
    expect(looks).toHaveLength(1);
    await pass(2_000);
    expect(looks.slice(1)).toEqual([{ dryRun: false, isFull: false }]);
  });

  test("one is made in full as soon as HNS was started anew", async () => {
    loop.start();
    await pass(4_000);
    hnsStart = "2";
    await pass(2_000);
    expect(looks.slice(1)).toEqual([{ dryRun: false, isFull: true }]);
    expect(starts).toBe(1);
  });

  test("an HNS that tells of its starts is asked at longer intervals", async () => {
    loop.start();
    pollMs = 20_000;
    hnsStart = "2";
    await pass(18_000);
    expect(looks).toHaveLength(1);
    await pass(2_000);
    expect(looks).toHaveLength(2);
    hnsStart = "3";
    loop.poll();
    expect(looks).toHaveLength(3);
    loop.poll();
    await pass(2_000);
    expect(looks).toHaveLength(3);
  });

  test("one is made in full at once when HNS says that it was started anew, and one more when that can be seen", async () => {
    loop.start();
    await pass(2_000);
    pollMs = 60_000;
    loop.hnsRestarted();
    expect(looks.slice(1)).toEqual([{ dryRun: false, isFull: true }]);
    await pass(4_000);
    expect(looks).toHaveLength(2);
    hnsStart = "2";
    loop.poll();
    expect(looks).toHaveLength(3);
    await pass(2_000);
    hnsStart = "3";
    loop.hnsRestarted();
    expect(looks).toHaveLength(4);
    await pass(30_000);
    expect(looks).toHaveLength(4);
  });

  test("one that was asked for meanwhile follows at once, in full, unless the end has come", async () => {
    const ends: ((report: ReconcileReport) => void)[] = [];
    answer = () => new Promise((resolve) => ends.push(resolve));
    loop.start();
    loop.hnsRestarted();
    expect(looks).toHaveLength(1);
    ends[0]?.(WELL);
    await pass(2_000);
    expect(looks.slice(1)).toEqual([{ dryRun: false, isFull: true }]);
    loop.hnsRestarted();
    const closing = loop.close();
    ends[1]?.(WELL);
    await closing;
    expect(looks).toHaveLength(2);
  });

  test("an HNS whose start cannot be told is no new start", async () => {
    loop.start();
    hnsStart = "";
    await pass(20_000);
    expect(looks).toHaveLength(1);
  });

  test("one that was cut short is made again in full, after a while", async () => {
    answer = () => Promise.resolve(CUT_SHORT);
    loop.start();
    await pass(8_000);
    expect(looks).toHaveLength(1);
    answer = () => Promise.resolve(WELL);
    await pass(2_000);
    expect(looks.slice(1)).toEqual([{ dryRun: false, isFull: true }]);
    await pass(50_000);
    expect(looks).toHaveLength(2);
  });

  test("there is one at a time, and the end waits for it", async () => {
    let end: (report: ReconcileReport) => void = () => undefined;
    answer = () => new Promise((resolve) => (end = resolve));
    loop.start();
    hnsStart = "2";
    await pass(120_000);
    expect(looks).toHaveLength(1);
    let isClosed = false;
    const closing = loop.close().then(() => (isClosed = true));
    await pass(2_000);
    expect(isClosed).toBe(false);
    end(WELL);
    await closing;
  });

  test("one that throws ends nothing", async () => {
    answer = () => Promise.reject(new Error("bug"));
    loop.start();
    await pass(10_000);
    expect(looks).toHaveLength(2);
  });

  test("a plan is a full look that does nothing", async () => {
    loop.start();
    await loop.plan();
    expect(looks.at(-1)).toEqual({ dryRun: true, isFull: true });
  });

  test("one that is under way at the end is told so, that it begins nothing more", async () => {
    loop.start();
    expect(endings.map((isEnding) => isEnding())).toEqual([false]);
    await loop.close();
    expect(endings.map((isEnding) => isEnding())).toEqual([true]);
  });
});
