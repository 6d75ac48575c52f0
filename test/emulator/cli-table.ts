/** A control answer for people: lists as tables of `columns`, objects as lines, nothing for nothing. */
export function formatTable(value: unknown, columns?: readonly string[]): string {
  if (Array.isArray(value)) return formatRows(value.map(toRecord), columns ?? []);
  if (value === null || value === undefined) return "";
  const entries = Object.entries(toRecord(value));
  const widest = Math.max(0, ...entries.map(([key]) => key.length));
  return entries.map(([key, item]) => `${key.padEnd(widest)}  ${formatCell(key, item)}\n`).join("");
}

function formatRows(rows: readonly Record<string, unknown>[], columns: readonly string[]): string {
  if (rows.length === 0) return "none\n";
  const cells = [
    columns.map((column) => column.toUpperCase()),
    ...rows.map((row) => columns.map((column) => formatCell(column, row[column]))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => line[index]?.length ?? 0)));
  return cells
    .map(
      (line) =>
        `${line
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function formatCell(column: string, value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (column === "hresult" && typeof value === "number") return `0x${value.toString(16).padStart(8, "0")}`;
  if (column === "handle" && typeof value === "number") return `0x${value.toString(16)}`;
  if (isTexts(value)) return value.map((item) => item ?? "NULL").join(",");
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isTexts(value: unknown): value is (string | null)[] {
  return Array.isArray(value) && value.every((item) => item === null || typeof item === "string");
}

function toRecord(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : { value };
}
