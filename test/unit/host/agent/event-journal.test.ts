import { describeEvent, EventJournal } from "../../../../src/host/agent/event-journal.ts";
import type { WindowsEvent } from "../../../../src/host/windows/event-log.ts";

describe("the event log's journal", () => {
  let events: WindowsEvent[];
  let write: () => Promise<void>;
  let journal: EventJournal;

  beforeEach(() => {
    jest.useFakeTimers();
    events = [];
    write = () => Promise.resolve();
    journal = new EventJournal({
      write: (event) => {
        events.push(event);
        return write();
      },
      eventOf: (level) => (level === "error" ? { kind: "error", id: 7 } : undefined),
      repeatMs: 60_000,
    });
  });
  afterEach(() => jest.useRealTimers());

  const firstLines = (): string[] => events.map(({ text }) => text.replaceAll("\r\n", "|"));

  test("writes lines that are events, and no others", async () => {
    journal.add("warn", "degraded", {});
    journal.add("error", "failed", { container: "c1" });
    await jest.advanceTimersByTimeAsync(0);
    expect(events).toEqual([{ kind: "error", id: 7, text: "failed\r\n\r\ncontainer: c1" }]);
  });

  test("the same message again makes no event, but one at the end of the time that counts and shows the last", async () => {
    for (let i = 0; i < 500; i++) journal.add("error", "failed", { container: `c${i}` });
    journal.add("error", "hns hangs", {});
    await jest.advanceTimersByTimeAsync(59_999);
    expect(firstLines()).toEqual(["failed||container: c0", "hns hangs"]);
    await jest.advanceTimersByTimeAsync(1);
    const counted = "failed||container: c499|repeated: 499 times since the last event, this is the last";
    expect(firstLines().slice(2)).toEqual([counted]);
    // That event starts the next time.
    journal.add("error", "failed", { container: "d" });
    await jest.advanceTimersByTimeAsync(59_999);
    expect(events).toHaveLength(3);
    await jest.advanceTimersByTimeAsync(1);
    expect(firstLines()[3]).toContain("repeated: 1 time since");
    await jest.advanceTimersByTimeAsync(120_000);
    journal.add("error", "failed", { container: "e" });
    await jest.advanceTimersByTimeAsync(0);
    expect(firstLines().slice(4)).toEqual(["failed||container: e"]);
  });

  test("an event log that refuses or hangs hurts nobody, and the end waits for it a moment only", async () => {
    write = () => Promise.reject(new Error("refused"));
    journal.add("error", "first", {});
    journal.add("error", "second", {});
    await jest.advanceTimersByTimeAsync(0);
    expect(firstLines()).toEqual(["first", "second"]);
    write = () => new Promise(() => undefined);
    for (let i = 0; i < 1_000; i++) journal.add("error", `message ${i}`, {});
    await jest.advanceTimersByTimeAsync(0);
    expect(events).toHaveLength(3); // one at a time
    let isOver = false;
    const flushing = journal.flush(1_000).then(() => (isOver = true));
    await jest.advanceTimersByTimeAsync(999);
    expect(isOver).toBe(false);
    await jest.advanceTimersByTimeAsync(1);
    await flushing;
  });

  test("its end writes what was counted", async () => {
    journal.add("error", "failed", { container: "a" });
    journal.add("error", "failed", { container: "b" });
    await journal.flush(1_000);
    expect(firstLines()[1]).toContain("container: b|repeated: 1 time");
  });

  test("texts have a fact a line, no place for texts of others, and an end", () => {
    const error = { code: "HNS_TIMEOUT", details: { a: [1, "x"] } };
    expect(describeEvent("failed", { error, ok: true, none: undefined, address: "fe80::1%12", zero: "a\0b" }, 0)).toBe(
      ["failed", "", "error.code: HNS_TIMEOUT", 'error.details.a: [1,"x"]', "ok: true", "none: ", "address: fe80::1% 12", "zero: ab"].join(
        "\r\n",
      ),
    );
    expect(describeEvent("failed", { text: "x".repeat(100_000) }, 0)).toHaveLength(8_000);
  });
});
