/** Promise 4 on the packaged program: the process dies before and after every HCN call of every command. */
import { expectPoints, CrashWorkers, isLong } from "../../support/crash-workers.ts";
import { explain, scenariosFor, type Scenario, tryAftermaths, type Prepared } from "../../support/crash-scenarios.ts";
import type { CrashNode, SavedNode } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

/** Calls of all commands together, times before and after, times with and without our ids. */
const LEAST_POINTS = 200;

interface Point {
  readonly call: string;
  readonly nth: number;
  readonly kind: "kill" | "kill-after";
}

let points = 0;

describeUnless(packagedReason(), "a process that dies at an HCN call", () => {
  const workers = new CrashWorkers();
  beforeAll(() => workers.start());
  afterAll(() => workers.close());

  describe.each([false, true])("with ignoreCallerIds %s", (ignoreCallerIds) => {
    test.each(scenariosFor(ignoreCallerIds))("promise 4: after $name died, DEL and GC leave nothing and ADD works", async (scenario) => {
      const start = (node: CrashNode): Promise<Start> => prepare(node, scenario, ignoreCallerIds);
      const calls = await listCalls(workers.first, scenario, await start(workers.first));
      expect(calls.length).toBeGreaterThan(0);
      const all = calls.flatMap((call, index) => (["kill", "kill-after"] as const).map((kind) => ({ call, nth: index + 1, kind })));
      points += all.length;
      await workers.spread(all, start, (node, point, { saved, prepared }) => dieAt(node, { scenario, saved, prepared, point }));
    });
  });

  test("every call of every command was such a point", () => expectPoints("death at an HCN call", points, LEAST_POINTS));
});

interface Start {
  readonly prepared: Prepared;
  readonly saved: SavedNode;
}

async function prepare(node: CrashNode, scenario: Scenario, ignoreCallerIds: boolean): Promise<Start> {
  await node.reset({ ignoreCallerIds });
  const prepared = await scenario.prepare(node);
  return { prepared, saved: await node.save() };
}

/** The HCN calls of a run without faults, in order. */
async function listCalls(node: CrashNode, scenario: Scenario, { prepared, saved }: Start): Promise<string[]> {
  await node.restore(saved);
  const { code, stdout } = await scenario.run(node, prepared);
  if (code !== 0) throw new Error(`${scenario.name} fails without a fault: ${stdout}`);
  return (await node.emulator.calls()).map(({ name }) => name);
}

async function dieAt(node: CrashNode, { scenario, saved, prepared, point }: Start & { scenario: Scenario; point: Point }): Promise<void> {
  await node.restore(saved);
  await node.emulator.addFault({ call: "*", kind: point.kind, nth: point.nth });
  const { code, signal, stdout } = await scenario.run(node, prepared);
  await explain("the victim", async () => {
    expect({ hasEnded: code !== 0 || signal !== null, stdout }).toEqual({ hasEnded: true, stdout: "" });
    expect((await node.emulator.faults()).map(({ seen }) => seen)).toEqual([point.nth]);
  });
  await tryAftermaths(node, prepared, new Set((await node.emulator.handles()).map(({ pid }) => pid)));
}
