import { existsSync } from "node:fs";
import { packagedReason } from "../../support/packaged.ts";
import { linuxProgram, pkgLinuxProgram } from "../paths.ts";
import type { Benchmark, Contestant, Omission, Prepared, Series } from "../benchmark.ts";
import { alternate, BenchNode } from "../bench-node.ts";
import { FLOOR, makeFloor, type Floor } from "../floor.ts";
import { type BuildRun, countInstructions, timeProcess, valgrindReason } from "../process.ts";

const goals = { version: 90, add: 115 };

export const startup: Benchmark = {
  name: "startup",
  summary: "what starting the packaged Linux program costs, in instructions and milliseconds",
  notes: [
    "Instructions of the whole process, counted by valgrind: they vary by a few per cent where milliseconds vary by tens.",
    "ADD is that of a further pod: the network stands and is verified. HNS is the emulator, a process of its own that is not counted.",
    "The floor is an empty file under the Node that the program carries, started with --no-rehash-snapshot.",
  ],
  rounds: 15,
  prepare: prepareStartup,
};

async function prepareStartup(): Promise<Prepared> {
  const reason = packagedReason();
  if (reason !== undefined) throw new Error(reason);
  const floor = makeFloor();
  const nodes = [{ label: "hns-cni", isOurs: true, node: await BenchNode.start(linuxProgram) }];
  const omissions: Omission[] = [];
  if (existsSync(pkgLinuxProgram)) nodes.push({ label: "pkg build", isOurs: false, node: await BenchNode.start(pkgLinuxProgram) });
  else omissions.push({ what: "the pkg build", reason: "it is not built: npm run package:pkg" });

  const series: Series[] = [];
  const noValgrind = valgrindReason();
  if (noValgrind === undefined) {
    const contestants = nodes.flatMap(({ label, isOurs, node }) =>
      buildContestants({ label, node, measure: countInstructions, isJudged: isOurs }),
    );
    series.push({
      title: "Start-up, instructions",
      unit: "M instructions",
      rounds: 5,
      warmUp: 0,
      contestants: [...floorOf(floor, countInstructions), ...contestants],
    });
  } else {
    omissions.push({ what: "instructions", reason: noValgrind });
  }
  const timed = nodes.flatMap(({ label, node }) => buildContestants({ label, node, measure: timeProcess, isJudged: false }));
  series.push({ title: "Start-up, wall clock", unit: "ms", warmUp: 2, contestants: [...floorOf(floor, timeProcess), ...timed] });
  const close = async (): Promise<void> => {
    floor.close();
    for (const { node } of nodes) await node.close();
  };
  return { series, omissions, close };
}

type Measure = (build: BuildRun) => Promise<number>;

function floorOf(floor: Floor, measure: Measure): Contestant[] {
  return [{ name: FLOOR, measure: () => measure(() => Promise.resolve(floor.run)) }];
}

function buildContestants(of: { label: string; node: BenchNode; measure: Measure; isJudged: boolean }): Contestant[] {
  const { label, node, measure, isJudged } = of;
  const { add, del } = alternate(node);
  const contestant = (command: string, build: BuildRun, goal?: number): Contestant => ({
    name: `${label} ${command}`,
    measure: () => measure(build),
    rival: FLOOR,
    ...(isJudged && goal !== undefined && { goal }),
  });
  return [
    contestant("VERSION", () => Promise.resolve(node.buildPlainCall("VERSION")), goals.version),
    contestant("ADD", add, goals.add),
    contestant("DEL", del),
    contestant("STATUS", () => Promise.resolve(node.buildPlainCall("STATUS"))),
  ];
}
