import { PluginError } from "../../../../src/core/base/errors.ts";
import { Breaker } from "../../../../src/core/hcn/breaker.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { silentLog } from "../../../support/silent-log.ts";

const OPTIONS = { deadlineMs: 1000 };

let clock: FakeClock;
let breaker: Breaker;
let calls: number;

beforeEach(() => {
  clock = new FakeClock();
  breaker = new Breaker({ clock, log: silentLog, limit: 3, restMs: 10_000 });
  calls = 0;
});

function fail(code: "HNS_TIMEOUT" | "HNS_REFUSED" | "OPERATION_TIMEOUT"): Promise<string> {
  calls++;
  return Promise.reject(new PluginError(code, { message: code }));
}

function answer(): Promise<string> {
  calls++;
  return Promise.resolve("answer");
}

async function codeOf(outcome: Promise<unknown>): Promise<string> {
  try {
    await outcome;
    return "ok";
  } catch (thrown) {
    return thrown instanceof PluginError ? thrown.code : "other";
  }
}

async function hang(times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await codeOf(breaker.around("query network", () => fail("HNS_TIMEOUT"), OPTIONS));
  }
}

it("lets calls through until HNS has not answered three in a row", async () => {
  await hang(2);
  expect(breaker.state).toBe("closed");
  await hang(1);
  expect([breaker.state, breaker.restMs, calls]).toEqual(["open", 10_000, 3]);
});

it("makes no call while it rests, and says when it tries again", async () => {
  await hang(3);
  await clock.advance(4_000);
  const refused = breaker.around("query network", answer, OPTIONS);
  await expect(refused).rejects.toMatchObject({
    code: "HNS_TIMEOUT",
    retryable: true,
    data: { remedy: expect.stringContaining("in 6 s") as unknown },
  });
  expect(calls).toBe(3);
});

it.each(["HNS_REFUSED", "answer"])("counts from none again after an answer: %s", async (kind) => {
  await hang(2);
  await codeOf(breaker.around("query network", () => (kind === "answer" ? answer() : fail("HNS_REFUSED")), OPTIONS));
  await hang(2);
  expect(breaker.state).toBe("closed");
});

it("lets one call try after the rest, and all once that is answered", async () => {
  await hang(3);
  await clock.advance(10_000);
  let finish: (text: string) => void = () => undefined;
  const trying = breaker.around("query network", () => new Promise<string>((resolve) => (finish = resolve)), OPTIONS);
  expect(breaker.state).toBe("trying");
  expect(await codeOf(breaker.around("query network", answer, OPTIONS))).toBe("HNS_TIMEOUT");
  finish("late");
  expect(await trying).toBe("late");
  expect(breaker.state).toBe("closed");
  expect(await breaker.around("query network", answer, OPTIONS)).toBe("answer");
});

it("rests again when the try has no answer", async () => {
  await hang(3);
  await clock.advance(10_000);
  await hang(1);
  expect([breaker.state, breaker.restMs]).toEqual(["open", 10_000]);
});

it("closes handles in any state, and learns nothing from it", async () => {
  await hang(3);
  expect(await breaker.around("close network", answer, OPTIONS)).toBe("answer");
  expect(breaker.state).toBe("open");
});

it("learns nothing from a call that was not made", async () => {
  await hang(2);
  expect(await codeOf(breaker.around("query network", () => fail("OPERATION_TIMEOUT"), OPTIONS))).toBe("OPERATION_TIMEOUT");
  expect(breaker.state).toBe("closed");
  await hang(1);
  expect(breaker.state).toBe("open");
});
