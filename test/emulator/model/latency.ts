/** How long calls of one export (or "*": of every export without a latency of its own) take, in milliseconds. */
export type LatencySpec =
  | { readonly call: string; readonly distribution: "fixed"; readonly ms: number }
  | { readonly call: string; readonly distribution: "uniform"; readonly min: number; readonly max: number; readonly seed?: number }
  | { readonly call: string; readonly distribution: "exponential"; readonly mean: number; readonly seed?: number };

export const DISTRIBUTIONS = ["fixed", "uniform", "exponential"] as const;

/** An exponential has no end; a call that takes longer than so many means would only hold up a test. */
const LONGEST_IN_MEANS = 10;

interface Entry {
  readonly spec: LatencySpec;
  readonly chance: () => number;
}

/** The latencies in force. The same seeds and the same calls give the same times. */
export class LatencyBook {
  readonly #entries = new Map<string, Entry>();

  /** Sets the latency of an export, in the place of the one it had. */
  set(spec: LatencySpec): void {
    this.#entries.set(spec.call, { spec, chance: buildChance("seed" in spec ? (spec.seed ?? 1) : 1) });
  }

  list(): LatencySpec[] {
    return [...this.#entries.values()].map(({ spec }) => ({ ...spec }));
  }

  clear(call?: string): void {
    if (call === undefined) this.#entries.clear();
    else this.#entries.delete(call);
  }

  /** The time the next call of this export takes. */
  draw(call: string): number {
    const entry = this.#entries.get(call) ?? this.#entries.get("*");
    return entry === undefined ? 0 : drawFrom(entry);
  }
}

function drawFrom({ spec, chance }: Entry): number {
  switch (spec.distribution) {
    case "fixed":
      return spec.ms;
    case "uniform":
      return spec.min + chance() * (spec.max - spec.min);
    case "exponential":
      return Math.min(-Math.log(1 - chance()) * spec.mean, LONGEST_IN_MEANS * spec.mean);
  }
}

/** A linear congruential generator over 32 bits (the constants of Numerical Recipes): even enough, and the same everywhere. */
function buildChance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
