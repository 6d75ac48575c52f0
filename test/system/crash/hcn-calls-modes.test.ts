/**
 * As hcn-calls.test.ts, on networks of other modes. Overlay has every point with HNS_CNI_LONG=1 and otherwise a sample from HNS_CNI_SEED, which is
 * printed; the others, whose calls are those of l2bridge or fewer, have one point for each function of HNS.
 */
import { type CallNode, type CallPoint, type CallStart, dieAtCall, listCallPoints, prepareCalls } from "../../support/crash-calls.ts";
import { type Scenario, scenariosFor } from "../../support/crash-scenarios.ts";
import { CrashWorkers, expectPoints, isLong } from "../../support/crash-workers.ts";
import type { CrashNode } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { createRandom } from "../../support/random.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

const SEED = Number(process.env["HNS_CNI_SEED"] ?? 1);
/** Points of each scenario; STATUS has only two. */
const SAMPLE = 3;
const LEAST_OVERLAY_POINTS = isLong ? 184 : 23;
/** Functions of HNS that ADD, DEL and GC call between them on a network that needs no more than itself. */
const LEAST_FUNCTIONS = 15;

describeUnless(packagedReason(), "a process that dies at an HCN call, on networks of other modes", () => {
  const workers = new CrashWorkers();
  beforeAll(() => workers.start());
  afterAll(() => workers.close());

  type Choose = (all: readonly CallPoint[]) => readonly CallPoint[];
  const tryPoints = async (on: CallNode, scenario: Scenario, choose: Choose): Promise<number> => {
    const start = (node: CrashNode): Promise<CallStart> => prepareCalls(node, scenario, on);
    const chosen = choose(await listCallPoints(workers.first, scenario, await start(workers.first)));
    await workers.spread(chosen, start, (node, point, prepared) => dieAtCall(node, scenario, prepared, point));
    return chosen.length;
  };

  describe("overlay", () => {
    let points = 0;

    describe.each(isLong ? [false, true] : [false])("with ignoreCallerIds %s", (ignoreCallerIds) => {
      test.each(scenariosFor(ignoreCallerIds))("promise 4: after $name died, DEL and GC leave nothing and ADD works", async (scenario) => {
        points += await tryPoints({ mode: "overlay", ignoreCallerIds }, scenario, (all) => (isLong ? all : sample(scenario, all)));
      });
    });

    test("there were enough such points", () => expectPoints("death at an HCN call on overlay", points, LEAST_OVERLAY_POINTS));
  });

  test.each(["nat", "transparent", "l2tunnel"] as const)("promise 4: %s, at each function of HNS once", async (mode) => {
    const seen = new Set<string>();
    for (const scenario of scenariosFor(false)) {
      await tryPoints({ mode }, scenario, (all) => firstOfEach(all, seen));
    }
    expectPoints(`death at a function of HNS on ${mode}`, seen.size, LEAST_FUNCTIONS);
  });
});

/** Some of the points, which are printed. Scenarios of different length have different places in it. */
function sample({ name }: Scenario, all: readonly CallPoint[]): CallPoint[] {
  const chosen = pickSome(all, SAMPLE, SEED * 1_000 + all.length);
  process.stdout.write(`overlay, ${name}, of ${all.length} points (HNS_CNI_SEED=${SEED}): ${describePoints(chosen)}\n`);
  return chosen;
}

/** `count` of the points, in their order. */
function pickSome(all: readonly CallPoint[], count: number, seed: number): CallPoint[] {
  const random = createRandom(seed);
  const drawn = all.map((point) => ({ point, rank: random() })).sort((left, right) => left.rank - right.rank);
  const chosen = new Set(drawn.slice(0, count).map(({ point }) => point));
  return all.filter((point) => chosen.has(point));
}

/** The first point of each function that is not yet in `seen`, by turns before and after the call; puts them there. */
function firstOfEach(all: readonly CallPoint[], seen: Set<string>): CallPoint[] {
  return all.filter(({ call, kind }) => {
    if (seen.has(call) || kind !== (seen.size % 2 === 0 ? "kill-after" : "kill")) return false;
    seen.add(call);
    return true;
  });
}

function describePoints(points: readonly CallPoint[]): string {
  return points.map(({ call, nth, kind }) => `${kind === "kill" ? "before" : "after"} call ${nth} (${call})`).join(", ");
}
