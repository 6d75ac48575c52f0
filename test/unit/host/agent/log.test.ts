import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openAgentLog } from "../../../../src/host/agent/log.ts";

describe("the agent's log", () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), "hns-cni-log-"))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  test("makes its folder, and writes one JSON object a line with the context of each call", async () => {
    const errors: string[] = [];
    const folder = join(root, "new", "state");
    const log = openAgentLog({ folder, level: "info", isVerbose: false, onError: ({ message }) => errors.push(message) });
    log.child({ container: "c1" }).info("endpoint attached", { ms: 3, error: new Error("why") });
    log.debug("not for this level");
    log.error("hns hangs");
    await log.close();
    const lines = readFileSync(join(folder, "agent.log"), "utf8").trimEnd().split("\n");
    const documents = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents.map(({ level, message, container }) => [level, message, container])).toEqual([
      ["info", "endpoint attached", "c1"],
      ["error", "hns hangs", undefined],
    ]);
    expect(Object.keys(documents[0] ?? {}).slice(0, 4)).toEqual(["time", "level", "message", "pid"]);
    expect(documents[0]).toMatchObject({ ms: 3, error: { message: "why" } });
    expect(errors).toEqual(["hns hangs"]);
  });
});
