/** Latencies and call budgets. */
import { LatencyBook } from "../../emulator/model/latency.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import { createModel, ModelBackend } from "../../emulator/model-backend.ts";
import { ZERO_GUID } from "../../../src/core/base/ids.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { L2_NETWORK } from "./model-kit.ts";

const DEADLINE = { deadlineMs: 1000 };

function setUp(): { hcn: ModelBackend; clock: FakeClock; create(): Promise<unknown>; count(): number } {
  const clock = new FakeClock();
  const hcn = new ModelBackend(createModel(), { sleep: (ms) => clock.sleep(ms) });
  return { hcn, clock, create: () => hcn.createNetwork(ZERO_GUID, L2_NETWORK, DEADLINE), count: () => hcn.model.world.networks.size };
}

const draw = (book: LatencyBook, times: number): number[] => Array.from({ length: times }, () => book.draw("HcnOpenNetwork"));

describe("latencies", () => {
  test("are drawn from their distribution, the same for the same seed", () => {
    const book = new LatencyBook();
    book.set({ call: "*", distribution: "fixed", ms: 5 });
    expect(draw(book, 3)).toEqual([5, 5, 5]);
    book.set({ call: "HcnOpenNetwork", distribution: "uniform", min: 10, max: 20, seed: 7 });
    const uniform = draw(book, 1000);
    expect(uniform.every((ms) => ms >= 10 && ms < 20)).toBe(true);
    expect(mean(uniform)).toBeCloseTo(15, 0);
    book.set({ call: "HcnOpenNetwork", distribution: "uniform", min: 10, max: 20, seed: 7 });
    expect(draw(book, 1000)).toEqual(uniform);
    book.set({ call: "HcnOpenNetwork", distribution: "exponential", mean: 10, seed: 3 });
    const exponential = draw(book, 5000);
    expect(mean(exponential)).toBeGreaterThan(9);
    expect(mean(exponential)).toBeLessThan(11);
    expect(Math.max(...exponential)).toBeLessThanOrEqual(100);
    book.clear("HcnOpenNetwork");
    expect(draw(book, 1)).toEqual([5]);
  });

  test("pass before the effect, which comes even when nobody waits any more", async () => {
    const { hcn, clock, create, count } = setUp();
    hcn.model.latencies.set({ call: "HcnCreateNetwork", distribution: "fixed", ms: 2000 });
    const refused = expect(create()).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    await clock.advance(1000);
    await refused;
    expect(count()).toBe(0);
    await clock.advance(1000);
    expect(count()).toBe(1);
  });
});

describe("a call budget", () => {
  test("refuses what comes after", async () => {
    const { hcn, create, count } = setUp();
    hcn.model.budget.set({ limit: 1, hresult: HRESULT.RPC_UNAVAILABLE });
    await hcn.enumerate("network", {}, DEADLINE);
    await expect(create()).rejects.toMatchObject({ code: "HNS_UNAVAILABLE" });
    expect(count()).toBe(0);
    expect(hcn.model.budget.report()).toEqual({ limit: 1, hresult: HRESULT.RPC_UNAVAILABLE, used: 2, over: ["HcnCreateNetwork"] });
  });

  test("without a code only tells", async () => {
    const { hcn, create, count } = setUp();
    hcn.model.budget.set({ limit: 0 });
    await create();
    expect(count()).toBe(1);
    expect(hcn.model.budget.report()).toMatchObject({ used: 1, over: ["HcnCreateNetwork"] });
    hcn.model.reset();
    expect(hcn.model.budget.report()).toBeUndefined();
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
