/** Runs the contestants of a series in turn, so that what happens on the machine meanwhile falls on all of them. */
import type { Series } from "./benchmark.ts";

/** Contestant's name to its values, one a round. */
export type Measurements = ReadonlyMap<string, readonly number[]>;

/** A B A B …; the warm-up's values are thrown away. Throws what a contestant throws, with its name. */
export async function runRounds(series: Series, rounds: number): Promise<Measurements> {
  const values = new Map<string, number[]>(series.contestants.map(({ name }) => [name, []]));
  for (let round = -series.warmUp; round < rounds; round++) {
    for (const { name, measure } of series.contestants) {
      const value = await measure().catch((cause: unknown) => {
        throw new Error(`${series.title}: ${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
      });
      if (round >= 0) values.get(name)?.push(value);
    }
  }
  return values;
}
