/** Results as Markdown, for the terminal and for docs/performance.md. */
import type { MachineDescription } from "./machine.ts";
import type { BenchmarkResult, Row, Table } from "./result.ts";

export function renderResult(result: BenchmarkResult): string {
  const omitted = result.omissions.map(({ what, reason }) => `- Not measured: ${what} (${reason}).`);
  const parts = [
    ...result.notes.map((note) => `- ${note}`),
    ...omitted,
    `- Machine: ${renderMachine(result.machine)}.`,
    ...result.tables.flatMap((table) => ["", renderTable(table)]),
  ];
  return `${parts.join("\n")}\n`;
}

function renderTable(table: Table): string {
  const hasGoals = table.rows.some(({ goal }) => goal !== undefined);
  const head = ["", `median, ${table.unit}`, "minimum", "spread", "ratio", ...(hasGoals ? ["goal"] : [])];
  const rule = ["---", ...head.slice(1).map(() => "---:")];
  const lines = [head, rule, ...table.rows.map((row) => renderRow(row, hasGoals))].map((cells) => `| ${cells.join(" | ")} |`);
  return `**${table.title}** (${table.rounds} rounds)\n\n${lines.join("\n")}`;
}

function renderRow(row: Row, hasGoals: boolean): string[] {
  const { name, ratio, goal } = row;
  const numbers = [row.median, row.minimum, row.spread].map(formatValue);
  const compared = ratio === undefined ? "" : `${ratio.value.toFixed(2)} × ${ratio.rival}`;
  const judged = goal === undefined ? "" : `≤ ${goal.limit}${goal.isRatio === true ? " ×" : ""}: ${goal.isMet ? "met" : "missed"}`;
  return [name, ...numbers, compared, ...(hasGoals ? [judged] : [])];
}

/** Three digits that count. */
function formatValue(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

export function renderMachine({ cpu, cores, memoryGiB, kernel, node, wine, valgrind }: MachineDescription): string {
  const programs = [`Node ${node}`, wine, valgrind].filter((text) => text !== undefined);
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${kernel}, ${programs.join(", ")}`;
}

/** `page` with the text between the benchmark's two markers replaced. Throws when it does not have exactly one pair. */
export function replaceSection(page: string, name: string, text: string): string {
  const [start, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const pieces = page.split(start);
  const rest = pieces[1]?.split(end);
  if (pieces.length !== 2 || rest?.length !== 2) throw new Error(`the page does not have exactly one pair of ${start} and ${end}`);
  return `${pieces[0] ?? ""}${start}\n${text.trimEnd()}\n${end}${rest[1] ?? ""}`;
}
