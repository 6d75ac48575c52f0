import type { ReconcileEntry } from "../core/engine/reconcile/report.ts";
import type { AgentStatus } from "../service/agent/admin-protocol.ts";
import type { CliWorld } from "./world.ts";

/** What the agent says of itself; undefined when none listens. Throws AGENT_SILENT. */
export async function readAgentStatus(world: CliWorld): Promise<AgentStatus | undefined> {
  const answer = await world.askAgent("status");
  return answer === undefined ? undefined : (JSON.parse(answer) as AgentStatus); // an agent of this product
}

/** What a look of the agent's would do; undefined when none listens. Throws AGENT_SILENT. */
export async function readPlan(world: CliWorld): Promise<ReconcileEntry[] | undefined> {
  const answer = await world.askAgent("reconcile");
  return answer === undefined ? undefined : (JSON.parse(answer) as ReconcileEntry[]);
}
