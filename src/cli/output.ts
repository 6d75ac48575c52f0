import { stringify } from "yaml";
import { cleanText, plainText } from "../core/topology/text.ts";
import type { CliWorld } from "./world.ts";

export type DocumentFormat = "json" | "yaml";

/** The option that all commands with an answer in several forms share; `own` are the forms beside json and yaml, the default first. */
export function outputOption<T extends string = never>(
  own: readonly [T | DocumentFormat, ...T[]],
): {
  readonly alias: "o";
  readonly describe: string;
  readonly choices: readonly (T | DocumentFormat)[];
  readonly default: T | DocumentFormat;
  readonly coerce: (value: T | DocumentFormat | (T | DocumentFormat)[]) => T | DocumentFormat;
} {
  // Given twice, the last counts.
  const coerce = (value: T | DocumentFormat | (T | DocumentFormat)[]): T | DocumentFormat => [value].flat().at(-1) as T | DocumentFormat;
  return { alias: "o", describe: "form of the answer", choices: [...new Set([...own, "json", "yaml"] as const)], default: own[0], coerce };
}

/** A line of what is done while it is done. The terminal may be gone, as when making a switch breaks remote sessions off: the work goes on. */
export function writeProgress(world: CliWorld, line: string): void {
  try {
    world.writeError(`${line}\n`);
  } catch {
    // nobody reads it any more
  }
}

export function writeDocument(world: CliWorld, value: unknown, format: DocumentFormat): void {
  world.writeOut(formatDocument(value, format));
}

export function formatDocument(value: unknown, format: DocumentFormat): string {
  return format === "json" ? `${JSON.stringify(value, null, 2)}\n` : stringify(value, { lineWidth: 0 });
}

/** Columns as wide as their widest cell, titles in upper case. */
export function writeTable(world: CliWorld, titles: readonly string[], rows: readonly (readonly string[])[], margin = ""): void {
  const lines = [titles.map((title) => title.toUpperCase()), ...rows];
  const widths = titles.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  for (const line of lines)
    world.writeOut(
      `${margin}${line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join("  ")
        .trimEnd()}\n`,
    );
}

/** A text from elsewhere as a cell of a table: one line, and "-" for nothing. */
export function showCell(text: string): string {
  return text === "" ? "-" : plainText(cleanText(text));
}
