import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { PluginError } from "../../core/base/errors.ts";
import type { Clock } from "../../core/base/async.ts";
import type { ReconcileReport } from "../../core/engine/reconcile/report.ts";
import type { EngineEvents } from "../../core/engine/operation.ts";
import type { AroundCall } from "../../core/hcn/decorate.ts";
import type { BreakerState } from "../../core/hcn/breaker.ts";
import type { AddressCounts } from "../../core/ipam/store.ts";

/** What is read at the moment somebody asks. */
export interface MetricSources {
  readonly addresses: () => ReadonlyMap<string, AddressCounts>;
  readonly attachments: () => ReadonlyMap<string, number>;
  readonly running: () => number;
  readonly abandoned: () => number;
  readonly breaker: () => BreakerState;
}

/** Seconds. A pod start that takes longer than the last is one that the runtime has given up. */
const COMMAND_BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90];
const CALL_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30];

/** The agent's metrics in Prometheus' words; docs/metrics.md tells what each means, beside the names of Azure and AWS. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly #reconcileActions: Counter<"action" | "outcome">;
  readonly #endpoints: Gauge<"network" | "state">;
  readonly #clock: Clock;
  readonly #commands: Histogram<"command" | "outcome">;
  readonly #calls: Histogram<"call" | "outcome">;
  readonly #waits: Histogram;
  readonly #conflicts: Counter;

  constructor(clock: Clock, sources: MetricSources) {
    const registers = [this.registry];
    this.#clock = clock;
    this.#commands = new Histogram({
      name: "hns_cni_command_duration_seconds",
      help: "Time of a CNI command in the agent.",
      labelNames: ["command", "outcome"],
      buckets: COMMAND_BUCKETS,
      registers,
    });
    this.#calls = new Histogram({
      name: "hns_cni_hcn_call_duration_seconds",
      help: "Time of a call to HNS; outcome is ok, refused, timeout or unavailable.",
      labelNames: ["call", "outcome"],
      buckets: CALL_BUCKETS,
      registers,
    });
    this.#waits = new Histogram({
      name: "hns_cni_address_wait_seconds",
      help: "How long an ADD stood in line for an address.",
      buckets: COMMAND_BUCKETS,
      registers,
    });
    this.#conflicts = new Counter({ name: "hns_cni_address_conflicts_total", help: "Addresses that HNS refused as in use.", registers });
    this.#reconcileActions = new Counter({
      name: "hns_cni_reconcile_actions_total",
      help: "What the reconciler did, by action and outcome.",
      labelNames: ["action", "outcome"],
      registers,
    });
    this.#endpoints = new Gauge({
      name: "hns_cni_endpoints",
      help: "Endpoints at the last look: standing, missing (HNS lost it), orphaned (ours, of nobody), foreign.",
      labelNames: ["network", "state"],
      registers,
    });
    addGauges(registers, sources);
  }

  countReconcile({ entries, endpoints }: ReconcileReport): void {
    for (const { action, outcome } of entries) this.#reconcileActions.inc({ action, outcome });
    this.#endpoints.reset();
    for (const [network, counts] of endpoints) {
      for (const [state, count] of Object.entries(counts)) this.#endpoints.set({ network, state }, Number(count));
    }
  }

  /** For `decorate`. */
  readonly aroundCall: AroundCall = async (name, run) => {
    const start = this.#clock.uptime();
    let outcome = "ok";
    try {
      return await run();
    } catch (thrown) {
      outcome = outcomeOf(thrown);
      throw thrown;
    } finally {
      this.#calls.observe({ call: name, outcome }, (this.#clock.uptime() - start) / 1000);
    }
  };

  observeCommand(command: string, outcome: "ok" | "error", ms: number): void {
    this.#commands.observe({ command, outcome }, ms / 1000);
  }

  readonly events: EngineEvents = {
    addressWaited: (ms) => this.#waits.observe(ms / 1000),
    addressesRefused: (count) => this.#conflicts.inc(count),
  };
}

function outcomeOf(thrown: unknown): string {
  if (!(thrown instanceof PluginError)) return "error";
  switch (thrown.code) {
    case "HNS_TIMEOUT":
    case "OPERATION_TIMEOUT":
      return "timeout";
    case "HNS_UNAVAILABLE":
      return "unavailable";
    default:
      return "refused";
  }
}

function addGauges(registers: Registry[], sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number): void => {
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  };
  gauge("hns_cni_commands_running", "CNI commands under way.", sources.running);
  gauge("hns_cni_hcn_calls_abandoned", "Calls to HNS that were given up and have not returned; each keeps a thread.", sources.abandoned);
  gauge("hns_cni_breaker_open", "1 while HNS counts as hanging and is not called.", () => (sources.breaker() === "closed" ? 0 : 1));
  new Gauge({
    name: "hns_cni_ipam_addresses",
    help: "Addresses of a pool by state.",
    labelNames: ["pool", "state"],
    registers,
    collect() {
      this.reset();
      for (const [pool, counts] of sources.addresses()) {
        for (const [state, count] of Object.entries(counts)) this.set({ pool, state }, count);
      }
    },
  });
  new Gauge({
    name: "hns_cni_attachments",
    help: "Attachments by phase.",
    labelNames: ["phase"],
    registers,
    collect() {
      this.reset();
      for (const [phase, count] of sources.attachments()) this.set({ phase }, count);
    },
  });
}
