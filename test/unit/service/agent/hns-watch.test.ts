import { PluginError } from "../../../../src/core/base/errors.ts";
import type { HnsNotification } from "../../../../src/host/ffi/service-callback.ts";
import { HnsWatch } from "../../../../src/service/agent/hns-watch.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const GONE: HnsNotification = { isDisconnect: true, name: "service disconnect", data: "" };
const ABSENT = new PluginError("HNS_UNAVAILABLE", { message: "absent", remedy: "" });
const HANGS = new PluginError("HNS_TIMEOUT", { message: "hangs", remedy: "" });

describe("the watch for starts of HNS", () => {
  let clock: FakeClock;
  let said: string[];
  let events: string[];
  let answer: () => Promise<void>;
  let tell: (notification: HnsNotification) => void;
  let watch: HnsWatch;

  beforeEach(() => {
    jest.useFakeTimers({ doNotFake: ["setImmediate"] });
    clock = new FakeClock();
    said = [];
    events = [];
    answer = () => Promise.resolve();
    const write =
      (level: string) =>
      (message: string): void =>
        void said.push(`${level}: ${message}`);
    watch = new HnsWatch({
      clock,
      log: { error: write("error"), warn: write("warn"), info: write("info"), debug: write("debug") },
      open: (onNotification) => {
        tell = onNotification;
        return {
          register: () => {
            events.push("register");
            return answer();
          },
          unregister: () => {
            events.push("unregister");
            return Promise.resolve();
          },
        };
      },
      onStanding: (how) => void events.push(how),
    });
  });
  afterEach(async () => {
    await watch.close();
    jest.useRealTimers();
  });

  /** So much time goes by, second by second. */
  async function pass(ms: number): Promise<void> {
    await jest.advanceTimersByTimeAsync(0);
    for (let gone = 0; gone < ms; gone += 1_000) {
      await clock.advance(1_000);
      await jest.advanceTimersByTimeAsync(1_000);
    }
  }

  test("registers at the start, and stands", async () => {
    expect(watch.isStanding).toBe(false);
    watch.start();
    await pass(0);
    expect(watch.isStanding).toBe(true);
    expect(events).toEqual(["register", "first"]);
  });

  test("when HNS goes away it registers anew at once, and tells that HNS is back once that stands", async () => {
    watch.start();
    await pass(20_000);
    let back: () => void = () => undefined;
    answer = () => new Promise((resolve) => (back = resolve));
    tell(GONE);
    expect(watch.isStanding).toBe(false);
    await pass(0);
    expect(events.slice(2)).toEqual(["register"]);
    back();
    await pass(0);
    expect(events.slice(2)).toEqual(["register", "back"]);
    expect(watch.isStanding).toBe(true);
    expect(said).toEqual(["info: hns callback registered", "warn: hns went away", "info: hns callback registered"]);
  });

  test("tries an HNS that is not there again and again, ever more rarely, and takes its coming for a start", async () => {
    answer = () => Promise.reject(ABSENT);
    watch.start();
    await pass(120_000);
    // At 0, 0, 1, 3, 8, 18, 48, 78 and 108 s.
    expect(events).toHaveLength(9);
    expect(said).toEqual(Array(2).fill("warn: hns callback not registered, its starts are polled"));
    answer = () => Promise.resolve();
    await pass(30_000);
    expect(events.slice(9)).toEqual(["register", "back"]);
  });

  test("an HNS that comes and goes is asked ever more rarely too", async () => {
    watch.start();
    await pass(0);
    const registered = (): number => events.filter((event) => event === "register").length;
    for (let i = 0; i < 20; i++) {
      tell(GONE);
      await pass(1_000);
    }
    expect(registered()).toBeLessThan(8);
    await pass(60_000);
    const before = registered();
    tell(GONE);
    await pass(0);
    expect(registered()).toBe(before + 1);
  });

  test("one that hangs at the registration is left alone until another run of it was found", async () => {
    answer = () => Promise.reject(HANGS);
    watch.start();
    await pass(600_000);
    expect(events).toEqual(["register"]);
    expect(said).toEqual(["warn: hns hangs at its callback, its starts are polled"]);
    answer = () => Promise.resolve();
    watch.hnsStarted();
    await pass(0);
    expect(events).toEqual(["register", "register", "back"]);
    watch.hnsStarted();
    await pass(0);
    expect(events).toHaveLength(3);
  });

  test("HNS that goes away while it registers us is asked again", async () => {
    let done: () => void = () => undefined;
    answer = () => new Promise((resolve) => (done = resolve));
    watch.start();
    tell(GONE);
    answer = () => Promise.resolve();
    done();
    await pass(0);
    expect(events).toEqual(["register", "register", "back"]);
  });

  test("other notifications are logged, and nothing else", async () => {
    watch.start();
    await pass(0);
    tell({ isDisconnect: false, name: "network create", data: "x" });
    await pass(10_000);
    expect(events).toEqual(["register", "first"]);
    expect(said.slice(1)).toEqual(["debug: hns notification"]);
  });

  test("its end takes the registration back, waits for none that hangs, and nothing follows", async () => {
    answer = () => new Promise(() => undefined);
    watch.start();
    let isClosed = false;
    const closing = watch.close().then(() => (isClosed = true));
    await pass(4_000);
    expect(isClosed).toBe(false);
    await pass(1_000);
    await closing;
    tell(GONE);
    await pass(60_000);
    expect(events).toEqual(["register", "unregister"]);
  });
});
