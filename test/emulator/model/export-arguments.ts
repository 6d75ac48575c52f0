import { findGuid, formatGuid, ZERO_GUID } from "../../../src/core/base/ids.ts";
import type { HandleTable } from "./handles.ts";
import { HnsError, HRESULT } from "./hresult.ts";
import { parseObject, type JsonObject } from "./json.ts";
import type { World } from "./world.ts";

export interface CallContext {
  readonly world: World;
  readonly handles: HandleTable;
  readonly pid: number;
}

/** Arguments of an export in the order of its signature without the out pointers: handles and numbers as decimal text, GUIDs as text. */
export type CallArgs = readonly (string | null)[];

/** What an export gives back besides its HRESULT: an out handle or an out string. */
export interface CallEffect {
  readonly handle?: number;
  readonly output?: string;
}

export type Export = (context: CallContext, args: CallArgs) => CallEffect;

/** A GUID argument, zero included; INVALID_ARGUMENT when it is none. */
export function readId(text: string | null | undefined): string {
  const guid = findGuid(text ?? "");
  if (guid === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "id");
  return formatGuid(guid);
}

export function readNonZeroId(text: string | null | undefined): string {
  const id = readId(text);
  if (id === formatGuid(ZERO_GUID)) throw new HnsError(HRESULT.INVALID_ARGUMENT, "id is zero");
  return id;
}

export function readHandle(text: string | null | undefined): number {
  const handle = Number(text ?? "0");
  return Number.isSafeInteger(handle) ? handle : -1;
}

/** A number passed by value. */
export function readNumber(text: string | null | undefined): number {
  return Number(text ?? "0");
}

export function readDocument(text: string | null | undefined): JsonObject {
  if (text === null || text === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, "settings are NULL");
  return parseObject(text);
}
