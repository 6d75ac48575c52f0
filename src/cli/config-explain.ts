import { PLUGIN_KEY_TEXTS, type PluginKey } from "../core/config/generated/plugin-keys.ts";
import { writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export interface ExplainKeyArguments {
  /** In any case; absent for all. */
  readonly key: string | undefined;
  readonly output: "text" | "json" | "yaml";
}

/** Explains a key and names what is below it. Throws CliError for one that the configuration does not have. */
export function explainKey(world: CliWorld, { key, output }: ExplainKeyArguments): ExitCode {
  const found = key === undefined ? PLUGIN_KEY_TEXTS : findKeys(key);
  if (output !== "text") writeDocument(world, found, output);
  else if (key === undefined) writeList(world, found);
  else world.writeOut(found.map(formatKey).join("\n"));
  return 0;
}

/** The key itself first, then those below it. */
function findKeys(key: string): PluginKey[] {
  const wanted = plain(key);
  const exact = PLUGIN_KEY_TEXTS.filter(({ path }) => plain(path) === wanted);
  const named = exact.length > 0 ? exact : PLUGIN_KEY_TEXTS.filter(({ path }) => plain(path).split(".").at(-1) === wanted);
  if (named.length === 0) throw unknownKey(key);
  const below = PLUGIN_KEY_TEXTS.filter(({ path }) => named.some((one) => plain(path).startsWith(`${plain(one.path)}.`)));
  return [...new Set([...named, ...below])];
}

/** Indices and the marks of lists say nothing of the key. */
function plain(path: string): string {
  return path.toLowerCase().replaceAll(/\[\d*\]/g, "");
}

function unknownKey(key: string): CliError {
  const last = plain(key).split(".").at(-1) ?? "";
  const near = PLUGIN_KEY_TEXTS.filter(({ path }) => last.length > 2 && plain(path).includes(last.slice(0, 4))).map(({ path }) => path);
  const next = near.length === 0 ? "hns-cni config explain lists all keys" : `did you mean ${near.slice(0, 5).join(", ")}?`;
  return new CliError(`cannot explain "${key.slice(0, 60)}"`, { why: "the configuration has no such key", next });
}

function formatKey(key: PluginKey): string {
  const rows: [string, string | undefined][] = [
    ["Type", `${key.type}${key.unit === undefined ? "" : `, ${key.unit}`}${key.isRequired ? ", required" : ""}`],
    ["Values", key.choices?.map((choice) => JSON.stringify(choice)).join(", ")],
    ["Limits", key.limits],
    ["Default", key.default === undefined ? undefined : JSON.stringify(key.default)],
    ["Example", key.example === undefined ? undefined : JSON.stringify(key.example)],
  ];
  const lines = rows.flatMap(([title, value]) => (value === undefined ? [] : [`  ${`${title}:`.padEnd(10)}${value}\n`]));
  return `${key.path}\n  ${key.description}\n${lines.join("")}`;
}

function writeList(world: CliWorld, keys: readonly PluginKey[]): void {
  const rows = keys.map((key) => [key.path, key.type, key.unit ?? "", key.default === undefined ? "" : JSON.stringify(key.default)]);
  writeTable(world, ["key", "type", "unit", "default"], rows);
}
