/** The configuration list of the README, and what a container runtime makes of it for one call (CNI specification, section 3 and 4). */
import { readFileSync } from "node:fs";

export type JsonObject = Readonly<Record<string, unknown>>;

export interface ConfList extends JsonObject {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly PluginObject[];
}

export interface PluginObject extends JsonObject {
  readonly type: string;
  readonly capabilities?: Readonly<Record<string, boolean>>;
}

/** The first JSON block of a Markdown file that is a configuration list. Throws when there is none. */
export function readConfList(markdownFile: string): ConfList {
  const text = readFileSync(markdownFile, "utf8");
  for (const [, block = ""] of text.matchAll(/^```json\n([\s\S]*?)^```/gm)) {
    if (!block.includes('"plugins"')) continue;
    const value: unknown = JSON.parse(block);
    if (isConfList(value)) return value;
  }
  throw new Error(`${markdownFile} shows no configuration list`);
}

function isConfList(value: unknown): value is ConfList {
  if (typeof value !== "object" || value === null) return false;
  const { cniVersion, name, plugins } = value as Partial<Record<string, unknown>>;
  return typeof cniVersion === "string" && typeof name === "string" && Array.isArray(plugins) && plugins.length > 0;
}

/**
 * What the plugin gets on its stdin: its own object with the list's name and version, of `runtimeConfig` the parts for which it
 * declares a capability, and the earlier result where there is one.
 */
export function buildPluginInput(
  list: ConfList,
  plugin: PluginObject,
  call: { runtimeConfig: JsonObject; prevResult?: unknown },
): JsonObject {
  const declared = Object.entries(call.runtimeConfig).filter(([capability]) => plugin.capabilities?.[capability] === true);
  return {
    ...plugin,
    name: list.name,
    cniVersion: list.cniVersion,
    ...(declared.length === 0 ? {} : { runtimeConfig: Object.fromEntries(declared) }),
    ...(call.prevResult === undefined ? {} : { prevResult: call.prevResult }),
  };
}
