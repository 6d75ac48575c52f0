import type { Deadline } from "../base/async.ts";
import type { Guid } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { HostConfig, PluginConfig } from "../config/plugin-config.ts";
import type { HcnBackend } from "../hcn/backend.ts";
import { HcnSession } from "../hcn/session.ts";
import type { LeaseOptions } from "./lease.ts";
import { NetworkScan } from "./network-scan.ts";
import type { Machine } from "./machine.ts";
import type { StateStore, StateTransaction } from "./store.ts";

/** What every use case works with. */
export interface EngineOptions {
  readonly backend: HcnBackend;
  readonly store: StateStore;
  readonly machine: Machine;
  readonly log: Logger;
  readonly events?: EngineEvents;
  /** Where somebody looks at HNS from time to time. */
  readonly foreign?: ForeignAddresses;
}

/**
 * The addresses that endpoints of others had on a network when it was last looked at; undefined where it was not. What it says can be out of
 * date: it may put other addresses first, and never refuse one.
 */
export type ForeignAddresses = (network: string) => ReadonlySet<string> | undefined;

/** What the engine tells whoever counts. */
export interface EngineEvents {
  /** An ADD stood in line for an address, milliseconds, whether it got one or not. */
  addressWaited(ms: number): void;
  /** HNS refused so many addresses of an ADD as in use. */
  addressesRefused(count: number): void;
}

const NOBODY_COUNTS: EngineEvents = { addressWaited: () => undefined, addressesRefused: () => undefined };

/** Time kept back from the operation's own for taking things back when it fails. */
const UNDO_MS = 10_000;

/** One command under way: the parts of the engine, the configuration, and the time it has. */
export class Operation<C extends HostConfig = PluginConfig> {
  readonly config: C;
  readonly store: StateStore;
  readonly machine: Machine;
  readonly log: Logger;
  readonly events: EngineEvents;
  readonly foreign: ForeignAddresses | undefined;
  readonly deadline: Deadline;
  readonly hcn: HcnSession;
  /** What HNS has under the network's name. */
  readonly scan: NetworkScan;
  /** HNS for undoing, with time of its own: an operation that ran out of time must still clean up. */
  readonly undoHcn: HcnSession;
  readonly undoDeadline: Deadline;
  readonly #options: EngineOptions;
  readonly #startedAt: number;

  constructor(options: EngineOptions, config: C, startedAt = options.machine.clock.uptime()) {
    const { clock } = options.machine;
    const totalMs = config.operationTimeoutMs;
    const undoMs = Math.min(UNDO_MS, totalMs / 3);
    this.#options = options;
    this.#startedAt = startedAt;
    this.config = config;
    this.store = options.store;
    this.machine = options.machine;
    this.log = options.log;
    this.events = options.events ?? NOBODY_COUNTS;
    this.foreign = options.foreign;
    this.deadline = { at: startedAt + totalMs - undoMs };
    this.undoDeadline = { at: startedAt + totalMs };
    const session = { backend: options.backend, clock, log: options.log, callTimeoutMs: config.callTimeoutMs };
    this.hcn = new HcnSession({ ...session, deadline: this.deadline });
    this.scan = new NetworkScan(this.hcn, config.networkName);
    this.undoHcn = new HcnSession({
      ...session,
      callTimeoutMs: Math.min(session.callTimeoutMs, undoMs),
      deadline: this.undoDeadline,
    });
  }

  /** The same command, with the same time, for a configuration that is known better by now. */
  withConfig<D extends HostConfig>(config: D): Operation<D> {
    return new Operation(this.#options, config, this.#startedAt);
  }

  get leaseOptions(): LeaseOptions {
    const { store, machine, deadline, config } = this;
    return { store, clock: machine.clock, processes: machine.processes, ttlMs: config.operationTimeoutMs, deadline };
  }

  /** Ends the work on an attachment: what `work` writes and the end of the lease become durable together. */
  finish<T>(attachment: Guid, work: (tx: StateTransaction) => T): T {
    return this.store.transaction((tx) => {
      const outcome = work(tx);
      const lease = tx.findLease(attachment);
      const self = this.machine.processes.self();
      if (lease?.pid === self.pid && lease.startedAt === self.startedAt) tx.removeLease(attachment);
      return outcome;
    });
  }

  /** Gives the lease up after a failure, if it is still held; a store that fails too is only logged. */
  abandon(attachment: Guid): void {
    try {
      this.finish(attachment, () => undefined);
    } catch (thrown) {
      this.log.error("lease not given up", { attachment, error: thrown });
    }
  }
}
