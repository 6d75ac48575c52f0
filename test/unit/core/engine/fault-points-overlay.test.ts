import { testFaultPoints } from "../../../support/fault-suite.ts";

testFaultPoints({ options: { config: { mode: "overlay" } }, calls: "all", leastCallPoints: 1_870, leastCommitPoints: 200 });
