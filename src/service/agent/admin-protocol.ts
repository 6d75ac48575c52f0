import type { LogFields } from "../../core/base/log.ts";
import type { ReconcileEntry } from "../../core/engine/reconcile/report.ts";
import type { BreakerState } from "../../core/hcn/breaker.ts";
import type { AddressCounts } from "../../core/ipam/store.ts";

/** The name by which the command line calls the agent, where a runtime's call has the plugin's. */
export const ADMIN_PROGRAM = "hns-cni-admin";
/** The variable that says what is asked. */
export const ADMIN_QUERY = "HNS_CNI_QUERY";
/** status: an AgentStatus · reconcile: the entries of a dry run. */
export const ADMIN_QUERIES = ["status", "reconcile"] as const;
export type AdminQuery = (typeof ADMIN_QUERIES)[number];

export interface ErrorLine {
  readonly time: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** What an agent says of itself; times in ISO 8601, counts of this moment. */
export interface AgentStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly isReady: boolean;
  readonly reason: string;
  readonly stateDir: string;
  readonly socket: string;
  readonly running: number;
  readonly abandoned: number;
  readonly breaker: { readonly state: BreakerState; readonly restMs: number };
  /** This run of HNS; "" when it cannot be told. */
  readonly hnsStart: string;
  /** Whether HNS tells by its callback when it goes away; else it is polled. */
  readonly hnsCallback: boolean;
  readonly node: NodeSummary | undefined;
  readonly reconcile: { readonly at: string; readonly entries: readonly ReconcileEntry[]; readonly endpoints: object } | undefined;
  /** The newest last. */
  readonly errors: readonly ErrorLine[];
}

/** What the state holds. */
export interface NodeSummary {
  readonly networks: readonly { readonly name: string; readonly id: string; readonly isOurs: boolean; readonly hnsVersion: string }[];
  readonly pools: readonly ({ readonly id: string } & AddressCounts)[];
  readonly attachments: Readonly<Record<string, number>>;
}
