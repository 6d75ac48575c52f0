import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { PLUGIN_KEYS } from "./generated/plugin-shape.ts";

/** Keys with this prefix belong to the CNI specification, not to the plugin. */
const RESERVED_PREFIX = "cni.dev/";

/**
 * A copy of the plugin's configuration with every key the schema knows in its canonical case and every null left out; runtimes
 * send keys in Go's case, and null for empty lists. Of keys that differ in case alone the last wins. Unknown keys are dropped, free-form objects kept.
 * Adds a line to `warnings` for each unknown or repeated key.
 */
export function canonicaliseKeys(raw: JsonObject, warnings: string[]): Record<string, unknown> {
  const document = canonicaliseObject(raw, { path: "", shown: "" }, warnings);
  const ipam = findField(raw, "ipam");
  // A section without a key that we know is still one: an empty one would mean that HNS chooses the addresses.
  if (isJsonObject(ipam) && !isEmpty(ipam) && isJsonObject(document["ipam"]) && isEmpty(document["ipam"]))
    document["ipam"] = { type: undefined };
  return document;
}

/** Whether it has no key that says anything. */
export function isEmpty(object: JsonObject): boolean {
  return Object.values(object).every((value) => value === null);
}

/** A place in the document: `path` as the shape table has it (`*` for elements), `shown` as people read it. */
interface Place {
  readonly path: string;
  readonly shown: string;
}

function canonicaliseObject(raw: JsonObject, place: Place, warnings: string[]): Record<string, unknown> {
  const known = PLUGIN_KEYS[place.path] ?? [];
  const fields = new Map<string, unknown>();
  const seen = new Map<string, string>();
  for (const [key, value] of Object.entries(raw)) {
    const canonical = findKey(known, key);
    if (canonical === undefined) {
      if (!key.startsWith(RESERVED_PREFIX)) warnings.push(`unknown key ${join(place.shown, shorten(key))} is ignored`);
      continue;
    }
    const earlier = seen.get(canonical);
    if (earlier !== undefined) warnings.push(`key ${join(place.shown, canonical)} is given as ${earlier} and ${key}; the last one counts`);
    seen.set(canonical, key);
    if (value === null) fields.delete(canonical);
    else
      fields.set(canonical, canonicaliseValue(value, { path: join(place.path, canonical), shown: join(place.shown, canonical) }, warnings));
  }
  return Object.fromEntries(fields);
}

/** The key of `known` that is `key` in any case. */
export function findKey(known: readonly string[], key: string): string | undefined {
  if (known.includes(key)) return key;
  const lower = key.toLowerCase();
  return known.find((one) => one.toLowerCase() === lower);
}

/** Everything is copied where the validator fills defaults in, so the caller's document stays as it is. */
function canonicaliseValue(value: unknown, place: Place, warnings: string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown, index) =>
      canonicaliseValue(item, { path: `${place.path}.*`, shown: `${place.shown}[${index}]` }, warnings),
    );
  }
  return isJsonObject(value) && Object.hasOwn(PLUGIN_KEYS, place.path) ? canonicaliseObject(value, place, warnings) : value;
}

function join(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
