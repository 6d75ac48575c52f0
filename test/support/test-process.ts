import type { HcnBackend, HcnHandle } from "../../src/core/hcn/backend.ts";
import type { LeaseHolder, StateStore, StateTransaction } from "../../src/core/engine/store.ts";
import { KilledError } from "../emulator/model-backend.ts";

/** What a scripted transaction does: "fail" throws to its caller, "kill" ends the process; before or after the commit. */
export type CommitFault = "fail-before" | "fail-after" | "kill-before" | "kill-after";

/**
 * One run of the program: its own pid, HNS and store as seen from it. A killed one never gets another answer, so whatever the code
 * under test catches, nothing it does afterwards reaches HNS or the state, as with a process that ended.
 */
export class TestProcess {
  readonly pid: number;
  readonly backend: HcnBackend;
  readonly store: StateStore;
  /** Transactions begun for writing so far. */
  transactions = 0;
  /** Makes the transaction of this number (from 1) meet the fault. */
  commitFault: { readonly at: number; readonly kind: CommitFault } | undefined;
  isAlive = true;
  #onKilled: (reason: KilledError) => void = () => undefined;
  readonly #killed: Promise<never>;

  constructor(pid: number, backend: HcnBackend, store: StateStore) {
    this.pid = pid;
    this.backend = this.#watchBackend(backend);
    this.store = this.#watchStore(store);
    this.#killed = new Promise<never>((_, reject) => (this.#onKilled = reject));
    this.#killed.catch(() => undefined);
  }

  /** Runs `work` as this process, which ends with it. Rejects with KilledError when it was killed. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await Promise.race([work(), this.#killed]);
    } finally {
      this.isAlive = false;
    }
  }

  holder(bootId: string): LeaseHolder {
    return { pid: this.pid, startedAt: `start-${this.pid}`, bootId };
  }

  #kill(reason: KilledError): void {
    this.isAlive = false;
    this.#onKilled(reason);
  }

  #watchBackend(inner: HcnBackend): HcnBackend {
    const watch = async <T>(call: () => Promise<T>): Promise<T> => {
      if (!this.isAlive) return await new Promise<never>(() => undefined);
      try {
        return await call();
      } catch (thrown) {
        if (!(thrown instanceof KilledError)) throw thrown;
        this.#kill(thrown);
        return await new Promise<never>(() => undefined);
      }
    };
    return {
      enumerate: (...args) => watch(() => inner.enumerate(...args)),
      open: (...args) => watch((): Promise<HcnHandle> => inner.open(...args)),
      createNetwork: (...args) => watch(() => inner.createNetwork(...args)),
      createEndpoint: (...args) => watch(() => inner.createEndpoint(...args)),
      query: (...args) => watch(() => inner.query(...args)),
      modify: (...args) => watch(() => inner.modify(...args)),
      delete: (...args) => watch(() => inner.delete(...args)),
      close: (...args) => watch(() => inner.close(...args)),
      callV1: (...args) => watch(() => inner.callV1(...args)),
    };
  }

  #watchStore(inner: StateStore): StateStore {
    const fault = (moment: "before" | "after"): void => {
      const { at, kind } = this.commitFault ?? { at: 0, kind: "fail-before" };
      if (at !== this.transactions || !kind.endsWith(moment)) return;
      const error = new KilledError(`transaction ${at}, ${kind}`);
      if (kind.startsWith("kill")) this.#kill(error);
      throw kind.startsWith("kill") ? error : new Error(error.message);
    };
    const requireAlive = (): void => {
      if (!this.isAlive) throw new KilledError("the state");
    };
    return {
      transaction: <T>(work: (tx: StateTransaction) => T): T => {
        requireAlive();
        this.transactions += 1;
        fault("before");
        const outcome = inner.transaction(work);
        fault("after");
        return outcome;
      },
      read: <T>(work: (tx: StateTransaction) => T): T => {
        requireAlive();
        return inner.read(work);
      },
      close: () => undefined,
    };
  }
}
