/** The tables of docs/drop-in.md: what becomes of each key of other plugins. */
import { FOREIGN_PLUGINS } from "../../src/core/config/foreign/convert.ts";
import { commonKeys, type ForeignPlugin } from "../../src/core/config/foreign/plugin.ts";
import type { Table } from "../../src/core/config/foreign/rules.ts";
import { renderDifferences } from "./drop-in-differences.ts";
import { renderTable } from "./markdown.ts";

const TABLES = ["<!-- tables: made by npm run docs -->", "<!-- end of tables -->"] as const;
const DIFFERENCES = ["<!-- differences: made by npm run docs -->", "<!-- end of differences -->"] as const;

type Row = [key: string, becomes: string, remark: string];

const TITLES = ["key", "becomes", "remark"];

/** The page with its tables made anew. Throws when the marks are not there. */
export function replaceTables(page: string): string {
  const tables = [renderCommon(), ...FOREIGN_PLUGINS.map(renderPlugin)].join("\n\n");
  return replaceBetween(replaceBetween(page, DIFFERENCES, renderDifferences()), TABLES, tables);
}

function replaceBetween(page: string, [begin, end]: readonly [string, string], text: string): string {
  const [before, after] = [page.indexOf(begin), page.indexOf(end)];
  if (before < 0 || after < before) throw new Error(`docs/drop-in.md needs the lines ${begin} and ${end}`);
  return `${page.slice(0, before)}${begin}\n\n${text}\n\n${page.slice(after)}`;
}

function commonRows(): Row[] {
  return listRows(commonKeys({ isGatewayFromIpam: false }), "");
}

function renderCommon(): string {
  return `### All plugins\n\nKeys that are in none of the tables are dropped by name, unless this plugin has them.\n\n${renderTable(TITLES, commonRows())}`;
}

/** The rows that are not as for all plugins. */
function renderPlugin({ types, about, mode, keys }: ForeignPlugin): string {
  const common = new Set(commonRows().map((row) => row.join("\n")));
  const rows = listRows(keys, "").filter((row) => !common.has(row.join("\n")));
  const others = types.slice(1).map((type) => `\`${type}\``);
  const names = others.length === 0 ? "" : ` Also called ${others.join(", ")}.`;
  const table = rows.length === 0 ? "" : `\n\n${renderTable(TITLES, rows)}`;
  return `### ${types[0]}\n\n${about}${names} Becomes \`mode\` \`${mode}\` unless the source says otherwise.${table}`;
}

function listRows(keys: Table, path: string): Row[] {
  return Object.entries(keys).flatMap(([key, { becomes, remark, keys: below }]): Row[] => {
    const shown = path === "" ? key : `${path}.${key}`;
    if (below !== undefined) return listRows(below, shown);
    const targets = becomes === "" ? [] : becomes.split(", ").map((name) => `\`${name}\``);
    return [[`\`${shown}\``, targets.join(", "), remark === "" && becomes === shown ? "as it is" : remark]];
  });
}
