/** The pages that are made from sources; `npm run docs` writes them. */
import { readFileSync } from "node:fs";
import { renderConfiguration } from "../../../scripts/docs/configuration.ts";
import { replaceTables } from "../../../scripts/docs/drop-in.ts";
import { FOREIGN_PLUGINS } from "../../../src/core/config/foreign/convert.ts";

test("docs/configuration.md is what the schema says", () => {
  expect(readFileSync("docs/configuration.md", "utf8")).toBe(renderConfiguration());
});

test("docs/configuration.md has every key of the schema, with its description", () => {
  const page = readFileSync("docs/configuration.md", "utf8");
  const missing = listKeys(JSON.parse(readFileSync("src/core/config/plugin.schema.json", "utf8")), "").filter(
    ({ path, description }) => !page.includes(`## ${path}\n\n${description}\n`),
  );
  expect(missing).toEqual([]);
});

test("the tables of docs/drop-in.md are those of the translation", () => {
  const page = readFileSync("docs/drop-in.md", "utf8");
  expect(page).toBe(replaceTables(page));
  for (const { types, keys } of FOREIGN_PLUGINS) {
    const section = page.split(/^### /m).find((part) => part.startsWith(`${types[0]}\n`)) ?? "";
    const all = page.split(/^### /m).find((part) => part.startsWith("All plugins\n")) ?? "";
    for (const key of Object.keys(keys)) expect(`${section}${all}`).toMatch(new RegExp(`^\\| \`${key}[\`.]`, "m"));
  }
});

test("a page without the marks is refused rather than left as it is", () => {
  expect(() => replaceTables("# Nothing")).toThrow("docs/drop-in.md needs the lines");
});

/** Every property of a schema, read apart from the generator. */
function listKeys(schema: unknown, path: string): { path: string; description: string }[] {
  if (typeof schema !== "object" || schema === null) return [];
  const properties: unknown = Reflect.get(schema, "properties");
  const own = typeof properties === "object" && properties !== null ? Object.entries(properties) : [];
  const below = own.flatMap(([name, child]: [string, unknown]) => {
    const at = path === "" ? name : `${path}.${name}`;
    const description = typeof child === "object" && child !== null ? String(Reflect.get(child, "description")) : "";
    return [{ path: at, description }, ...listKeys(child, at)];
  });
  return [...below, ...listKeys(Reflect.get(schema, "items"), `${path}[]`)];
}
