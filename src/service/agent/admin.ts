import type { ReconcileReport } from "../../core/engine/reconcile/report.ts";
import type { StateTransaction } from "../../core/engine/store.ts";
import { ADMIN_QUERIES, type AgentStatus, type NodeSummary } from "./admin-protocol.ts";
import { countAddresses } from "./counts.ts";

export function summariseNode(tx: StateTransaction): NodeSummary {
  return {
    networks: tx.listNetworks().map(({ name, id, isOurs, hnsVersion }) => ({ name, id: id ?? "", isOurs, hnsVersion })),
    pools: [...countAddresses(tx)].map(([id, counts]) => ({ id, ...counts })),
    attachments: Object.fromEntries(tx.countAttachments()),
  };
}

export interface AdminSource {
  status(): AgentStatus;
  plan(): Promise<ReconcileReport>;
}

/** The answer as JSON text; undefined for a query that this agent does not know. */
export async function answerQuery(query: string, source: AdminSource): Promise<string | undefined> {
  const known = ADMIN_QUERIES.find((name) => name === query);
  switch (known) {
    case "status":
      return JSON.stringify(source.status());
    case "reconcile":
      return JSON.stringify((await source.plan()).entries);
    case undefined:
      return undefined;
  }
}
