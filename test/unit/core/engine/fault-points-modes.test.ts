import { testFaultPoints } from "../../../support/fault-suite.ts";
import { MODE_NODES } from "../../../support/mode-nodes.ts";

const OTHERS = MODE_NODES.filter(({ name }) => name !== "l2bridge" && name !== "overlay");

describe.each(OTHERS)("$name", ({ options }) =>
  testFaultPoints({ options, calls: "one of each", leastCallPoints: 600, leastCommitPoints: 0 }),
);
