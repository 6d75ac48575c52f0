/** The outcome of a benchmark as plain data: what build/bench/NAME.json holds. */
import type { Benchmark, Omission, Series, Unit } from "./benchmark.ts";
import type { MachineDescription } from "./machine.ts";
import type { Measurements } from "./rounds.ts";
import { ratioToRival, summarise, type Summary } from "./statistics.ts";

export interface Row extends Summary {
  readonly name: string;
  readonly values: readonly number[];
  readonly ratio?: { readonly rival: string; readonly value: number };
  readonly goal?: { readonly limit: number; readonly isMet: boolean };
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
  const rows = series.contestants.map(({ name, rival, goal }): Row => {
    const values = valuesOf(name);
    const summary = summarise(values);
    return {
      name,
      ...summary,
      values,
      ...(rival !== undefined && { ratio: { rival, value: ratioToRival(values, valuesOf(rival)) } }),
      ...(goal !== undefined && { goal: { limit: goal, isMet: summary.median <= goal } }),
    };
  });
  return { title: series.title, unit: series.unit, rounds: rows[0]?.values.length ?? 0, rows };
}

export function buildResult(benchmark: Benchmark, parts: Pick<BenchmarkResult, "machine" | "tables" | "omissions">): BenchmarkResult {
  return { name: benchmark.name, notes: benchmark.notes, ...parts };
}
