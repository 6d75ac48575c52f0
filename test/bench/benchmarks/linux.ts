import { packagedReason } from "../../support/packaged.ts";
import type { Benchmark, Prepared } from "../benchmark.ts";
import { alternate, BenchNode } from "../bench-node.ts";
import { FLOOR, makeFloor } from "../floor.ts";
import { linuxProgram } from "../paths.ts";
import { timeProcess } from "../process.ts";

export const linux: Benchmark = {
  name: "linux",
  summary: "ADD and DEL of the packaged Linux program, beside a Node that does nothing",
  notes: [
    "Time from the start of the process to the end of its output, process creation included; each round is one pod's ADD and DEL.",
    "HNS is the emulator, which answers at once: the figures hold the program's own work and the durable writes of its state, not those of HNS.",
  ],
  rounds: 30,
  prepare: async (): Promise<Prepared> => {
    const reason = packagedReason();
    if (reason !== undefined) throw new Error(reason);
    const floor = makeFloor();
    const node = await BenchNode.start(linuxProgram);
    const { add, del } = alternate(node);
    const contestants = [
      { name: FLOOR, measure: () => timeProcess(() => Promise.resolve(floor.run)) },
      { name: "hns-cni ADD", measure: () => timeProcess(add), rival: FLOOR },
      { name: "hns-cni DEL", measure: () => timeProcess(del), rival: FLOOR },
    ];
    const close = (): Promise<void> => {
      floor.close();
      return node.close();
    };
    return { series: [{ title: "ADD and DEL on Linux", unit: "ms", warmUp: 3, contestants }], omissions: [], close };
  },
};
