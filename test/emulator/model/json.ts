import { HnsError, HRESULT } from "./hresult.ts";

export type JsonValue = null | boolean | number | string | JsonValue[] | JsonObject;

export interface JsonObject {
  [key: string]: JsonValue;
}

/** The object written in `text`; INVALID_JSON when it is anything else. */
export function parseObject(text: string): JsonObject {
  const value = parseValue(text);
  if (!isObject(value)) throw new HnsError(HRESULT.INVALID_JSON, "not an object");
  return value;
}

function parseValue(text: string): JsonValue {
  try {
    // JSON.parse can only give what JsonValue describes.
    return JSON.parse(text) as JsonValue;
  } catch {
    throw new HnsError(HRESULT.INVALID_JSON);
  }
}

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A field by its name in any case (clients write ID and Id alike); null counts as absent. */
export function findField(object: JsonObject, name: string): JsonValue | undefined {
  const direct = object[name];
  if (direct !== undefined) return direct ?? undefined;
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : (object[key] ?? undefined);
}

export function findText(object: JsonObject, name: string): string | undefined {
  return expectType(findField(object, name), name, (value) => typeof value === "string");
}

export function findNumber(object: JsonObject, name: string): number | undefined {
  return expectType(findField(object, name), name, (value) => typeof value === "number");
}

export function findFlag(object: JsonObject, name: string): boolean | undefined {
  return expectType(findField(object, name), name, (value) => typeof value === "boolean");
}

export function findObject(object: JsonObject, name: string): JsonObject | undefined {
  return expectType(findField(object, name), name, isObject);
}

/** The objects of a list; an absent list is empty. */
export function listObjects(object: JsonObject, name: string): JsonObject[] {
  return listOf(object, name, isObject);
}

/** The texts of a list; an absent list is empty. */
export function listTexts(object: JsonObject, name: string): string[] {
  return listOf(object, name, (value) => typeof value === "string");
}

/** `text` split at commas, as version 1 documents write lists. */
export function splitList(text: string | undefined): string[] {
  return (text ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

/** `fields` without those that are undefined, so that absent stays absent in the document. */
export function buildObject(fields: Record<string, JsonValue | undefined>): JsonObject {
  const object: JsonObject = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) object[key] = value;
  return object;
}

function listOf<T extends JsonValue>(object: JsonObject, name: string, accepts: (value: JsonValue) => value is T): T[] {
  const value = findField(object, name);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw new HnsError(HRESULT.INVALID_JSON, `${name} is not a list`);
  return value.map((item) => {
    if (!accepts(item)) throw new HnsError(HRESULT.INVALID_JSON, `${name} holds an item of the wrong type`);
    return item;
  });
}

function expectType<T extends JsonValue>(
  value: JsonValue | undefined,
  name: string,
  accepts: (value: JsonValue) => value is T,
): T | undefined {
  if (value === undefined) return undefined;
  if (!accepts(value)) throw new HnsError(HRESULT.INVALID_JSON, `${name} has the wrong type`);
  return value;
}
