import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventJournal } from "../../../../src/host/agent/event-journal.ts";
import type { WindowsEvent } from "../../../../src/host/windows/event-log.ts";
import { openAgentLog } from "../../../../src/host/agent/log.ts";

describe("the agent's log", () => {
  const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "hns-cni-log-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const readLines = (folder: string): Record<string, unknown>[] =>
    readFileSync(join(folder, "agent.log"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as Record<string, unknown>);

  test("writes what was logged in one turn of the event loop after it, each on a line of its own, while the agent lives", async () => {
    const log = openAgentLog({ folder: root, level: "info", isVerbose: false, journal: undefined, onError: () => undefined });
    const waitFor = async (count: number): Promise<unknown[]> => {
      for (let turns = 0; turns < 100_000 && !existsSync(join(root, "agent.log")); turns++) await turn();
      for (let turns = 0; turns < 100_000 && readLines(root).length < count; turns++) await turn();
      return readLines(root).map(({ level, message }) => `${String(level)} ${String(message)}`);
    };
    log.warn("first");
    log.child({ container: "c1" }).info("second");
    expect(await waitFor(2)).toEqual(["warn first", "info second"]);
    log.info("third");
    expect(await waitFor(3)).toEqual(["warn first", "info second", "info third"]);
    await log.close();
  });

  test("makes its folder, and writes one JSON object a line with the context of each call", async () => {
    const errors: string[] = [];
    const folder = join(root, "new", "state");
    const log = openAgentLog({
      folder,
      level: "info",
      isVerbose: false,
      journal: undefined,
      onError: ({ message }) => errors.push(message),
    });
    log.child({ container: "c1" }).info("endpoint attached", { ms: 3, error: new Error("why") });
    log.debug("not for this level");
    log.error("hns hangs");
    await log.close();
    const documents = readLines(folder);
    expect(documents.map(({ level, message, container }) => [level, message, container])).toEqual([
      ["info", "endpoint attached", "c1"],
      ["error", "hns hangs", undefined],
    ]);
    expect(Object.keys(documents[0] ?? {}).slice(0, 4)).toEqual(["time", "level", "message", "pid"]);
    expect(documents[0]).toMatchObject({ ms: 3, error: { message: "why" } });
    expect(errors).toEqual(["hns hangs"]);
  });

  test("hands its lines on to the event log in parts, whatever level the file has, and waits for it at its end", async () => {
    const events: WindowsEvent[] = [];
    const journal = new EventJournal({
      write: async (event) => {
        await new Promise((resolve) => setImmediate(resolve));
        events.push(event);
      },
      eventOf: (level, message) => (level === "debug" ? undefined : { kind: "information", id: message.length }),
      repeatMs: 60_000,
    });
    const log = openAgentLog({ folder: root, level: "error", isVerbose: false, journal, onError: () => undefined });
    log.child({ container: "c1" }).info("agent ready", { ms: 3 });
    log.error("hns hangs", { error: new Error("why") });
    log.debug("nothing");
    await log.close();
    expect(events.map(({ id, text }) => [id, text.split("\r\n").slice(0, 3)])).toEqual([
      [11, ["agent ready", "", "container: c1"]],
      [9, ["hns hangs", "", "error.message: why"]],
    ]);
    expect(readLines(root).map(({ message }) => message)).toEqual(["hns hangs"]);
  });
});
