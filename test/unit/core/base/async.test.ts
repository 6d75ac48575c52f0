import { deadlineIn, earlier, poll, remaining } from "../../../../src/core/base/async.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

describe("deadlines", () => {
  test("count uptime, so setting the wall clock does not move them", async () => {
    const clock = new FakeClock();
    const deadline = deadlineIn(clock, 500);
    clock.setWallClock(0);
    expect(remaining(clock, deadline)).toBe(500);
    await clock.advance(200);
    expect(remaining(clock, deadline)).toBe(300);
    await clock.advance(1000);
    expect(remaining(clock, deadline)).toBe(0);
  });

  test("the earlier of two wins, on either side", () => {
    expect(earlier({ at: 1 }, { at: 2 })).toEqual({ at: 1 });
    expect(earlier({ at: 2 }, { at: 1 })).toEqual({ at: 1 });
  });
});

describe("poll", () => {
  test("gives the first value that is not undefined, with one sleep between tries", async () => {
    const clock = new FakeClock();
    const answers = [undefined, undefined, "up"];
    const result = poll(clock, { deadline: deadlineIn(clock, 10_000), intervalMs: 100 }, () => answers.shift());
    await clock.advance(199);
    expect(answers).toEqual(["up"]);
    await clock.advance(1);
    expect(await result).toBe("up");
    expect(clock.sleeps).toEqual([100, 100]);
  });

  test("takes null, 0 and false as values", async () => {
    const clock = new FakeClock();
    for (const value of [null, 0, false]) {
      expect(await poll(clock, { deadline: deadlineIn(clock, 0), intervalMs: 1 }, () => value)).toBe(value);
    }
  });

  test("tries a last time at the deadline, then gives undefined", async () => {
    const clock = new FakeClock({ autoAdvance: true });
    const start = clock.uptime();
    const tries: number[] = [];
    const result = await poll<string>(clock, { deadline: deadlineIn(clock, 250), intervalMs: 100 }, () => {
      tries.push(clock.uptime() - start);
      return undefined;
    });
    expect(result).toBeUndefined();
    expect(tries).toEqual([0, 100, 200, 250]);
  });

  test("tries once when the deadline has passed already", async () => {
    const clock = new FakeClock();
    let tries = 0;
    await poll<string>(clock, { deadline: { at: clock.uptime() - 1 }, intervalMs: 100 }, () => {
      tries++;
      return undefined;
    });
    expect(tries).toBe(1);
    expect(clock.sleeps).toEqual([]);
  });

  test("lets an error through at once", async () => {
    const clock = new FakeClock();
    const result = poll(clock, { deadline: deadlineIn(clock, 100), intervalMs: 10 }, () => Promise.reject(new Error("broken")));
    await expect(result).rejects.toThrow("broken");
  });
});

describe("FakeClock", () => {
  test("wakes sleepers in the order of their times, and those that sleep again", async () => {
    const clock = new FakeClock({ uptime: 0 });
    const woken: string[] = [];
    const sleepTwice = async (name: string, ms: number): Promise<void> => {
      for (const round of [1, 2]) {
        await clock.sleep(ms);
        woken.push(`${name}${round}@${clock.uptime()}`);
      }
    };
    const all = Promise.all([sleepTwice("b", 30), sleepTwice("a", 20)]);
    await clock.advance(60);
    await all;
    expect(woken).toEqual(["a1@20", "b1@30", "a2@40", "b2@60"]);
    expect(clock.sleeping).toBe(0);
    expect(clock.uptime()).toBe(60);
  });

  test("a reboot changes the boot id and starts uptime anew, wall time goes on", async () => {
    const clock = new FakeClock({ now: 5000, bootId: "one" });
    clock.reboot("two");
    await clock.advance(10);
    expect([clock.now(), clock.uptime(), clock.bootId()]).toEqual([5010, 10, "two"]);
  });
});
