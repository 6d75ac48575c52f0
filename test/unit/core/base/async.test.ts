import { PluginError } from "../../../../src/core/base/errors.ts";
import { UndoStack, deadlineIn, earlier, poll, remaining } from "../../../../src/core/base/async.ts";
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

describe("UndoStack", () => {
  test("runs the last step first, each once", async () => {
    const ran: string[] = [];
    const undo = new UndoStack();
    undo.push("first", () => void ran.push("first"));
    undo.push("second", async () => void ran.push("second"));
    expect(await undo.unwind()).toEqual([]);
    expect(await undo.unwind()).toEqual([]);
    expect(ran).toEqual(["second", "first"]);
  });

  test("waits for a step before it starts the next", async () => {
    const clock = new FakeClock();
    const ran: string[] = [];
    const undo = new UndoStack();
    undo.push("first", () => void ran.push("first"));
    undo.push("slow", async () => {
      await clock.sleep(10);
      ran.push("slow");
    });
    const done = undo.unwind();
    await clock.advance(10);
    await done;
    expect(ran).toEqual(["slow", "first"]);
  });

  test("goes on after a failing step and tells each failure with its step's name", async () => {
    const ran: string[] = [];
    const undo = new UndoStack();
    const broken = new Error("disk full");
    undo.push("free the address", () => void ran.push("freed"));
    undo.push("delete the endpoint", () => {
      throw broken;
    });
    undo.push("detach", () => Promise.reject(new Error("hung")));
    const failures = await undo.unwind();
    expect(ran).toEqual(["freed"]);
    expect(failures.map((failure) => failure.message)).toEqual([
      'could not undo "detach": hung',
      'could not undo "delete the endpoint": disk full',
    ]);
    expect(failures.every((failure) => failure instanceof PluginError && failure.code === "CLEANUP_FAILED")).toBe(true);
    expect(failures[1]?.cause).toBe(broken);
  });

  test("runs nothing once the work stands", async () => {
    const undo = new UndoStack();
    let ran = false;
    undo.push("step", () => void (ran = true));
    undo.commit();
    await undo.unwind();
    expect(ran).toBe(false);
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
