import { Cleanup, prepareWith } from "../../bench/cleanup.ts";

describe("what a benchmark takes away", () => {
  it("goes the last first, once", async () => {
    const order: string[] = [];
    const cleanup = new Cleanup();
    expect(cleanup.add("a", (name) => order.push(name))).toBe("a");
    cleanup.add("b", async (name) => order.push(name));
    await cleanup.run();
    await cleanup.run();
    expect(order).toEqual(["b", "a"]);
  });

  it("goes on past what fails, and tells of it", async () => {
    const order: string[] = [];
    const cleanup = new Cleanup();
    cleanup.add("a", (name) => order.push(name));
    cleanup.add("b", () => Promise.reject(new Error("b does not close")));
    await expect(cleanup.run()).rejects.toThrow("b does not close");
    expect(order).toEqual(["a"]);
  });

  it("goes at the end, or at once when the rest cannot be prepared", async () => {
    const order: string[] = [];
    const prepared = await prepareWith(async (cleanup) => ({ value: cleanup.add(1, () => order.push("end")) }));
    expect([prepared.value, order]).toEqual([1, []]);
    await prepared.close();
    expect(order).toEqual(["end"]);
    const failing = prepareWith(async (cleanup) => {
      cleanup.add("half", (name) => order.push(name));
      throw new Error("no more");
    });
    await expect(failing).rejects.toThrow("no more");
    expect(order).toEqual(["end", "half"]);
  });
});
