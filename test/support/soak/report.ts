/** A soak as Markdown, for the terminal and for docs/performance.md. */
import { describeMachine } from "../../bench/machine.ts";
import { renderMachine } from "../../bench/markdown.ts";
import { findLongestLife, judge, type Judgement } from "./limits.ts";
import type { SoakReport } from "./soak.ts";

export function renderSoak(report: SoakReport): string {
  const { counts, options, seconds, samples } = report;
  const life = findLongestLife(samples);
  const agents = `${1 + report.ends.length} agents; ${tell(countAll(report.ends))}`;
  const rate = counts.calls / seconds;
  return [
    `- ${format(counts.calls)} calls by ${options.workers} workers in ${format(Math.round(seconds / 60))} minutes (${rate.toFixed(0)} a second, looks included), seed ${options.seed}: ${format(counts.added)} pods added, every one deleted.`,
    `- ${samples.length} looks at a node at rest: no address with two owners, none assigned without a pod, every pod with its endpoint, no endpoint, lease or configuration of anybody else.`,
    `- Faults of HNS: ${tell(counts.faults)}.`,
    `- Besides: ${tell(counts.mishaps)}.`,
    `- ${agents}. The longest lived through ${format(life.at(-1)?.lifeCalls ?? 0)} calls; memory, threads and files are judged over its looks, between medians of the first and the last tenth.`,
    `- Machine: ${renderMachine(describeMachine())}.`,
    "",
    ...renderTable(
      ["", "first", "last", "highest", "limit", ""],
      judge(samples).map((judgement) => renderJudgement(judgement)),
    ),
    "",
    ...renderTable(["command", "succeeded", "refused, by code", "ended with its process"], renderOutcomes(counts.outcomes)),
    "",
  ].join("\n");
}

function renderJudgement({ what, unit, first, last, highest, limit, isKept }: Judgement): string[] {
  const values = [first, last, highest].map((value) => (Number.isInteger(value) ? String(value) : value.toFixed(1)));
  return [unit === "" ? what : `${what}, ${unit}`, ...values, limit, isKept ? "kept" : "exceeded"];
}

function renderOutcomes(outcomes: ReadonlyMap<string, number>): string[][] {
  return ["ADD", "CHECK", "DEL", "GC", "STATUS"].map((command) => {
    const own = [...outcomes].filter(([name]) => name.startsWith(`${command} `));
    const refused = own.filter(([name]) => name.includes("error")).map(([name, count]) => `${name.split(" ")[2] ?? ""}: ${format(count)}`);
    const count = (kind: string): string => format(outcomes.get(`${command} ${kind}`) ?? 0);
    return [command, count("ok"), refused.toSorted().join(", "), count("dead")];
  });
}

function renderTable(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const rule = head.map((_, column) => (column === 0 ? "---" : "---:"));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`);
}

function countAll(names: readonly string[]): Map<string, number> {
  return new Map([...Map.groupBy(names, (name) => name)].map(([name, all]) => [name, all.length]));
}

function tell(counts: ReadonlyMap<string, number>): string {
  const parts = [...counts].toSorted(([left], [right]) => left.localeCompare(right)).map(([name, count]) => `${name} ${format(count)}`);
  return parts.length === 0 ? "none" : parts.join(", ");
}

function format(value: number): string {
  return value.toLocaleString("en-US");
}
