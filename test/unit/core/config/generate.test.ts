import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const NAMES = ["plugin-keys.ts", "plugin-shape.ts", "validate-plugin.ts"];

describe("scripts/generate.ts", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "generate-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  function generate(): void {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/generate.ts", "--out", folder], { encoding: "utf8" });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  }

  test("writes what the sources in use were generated from, and code that imports nothing", () => {
    generate();
    for (const name of NAMES) {
      const text = readFileSync(join(folder, name), "utf8");
      expect(text).toBe(readFileSync(join("src/core/config/generated", name), "utf8"));
      expect(text).not.toMatch(/^\s*import\b|\brequire\(/m);
    }
  });

  test("leaves unchanged files alone", () => {
    generate();
    const old = new Date(1_000_000_000_000);
    for (const name of NAMES) utimesSync(join(folder, name), old, old);
    generate();
    for (const name of NAMES) expect(statSync(join(folder, name)).mtime).toEqual(old);
  });

  test("every property of the schema is described and has a remedy, and settings have an example", () => {
    const schema: unknown = JSON.parse(readFileSync("src/core/config/plugin.schema.json", "utf8"));
    expect(findUndocumented(schema, "")).toEqual([]);
  });
});

/** Paths of properties that lack a description, a remedy or, for plain values, an example. */
function findUndocumented(schema: unknown, path: string): string[] {
  if (typeof schema !== "object" || schema === null) return [];
  const properties: unknown = Reflect.get(schema, "properties");
  const children: [string, unknown][] = Object.entries(typeof properties === "object" && properties !== null ? properties : {});
  const below = children.flatMap(([name, child]) => {
    const at = `${path}.${name}`;
    const keys: ReadonlyMap<string, unknown> = new Map(Object.entries(typeof child === "object" && child !== null ? child : {}));
    const isPlain = keys.has("type") && keys.get("type") !== "object" && keys.get("type") !== "array";
    const missing = ["description", "x-remedy", ...(isPlain ? ["examples"] : [])].filter((key) => !keys.has(key));
    return [...missing.map((key) => `${at} lacks ${key}`), ...findUndocumented(child, at)];
  });
  return [...below, ...findUndocumented(Reflect.get(schema, "items"), `${path}.*`)];
}
