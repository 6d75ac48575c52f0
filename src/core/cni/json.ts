/** A JSON object whose fields are still to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The field called `name`, matched as Go's decoder matches it: exactly, else in any case. JSON null counts as absent.
 * Runtimes written in Go rely on this and send keys such as `Dst` and `GW`.
 */
export function findField(object: JsonObject, name: string): unknown {
  const key = Object.hasOwn(object, name) ? name : findKey(object, name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}

/** Whether the field is there, in any case, be it with null. */
export function hasField(object: JsonObject, name: string): boolean {
  return findKey(object, name) !== undefined;
}

/** The spelling that the object has for `name`. */
export function findKey(object: JsonObject, name: string): string | undefined {
  const wanted = name.toLowerCase();
  return Object.keys(object).find((key) => key.toLowerCase() === wanted);
}
