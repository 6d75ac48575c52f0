/** Runs one benchmark and leaves its result: build/bench/NAME.json, a chart for each table, and on request the page in docs. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Benchmark, Prepared } from "./benchmark.ts";
import { describeMachine } from "./machine.ts";
import { renderResult, replaceSection } from "./markdown.ts";
import { page, plots, results } from "./paths.ts";
import { renderPlot } from "./plot.ts";
import { type BenchmarkResult, buildResult, buildTable, type Table } from "./result.ts";
import { runRounds } from "./rounds.ts";

/** `rounds` stands for those of every series. Throws when a contestant fails. */
export async function runBenchmark(benchmark: Benchmark, options: { readonly rounds: number | undefined }): Promise<BenchmarkResult> {
  const prepared = await benchmark.prepare();
  try {
    const tables = await measure(benchmark, prepared, options.rounds);
    return buildResult(benchmark, { machine: describeMachine(), tables, omissions: prepared.omissions });
  } finally {
    await prepared.close();
  }
}

async function measure(benchmark: Benchmark, prepared: Prepared, rounds: number | undefined): Promise<Table[]> {
  const tables: Table[] = [];
  for (const series of prepared.series) {
    tables.push(buildTable(series, await runRounds(series, rounds ?? series.rounds ?? benchmark.rounds)));
  }
  return tables;
}

/** @returns the files written */
export function saveResult(result: BenchmarkResult): string[] {
  mkdirSync(results, { recursive: true });
  const json = join(results, `${result.name}.json`);
  writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
  return [json, ...savePlots(result, results)];
}

/** Puts the result between its markers on the page, with its charts beside. */
export function publishResult(result: BenchmarkResult): string[] {
  const charts = savePlots(result, plots);
  const images = result.tables.map(({ title }, index) => `\n![${title}](performance/${plotName(result, index)})\n`);
  writeFileSync(page, replaceSection(readFileSync(page, "utf8"), result.name, `${renderResult(result)}${images.join("")}`));
  return [page, ...charts];
}

function savePlots(result: BenchmarkResult, folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  return result.tables.map((table, index) => {
    const file = join(folder, plotName(result, index));
    writeFileSync(file, `${renderPlot(table)}\n`);
    return file;
  });
}

function plotName({ name, tables }: BenchmarkResult, index: number): string {
  return tables.length === 1 ? `${name}.svg` : `${name}-${index + 1}.svg`;
}
