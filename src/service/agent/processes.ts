import { holderOfCall, type ProcessTable } from "../../core/engine/lease.ts";
import type { LeaseHolder } from "../../core/engine/store.ts";

/**
 * The agent's calls as the engine sees them: each is a lease holder of its own, so that the rules that keep processes out of each other's
 * way (leases, places in line, a DEL that overtakes an ADD) hold between calls of one process too.
 */
export class CallProcesses {
  readonly #processes: ProcessTable;
  readonly #running = new Set<string>();
  #last = 0;

  constructor(processes: ProcessTable) {
    this.#processes = processes;
  }

  /** Runs `work` as one more holder, which lives until `work` has ended. */
  async run<T>(work: (processes: ProcessTable) => Promise<T>): Promise<T> {
    const own = this.#processes.self();
    const self = holderOfCall(own, ++this.#last);
    this.#running.add(self.startedAt);
    try {
      return await work({ self: () => self, isAlive: (holder) => this.#isAlive(own, holder) });
    } finally {
      this.#running.delete(self.startedAt);
    }
  }

  get running(): number {
    return this.#running.size;
  }

  #isAlive(own: LeaseHolder, holder: LeaseHolder): boolean {
    return holder.pid === own.pid ? this.#running.has(holder.startedAt) : this.#processes.isAlive(holder);
  }
}
