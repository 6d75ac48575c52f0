import { PluginError } from "../../core/base/errors.ts";
import { findGuid, type Guid } from "../../core/base/ids.ts";
import type { Row } from "./row.ts";

const FNV_PRIME = 0x01000193;
const FNV_BASIS = 0x811c9dc5;

/**
 * FNV-1a (32 bits) over the values' JSON text. SQLite notices damage to its own structure and not to what a row holds; this does.
 */
export function checksum(values: readonly unknown[]): number {
  const text = JSON.stringify(values);
  let hash = FNV_BASIS;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), FNV_PRIME);
  return hash >>> 0;
}

/** The row, once its checksum is found to be that of `columns`. Throws STATE_DAMAGED. */
export function verified(row: Row, columns: readonly string[]): Row {
  if (row["sum"] === checksum(columns.map((column) => row[column]))) return row;
  throw damaged("checksum", row["sum"]);
}

/** Readers of single columns. What does not have the form it was written in means a damaged file: STATE_DAMAGED, never a guess. */
export function text(row: Row, column: string, allowed?: readonly string[]): string {
  const value = row[column];
  if (typeof value !== "string" || (allowed !== undefined && !allowed.includes(value))) throw damaged(column, value);
  return value;
}

export function textOrUndefined(row: Row, column: string): string | undefined {
  return row[column] === null ? undefined : text(row, column);
}

export function integer(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "number" || !Number.isFinite(value)) throw damaged(column, value);
  return value;
}

export function flag(row: Row, column: string): boolean {
  const value = integer(row, column);
  if (value !== 0 && value !== 1) throw damaged(column, value);
  return value === 1;
}

export function guid(row: Row, column: string): Guid {
  const value = findGuid(text(row, column));
  if (value === undefined) throw damaged(column, row[column]);
  return value;
}

export function guidOrUndefined(row: Row, column: string): Guid | undefined {
  return row[column] === null ? undefined : guid(row, column);
}

function damaged(column: string, value: unknown): PluginError {
  const shown = String(value).slice(0, 64);
  const data = { message: `state.db is damaged: ${column} holds "${shown}"`, remedy: "move state.db aside; it is rebuilt from HNS" };
  return new PluginError("STATE_DAMAGED", data);
}
