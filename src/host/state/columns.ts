import { PluginError } from "../../core/base/errors.ts";
import { findGuid, type Guid } from "../../core/base/ids.ts";
import type { Row } from "./database.ts";

/** Readers of single columns. What does not have the form it was written in means a damaged file: STATE_FAILURE, never a guess. */
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
  return new PluginError("STATE_FAILURE", { message: `state.db is damaged: column ${column} holds "${shown}"`, remedy: "move state.db aside; it is rebuilt from HNS" });
}
