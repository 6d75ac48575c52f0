import { processStart } from "../../../../src/core/engine/lease.ts";
import type { LeaseHolder } from "../../../../src/core/engine/store.ts";
import { CallProcesses } from "../../../../src/service/agent/processes.ts";

const AGENT: LeaseHolder = { pid: 7, startedAt: "100", bootId: "boot-1" };
const OTHER: LeaseHolder = { pid: 8, startedAt: "200", bootId: "boot-1" };

function open(alive: readonly LeaseHolder[] = [OTHER]): CallProcesses {
  const isAlive = (given: LeaseHolder): boolean =>
    alive.some((holder) => holder.pid === given.pid && holder.startedAt === processStart(given));
  return new CallProcesses({ self: () => AGENT, isAlive });
}

describe("the calls of an agent as lease holders", () => {
  test("each is another holder of the same process, alive until its work has ended", async () => {
    const calls = open();
    let end: () => void = () => undefined;
    let first: LeaseHolder | undefined;
    const running = calls.run(async ({ self }) => {
      first = self();
      expect(self()).toEqual(first);
      await new Promise<void>((resolve) => (end = resolve));
    });
    await calls.run(({ self, isAlive }) => {
      expect(self()).toMatchObject({ pid: 7, bootId: "boot-1" });
      expect(self().startedAt).not.toBe(first?.startedAt);
      expect(isAlive(self())).toBe(true);
      expect(first !== undefined && isAlive(first)).toBe(true);
      expect(calls.running).toBe(2);
      return Promise.resolve();
    });
    end();
    await running;
    await calls.run(({ isAlive }) => {
      expect(first !== undefined && isAlive(first)).toBe(false);
      return Promise.resolve();
    });
    expect(calls.running).toBe(0);
  });

  test("one that fails is no longer alive either", async () => {
    const calls = open();
    await expect(calls.run(() => Promise.reject(new Error("failed")))).rejects.toThrow("failed");
    expect(calls.running).toBe(0);
  });

  test("a holder of an earlier agent with the same pid is dead, one of another process as the system says", async () => {
    await open().run(({ isAlive }) => {
      expect(isAlive({ ...AGENT, startedAt: "99#1" })).toBe(false);
      expect(isAlive({ ...AGENT, startedAt: "100" })).toBe(false);
      expect(isAlive(OTHER)).toBe(true);
      expect(isAlive({ ...OTHER, startedAt: "200#4" })).toBe(true); // a call of another agent
      expect(isAlive({ ...OTHER, startedAt: "201#4" })).toBe(false);
      return Promise.resolve();
    });
  });
});
