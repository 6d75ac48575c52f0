/** Chance that can be had again: the same seed gives the same numbers on any machine (the generator mulberry32). */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** A whole number from 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * limit);
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.below(items.length)];
    if (item === undefined && items.length === 0) throw new Error("nothing to pick from");
    return item as T;
  }
}

/** The seed of this run: HNS_CNI_FUZZ_SEED, else another one each time. */
export function fuzzSeed(): number {
  const given = Number(process.env["HNS_CNI_FUZZ_SEED"] ?? Number.NaN);
  return Number.isInteger(given) ? given : Date.now() % 0x7fff_ffff;
}
