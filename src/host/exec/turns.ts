/** What is to be done in a turn: `end` frees what is held, `go on` is in the midst of something, `make` takes longest, `begin` starts something. */
export type Stage = "end" | "go on" | "make" | "begin";

/** Who is served first: what is under way, so that it ends, before something else begins. */
const ORDER: readonly Stage[] = ["end", "go on", "make", "begin"];

interface Waiter {
  readonly serve: () => void;
}

/** A number of turns for many that want one. Who comes while there is one has it at once; the others wait, by stage and then in order of arrival. */
export class Turns {
  readonly #waiting: ReadonlyMap<Stage, Set<Waiter>> = new Map(ORDER.map((stage) => [stage, new Set<Waiter>()]));
  #free: number;

  /** `limit` is the number of turns at a time; Infinity where nobody waits. */
  constructor(limit: number) {
    this.#free = limit;
  }

  /** Takes a turn; undefined when there is one at once, else a promise of whether one came within `patienceMs`. Each turn taken must be given back. */
  take(stage: Stage, patienceMs: number): Promise<boolean> | undefined {
    if (this.#free > 0) {
      this.#free--;
      return undefined;
    }
    return this.#wait(this.#waiting.get(stage), patienceMs);
  }

  /** Gives a turn back, to whoever is next. */
  give(): void {
    const next = this.#next();
    if (next === undefined) this.#free++;
    else next.serve();
  }

  #wait(line: Set<Waiter> | undefined, patienceMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const waiter = {
        serve: () => {
          line?.delete(waiter);
          clearTimeout(timer);
          resolve(true);
        },
      };
      const timer = setTimeout(() => {
        line?.delete(waiter);
        resolve(false);
      }, patienceMs);
      line?.add(waiter);
    });
  }

  #next(): Waiter | undefined {
    for (const stage of ORDER) {
      const [first] = this.#waiting.get(stage) ?? [];
      if (first !== undefined) return first;
    }
    return undefined;
  }
}
