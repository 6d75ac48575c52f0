import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { describeFault } from "../base/fault.ts";
import { type Field, type ReadContext, readScalar, type Shape } from "./raw-policy-fields.ts";

export type Settings = Readonly<Record<string, unknown>>;

/**
 * The settings in `raw` with the names and in the order HNS documents have, keys in any case and by their version 1 names too; null counts as absent.
 * Adds a fault for each field that is unknown, malformed, missing or there twice, and for what the fields together must not be.
 */
export function readShape(shape: Shape, raw: JsonObject, path: string, context: ReadContext): Settings {
  const given = collectFields(shape, raw, path, context);
  const before = context.faults.length;
  const settings: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(shape.fields)) {
    const value = given.get(name);
    if (value === undefined) {
      if (field.required === true)
        context.faults.push({ path: `${path}.${name}`, problem: "is missing", remedy: "add it; see docs/policies.md" });
      continue;
    }
    const read = readField(field, value, `${path}.${name}`, context);
    if (read !== undefined) settings[name] = read;
  }
  if (context.faults.length === before && shape.check !== undefined) context.faults.push(...shape.check(settings, path));
  return settings;
}

/** The given values by the canonical names of their fields. */
function collectFields(shape: Shape, raw: JsonObject, path: string, { faults }: ReadContext): Map<string, unknown> {
  const given = new Map<string, unknown>();
  for (const [key, value] of Object.entries(raw)) {
    if (value === null) continue;
    const name = findName(shape, key);
    if (name === undefined) {
      faults.push({
        path: `${path}.${shorten(key)}`,
        problem: "is no field of this policy",
        remedy: `its fields are ${Object.keys(shape.fields).join(", ") || "none"}`,
      });
    } else if (given.has(name)) {
      faults.push({ path: `${path}.${name}`, problem: "is there more than once", remedy: "keep one of them" });
    } else given.set(name, value);
  }
  return given;
}

function findName({ fields }: Shape, key: string): string | undefined {
  const names = Object.entries(fields).map(([name, { aliases = [] }]) => [name, ...aliases]);
  return names.find((all) => all.some((name) => name.toLowerCase() === key.toLowerCase()))?.[0];
}

function readField({ kind }: Field, value: unknown, path: string, context: ReadContext): unknown {
  if (typeof kind === "string" || "oneOf" in kind) return readScalar(kind, value, path, context);
  if ("object" in kind) return readObject(kind.object, value, path, context);
  if (Array.isArray(value)) return value.map((item: unknown, index) => readObject(kind.objects, item, `${path}[${index}]`, context));
  context.faults.push(describeFault(path, value, "must be a list of objects", "write a list; see docs/policies.md"));
  return undefined;
}

function readObject(shape: Shape, value: unknown, path: string, context: ReadContext): Settings | undefined {
  if (isJsonObject(value)) return readShape(shape, value, path, context);
  context.faults.push(describeFault(path, value, "must be an object", "write an object; see docs/policies.md"));
  return undefined;
}

/** Keys are shown cut, like values: anything may be written there. */
function shorten(text: string): string {
  return text.length > 64 ? `${text.slice(0, 64)}…` : text;
}
