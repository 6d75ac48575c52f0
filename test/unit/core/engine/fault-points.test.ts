import { testFaultPoints } from "../../../support/fault-suite.ts";

testFaultPoints({ options: {}, calls: "all", leastCallPoints: 2_100, leastCommitPoints: 212 });
