/** The table of docs/agent.md: the keys of agent.json. */
import { AGENT_SCHEMA } from "../../src/service/agent/agent-schema.ts";
import { renderTable } from "./markdown.ts";

const BEGIN = "<!-- keys: made by npm run docs -->";
const END = "<!-- end of keys -->";

/** The page with its table made anew. Throws when the marks are not there. */
export function replaceAgentKeys(page: string): string {
  const [before, after] = [page.indexOf(BEGIN), page.indexOf(END)];
  if (before < 0 || after < before) throw new Error(`docs/agent.md needs the lines ${BEGIN} and ${END}`);
  const table = renderTable(["key", "values", "default", "meaning"], listRows(AGENT_SCHEMA.properties, ""));
  return `${page.slice(0, before)}${BEGIN}\n\n${table}\n\n${page.slice(after)}`;
}

/** The parts of a schema that the table shows. */
interface Shape {
  readonly type: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Shape>>;
}

function listRows(properties: Readonly<Record<string, Shape>>, path: string): string[][] {
  return Object.entries(properties).flatMap(([name, shape]) => {
    const key = `${path}${name}`;
    if (shape.properties !== undefined) return listRows(shape.properties, `${key}.`);
    const standard = shape.default === undefined ? "" : `\`${JSON.stringify(shape.default)}\``;
    return [[`\`${key}\``, describeValues(shape), standard, shape.description ?? ""]];
  });
}

function describeValues({ type, enum: values, minimum, maximum }: Shape): string {
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(", ");
  return minimum === undefined ? type : `${type}, ${minimum} to ${maximum ?? ""}`;
}
