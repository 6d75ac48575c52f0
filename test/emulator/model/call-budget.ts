import type { Fault } from "./faults.ts";

/** `hresult` given: calls over the limit are refused with it. Otherwise they are done, and only noted. */
export interface BudgetSpec {
  readonly limit: number;
  readonly hresult?: number;
}

export interface BudgetReport {
  readonly limit: number;
  readonly hresult: number | null;
  readonly used: number;
  /** Names of the calls over the limit, in order. */
  readonly over: string[];
}

/** So many calls and no more: for tests that hold a program to a number of calls, and for a service that gives up. */
export class CallBudget {
  #spec: BudgetSpec | undefined;
  #used = 0;
  #over: string[] = [];

  /** Starts counting anew. */
  set(spec: BudgetSpec): void {
    this.clear();
    this.#spec = { ...spec };
  }

  clear(): void {
    this.#spec = undefined;
    this.#used = 0;
    this.#over = [];
  }

  /** Undefined while there is no limit. */
  report(): BudgetReport | undefined {
    if (this.#spec === undefined) return undefined;
    return { limit: this.#spec.limit, hresult: this.#spec.hresult ?? null, used: this.#used, over: [...this.#over] };
  }

  /** Counts a call; gives the fault it meets when it is one too many. */
  spend(name: string): Fault | undefined {
    if (this.#spec === undefined) return undefined;
    this.#used += 1;
    if (this.#used <= this.#spec.limit) return undefined;
    this.#over.push(name);
    const { hresult } = this.#spec;
    return hresult === undefined ? undefined : { id: 0, call: name, kind: "fail", hresult, seen: this.#used };
  }
}
