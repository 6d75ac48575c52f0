/** The outcome of a benchmark as plain data: what build/bench/NAME.json holds. */
import type { Benchmark, Omission, Series, Unit } from "./benchmark.ts";
import type { MachineDescription } from "./machine.ts";
import type { Measurements } from "./rounds.ts";
import { ratioToRival, summarise, type Summary } from "./statistics.ts";

export interface Row extends Summary {
  readonly name: string;
  readonly values: readonly number[];
  readonly ratio?: { readonly rival: string; readonly value: number };
  /** Of the median, or of the ratio. */
  readonly goal?: { readonly limit: number; readonly isMet: boolean; readonly isRatio?: true };
}

export interface Table {
  readonly title: string;
  readonly unit: Unit;
  readonly rounds: number;
  readonly rows: readonly Row[];
}

export interface BenchmarkResult {
  readonly name: string;
  readonly notes: readonly string[];
  readonly machine: MachineDescription;
  readonly tables: readonly Table[];
  readonly omissions: readonly Omission[];
}

export function buildTable(series: Series, measurements: Measurements): Table {
  const valuesOf = (name: string): readonly number[] => measurements.get(name) ?? [];
  const rows = series.contestants.map(({ name, rival, goal, ratioGoal }): Row => {
    const values = valuesOf(name);
    const summary = summarise(values);
    const ratio = rival === undefined ? undefined : { rival, value: ratioToRival(values, valuesOf(rival)) };
    const judged = ratio !== undefined &&
      ratioGoal !== undefined && { limit: ratioGoal, isMet: ratio.value <= ratioGoal, isRatio: true as const };
    return {
      name,
      ...summary,
      values,
      ...(ratio !== undefined && { ratio }),
      ...(goal !== undefined && { goal: { limit: goal, isMet: summary.median <= goal } }),
      ...(judged !== false && { goal: judged }),
    };
  });
  return { title: series.title, unit: series.unit, rounds: rows[0]?.values.length ?? 0, rows };
}

export function buildResult(benchmark: Benchmark, parts: Pick<BenchmarkResult, "machine" | "tables" | "omissions">): BenchmarkResult {
  return { name: benchmark.name, notes: benchmark.notes, ...parts };
}
