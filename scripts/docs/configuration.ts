/** docs/configuration.md: every key of the schema. */
import { PLUGIN_KEY_TEXTS, type PluginKey } from "../../src/core/config/generated/plugin-keys.ts";

const HEAD = `# Configuration

Every key of the plugin's configuration. This page is made from \`src/core/config/plugin.schema.json\` by \`npm run docs\`; a test holds it in step.
\`hns-cni config explain KEY\` says the same on the node, \`hns-cni config validate FILE\` reports what is wrong in a file, and
\`hns-cni config show FILE\` fills in the defaults.

Keys are read in any case, \`null\` is absent, and keys that are not here are warned about. Elements of lists are \`[]\` below, free keys \`*\`.
What pools of addresses do with their settings is in [ipam.md](ipam.md), other plugins' configurations are in [drop-in.md](drop-in.md).
`;

export function renderConfiguration(keys: readonly PluginKey[] = PLUGIN_KEY_TEXTS): string {
  return `${[HEAD.trimEnd(), ...keys.map(renderKey)].join("\n\n")}\n`;
}

function renderKey(key: PluginKey): string {
  const rows: [string, string | undefined][] = [
    ["Type", `${key.type}${key.isRequired ? ", required" : ""}`],
    ["Unit", key.unit],
    ["Values", key.choices?.map(code).join(", ")],
    ["Limits", key.limits],
    ["Default", key.default === undefined ? undefined : code(key.default)],
    ["Example", key.example === undefined ? undefined : code(key.example)],
  ];
  const list = rows.flatMap(([title, value]) => (value === undefined ? [] : [`- ${title}: ${value}`]));
  return `## ${key.path}\n\n${key.description}\n\n${list.join("\n")}`;
}

function code(value: unknown): string {
  return `\`${JSON.stringify(value)}\``;
}
