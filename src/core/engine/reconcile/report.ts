/**
 * What a look at HNS leads to. network: one of ours is made again · host-endpoint: the node's own endpoint is · endpoint: that of a pod
 * that runs is made again · rejoin: it is put back into its namespace · policies: those it lost are put back · settle: an ADD or DEL that
 * broke off is ended · orphan: an endpoint of ours that belongs to nobody is removed · leak: addresses of a pod that is gone are released ·
 * difference: something is not as it was made, and is left as it is · look: HNS did not tell all.
 */
export type ReconcileAction =
  "network" | "host-endpoint" | "endpoint" | "rejoin" | "policies" | "settle" | "orphan" | "leak" | "difference" | "look";

/** planned: with dryRun · waiting: it was seen, and not for long enough · found: for a difference. */
export type ReconcileOutcome = "done" | "failed" | "planned" | "waiting" | "found";

export interface ReconcileEntry {
  readonly action: ReconcileAction;
  readonly outcome: ReconcileOutcome;
  readonly network: string;
  /** Container id and interface, or the name of the endpoint; "" for the network itself. */
  readonly subject: string;
  readonly detail: string;
}

/** Endpoints of one network by what they are to us. */
export interface EndpointCounts {
  readonly standing: number;
  readonly missing: number;
  readonly orphaned: number;
  /** Of others: never touched. */
  readonly foreign: number;
}

export interface ReconcileReport {
  readonly entries: readonly ReconcileEntry[];
  /** By network; none for one that HNS did not tell of. */
  readonly endpoints: ReadonlyMap<string, EndpointCounts>;
  /** By network, the addresses of endpoints that are not ours. */
  readonly foreign: ReadonlyMap<string, ReadonlySet<string>>;
}
