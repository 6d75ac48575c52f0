/** What people are told of each key of a JSON schema, as a TypeScript module. */

/** One key, as the module has it. */
interface Key {
  readonly path: string;
  readonly type: string;
  readonly description: string;
  readonly isRequired: boolean;
  readonly unit?: string;
  readonly choices?: readonly unknown[];
  readonly limits?: string;
  readonly default?: unknown;
  readonly example?: unknown;
}

type Schema = Readonly<Record<string, unknown>>;

const HEAD = `
/** What people are told of a key. Elements of lists are \`[]\` in the path, free keys \`*\`. */
export interface PluginKey {
  readonly path: string;
  /** Such as \`text\`, \`list of text\`; \`any\` when the schema leaves it open. */
  readonly type: string;
  readonly description: string;
  /** Of the object that it is in. */
  readonly isRequired: boolean;
  readonly unit?: string;
  readonly choices?: readonly unknown[];
  /** Such as \`from 0 to 600\`. */
  readonly limits?: string;
  readonly default?: unknown;
  readonly example?: unknown;
}

/** Every key of the configuration, in the order of the schema. */
export const PLUGIN_KEY_TEXTS: readonly PluginKey[] = `;

export function renderKeys(schema: object): string {
  return `${HEAD}${JSON.stringify(listKeys(schema as Schema, ""), undefined, 2)};\n`;
}

/** The keys of an object schema and of everything below, where one part of the schema may be an alternative of another. */
function listKeys(schema: Schema, path: string): Key[] {
  const required = Array.isArray(schema["required"]) ? (schema["required"] as readonly unknown[]) : [];
  const own = Object.entries(asObject(schema["properties"])).flatMap(([name, child]): Key[] => {
    const at = path === "" ? name : `${path}.${name}`;
    return [describe(asObject(child), at, required.includes(name)), ...listBelow(asObject(child), at)];
  });
  const alternatives = ["allOf", "anyOf", "oneOf"].flatMap((keyword) =>
    asList(schema[keyword]).flatMap((part) => listKeys(asObject(part), path)),
  );
  return [...new Map([...alternatives, ...own].map((key) => [key.path, key])).values()];
}

function listBelow(schema: Schema, path: string): Key[] {
  const items = asObject(schema["items"]);
  const free = asObject(schema["additionalProperties"]);
  return [...listKeys(schema, path), ...listKeys(items, `${path}[]`), ...listKeys(free, `${path}.*`)];
}

function describe(schema: Schema, path: string, isRequired: boolean): Key {
  const examples = asList(schema["examples"]);
  const limits = describeLimits(schema);
  const choices = schema["enum"];
  return {
    path,
    type: describeType(schema),
    description: typeof schema["description"] === "string" ? schema["description"] : "",
    isRequired,
    ...(typeof schema["x-unit"] === "string" && { unit: schema["x-unit"] }),
    ...(Array.isArray(choices) && { choices: choices as readonly unknown[] }),
    ...(limits !== "" && { limits }),
    ...("default" in schema && { default: schema["default"] }),
    ...(examples.length > 0 && { example: examples[0] }),
  };
}

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "true or false",
  object: "object",
  array: "list",
};

function describeType(schema: Schema): string {
  const named = asList(schema["type"]).map((type) => TYPES[String(type)] ?? String(type));
  const alternatives = ["anyOf", "oneOf"].flatMap((keyword) => asList(schema[keyword]).map((part) => describeType(asObject(part))));
  const types = [...new Set([...named, ...alternatives])].filter((type) => type !== "any");
  const items = describeItems(schema);
  return types.length === 0 ? "any" : types.map((type) => (type === "list" && items !== "any" ? `list of ${items}` : type)).join(" or ");
}

function describeItems(schema: Schema): string {
  return "items" in schema ? describeType(asObject(schema["items"])) : "any";
}

function describeLimits(schema: Schema): string {
  const { minimum, exclusiveMinimum, maximum } = schema;
  const from = typeof minimum === "number" ? `from ${minimum}` : typeof exclusiveMinimum === "number" ? `above ${exclusiveMinimum}` : "";
  const to = typeof maximum === "number" ? (from === "" ? `up to ${maximum}` : ` to ${maximum}`) : "";
  return `${from}${to}`;
}

function asObject(value: unknown): Schema {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Schema) : {};
}

function asList(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : value === undefined ? [] : [value];
}
