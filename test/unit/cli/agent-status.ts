import type { AgentStatus } from "../../../src/service/agent/admin-protocol.ts";

/** What an agent says of a node with three pods. */
export const STATUS: AgentStatus = {
  version: "1.2.3",
  pid: 4711,
  startedAt: "2026-01-02T03:04:05.000Z",
  isReady: true,
  reason: "",
  stateDir: "C:\\ProgramData\\hns-cni",
  socket: "\\\\.\\pipe\\hns-cni",
  running: 2,
  abandoned: 1,
  breaker: { state: "closed", restMs: 0 },
  hnsStart: "700-133",
  hnsCallback: true,
  node: {
    networks: [{ name: "pods", id: "f29aed18-5242-5989-bc69-359ae70f84df", isOurs: true, hnsVersion: "15.2" }],
    pools: [{ id: "pods/10.244.3.0/24", free: 1, assigned: 2, cooling: 3, quarantined: 4 }],
    attachments: { attached: 2, deleting: 1 },
  },
  reconcile: { at: "2026-01-02T03:05:00.000Z", entries: [], endpoints: {} },
  errors: [],
};
