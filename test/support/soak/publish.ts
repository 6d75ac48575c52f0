/** Leaves a soak's samples and report in build/soak, and on request puts the report on the page of docs. */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { replaceSection } from "../../bench/markdown.ts";
import { page, plots } from "../../bench/paths.ts";
import { build } from "../paths.ts";
import { renderSoakPlot } from "./plot.ts";
import { renderSoak } from "./report.ts";
import type { SoakReport } from "./soak.ts";

const NAME = "soak";

/** @returns the report */
export function saveSoak(report: SoakReport): string {
  const folder = join(build, NAME);
  mkdirSync(folder, { recursive: true });
  const text = renderSoak(report);
  writeFileSync(join(folder, "samples.json"), `${JSON.stringify(report.samples, null, 2)}\n`);
  writeFileSync(join(folder, "report.md"), text);
  writeFileSync(join(folder, `${NAME}.svg`), `${renderSoakPlot(report.samples)}\n`);
  return text;
}

/** Puts the last saved soak on the page, whoever ran it. Throws when there is none. */
export function publishSoak(): void {
  const read = (name: string): string => readFileSync(join(build, NAME, name), "utf8");
  mkdirSync(plots, { recursive: true });
  writeFileSync(join(plots, `${NAME}.svg`), read(`${NAME}.svg`));
  const image = `\n![Memory and state over the calls](performance/${NAME}.svg)\n`;
  writeFileSync(page, replaceSection(readFileSync(page, "utf8"), NAME, `${read("report.md")}${image}`));
}
