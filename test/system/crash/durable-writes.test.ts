/** Promise 4 on the packaged program: the process dies at every durable write of the state that every command makes. */
import { join } from "node:path";
import { CrashWorkers, expectPoints, isLong } from "../../support/crash-workers.ts";
import { type Prepared, type Scenario, scenariosFor, tryAftermaths } from "../../support/crash-scenarios.ts";
import type { CrashNode, SavedNode } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { buildPreload, type DurableWrite, preloadEnv, type PreloadOptions, preloadReason, takeWrites } from "../../support/preload.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

/** The short run's sample, or every write before, after and, for plain ones, half done. */
const LEAST_POINTS = isLong ? 1_000 : 290;
/** Of the writes that no sync follows at once, the short run takes every so many. */
const PWRITE_STEP = 6;

interface Point extends DurableWrite {
  readonly at: number;
  readonly when: "before" | "after" | "torn";
}

interface Start {
  readonly prepared: Prepared;
  readonly saved: SavedNode;
}

let points = 0;

describeUnless(packagedReason() ?? preloadReason(), "a process that dies at a durable write", () => {
  const workers = new CrashWorkers();
  beforeAll(async () => {
    buildPreload();
    await workers.start();
  });
  afterAll(() => workers.close());

  describe.each([false, true])("with ignoreCallerIds %s", (ignoreCallerIds) => {
    test.each(scenariosFor(ignoreCallerIds))("promise 4: after $name died, DEL and GC leave nothing and ADD works", async (scenario) => {
      const start = (node: CrashNode): Promise<Start> => prepare(node, scenario, ignoreCallerIds);
      const writes = await listWrites(workers.first, scenario, await start(workers.first));
      expect(writes.length).toBeGreaterThan(0);
      const all = choosePoints(writes, ignoreCallerIds);
      points += all.length;
      await workers.spread(all, start, (node, point, { saved, prepared }) => dieAt(node, { scenario, saved, prepared, point }));
    });
  });

  test("every commit of every command was such a point", () => expectPoints("death at a durable write", points, LEAST_POINTS));
});

async function prepare(node: CrashNode, scenario: Scenario, ignoreCallerIds: boolean): Promise<Start> {
  await node.reset({ ignoreCallerIds });
  const prepared = await scenario.prepare(node);
  return { prepared, saved: await node.save() };
}

/** The writes of a run that does not die. */
async function listWrites(node: CrashNode, scenario: Scenario, { prepared, saved }: Start): Promise<DurableWrite[]> {
  await node.restore(saved);
  const log = join(node.root, "writes.log");
  const { code, stdout } = await scenario.run(node, prepared, { env: watch(node, { log }) });
  if (code !== 0) throw new Error(`${scenario.name} fails without a fault: ${stdout}`);
  return takeWrites(log);
}

/** All commits and changes of the folder, and of the plain writes all or a sample; half-done ones too. */
function choosePoints(writes: readonly DurableWrite[], ignoreCallerIds: boolean): Point[] {
  return writes.flatMap(({ call, file }, index) => {
    const kinds = isLong ? (["before", "after", "torn"] as const) : chooseKinds(call, index, ignoreCallerIds);
    return kinds.filter((when) => when !== "torn" || call === "pwrite").map((when) => ({ call, file, at: index + 1, when }));
  });
}

/** What comes between a write and the next is HNS's: dying after one is dying before the next, but for the commits. */
function chooseKinds(call: string, index: number, ignoreCallerIds: boolean): Point["when"][] {
  if (call === "pwrite") return index % PWRITE_STEP === 0 && !ignoreCallerIds ? ["torn"] : [];
  return call === "fsync" || call === "fdatasync" ? ["before", "after"] : ["before"];
}

async function dieAt(node: CrashNode, { scenario, saved, prepared, point }: Start & { scenario: Scenario; point: Point }): Promise<void> {
  await node.restore(saved);
  const { at, when } = point;
  const { signal } = await scenario.run(node, prepared, { env: watch(node, { at, when }) });
  if (signal !== "SIGKILL") throw new Error("the victim lived on");
  await tryAftermaths(node, prepared, new Set((await node.emulator.handles()).map(({ pid }) => pid)));
}

function watch(node: CrashNode, options: PreloadOptions): Record<string, string> {
  return preloadEnv({ prefix: node.database, ...options });
}
