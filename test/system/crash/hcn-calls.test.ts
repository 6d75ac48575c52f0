/** Promise 4 on the packaged program: the process dies before and after every HCN call of every command. */
import { type CallStart, dieAtCall, listCallPoints, prepareCalls } from "../../support/crash-calls.ts";
import { expectPoints, CrashWorkers, isLong } from "../../support/crash-workers.ts";
import { scenariosFor } from "../../support/crash-scenarios.ts";
import type { CrashNode } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

/** Calls of all commands together, times before and after, times with and without our ids. */
const LEAST_POINTS = 200;

let points = 0;

describeUnless(packagedReason(), "a process that dies at an HCN call", () => {
  const workers = new CrashWorkers();
  beforeAll(() => workers.start());
  afterAll(() => workers.close());

  describe.each([false, true])("with ignoreCallerIds %s", (ignoreCallerIds) => {
    test.each(scenariosFor(ignoreCallerIds))("promise 4: after $name died, DEL and GC leave nothing and ADD works", async (scenario) => {
      const start = (node: CrashNode): Promise<CallStart> => prepareCalls(node, scenario, { ignoreCallerIds });
      const all = await listCallPoints(workers.first, scenario, await start(workers.first));
      points += all.length;
      await workers.spread(all, start, (node, point, prepared) => dieAtCall(node, scenario, prepared, point));
    });
  });

  test("every call of every command was such a point", () => expectPoints("death at an HCN call", points, LEAST_POINTS));
});
