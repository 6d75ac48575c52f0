/** The documents beside the emulator say what it is. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { readSettings } from "../../emulator/control-readers.ts";
import type { JsonObject } from "../../emulator/model/json.ts";
import { FAULT_KINDS } from "../../emulator/model/faults.ts";
import { DISTRIBUTIONS } from "../../emulator/model/latency.ts";
import { defaultSettings } from "../../emulator/model/world.ts";

const read = (path: string): string => readFileSync(join(process.cwd(), path), "utf8");

function readRows(): string[][] {
  const lines = read("docs/assumptions.md").split("\n");
  const start = lines.findIndex((line) => line.startsWith("| ---"));
  return lines.slice(start + 1).flatMap((line) =>
    line.startsWith("|")
      ? [
          line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim()),
        ]
      : [],
  );
}

describe("docs/assumptions.md", () => {
  const rows = readRows();

  test("has an id, an assumption, a source and a check in every row", () => {
    expect(rows.length).toBeGreaterThan(60);
    for (const row of rows) {
      expect(row).toHaveLength(4);
      expect(row[0]).toMatch(/^A\d{2,}$/);
      for (const cell of row) expect(cell).not.toBe("");
    }
  });

  test("has every id and every assumption once", () => {
    for (const column of [0, 1]) {
      const cells = rows.map((row) => row[column]);
      expect(cells).toEqual([...new Set(cells)]);
    }
  });

  test("is the only list of its kind", () => {
    expect(existsSync(join(process.cwd(), "test/emulator/ASSUMPTIONS.md"))).toBe(false);
  });

  test("names settings that exist", () => {
    const named = rows.flatMap((row) =>
      Array.from((row[1] ?? "").matchAll(/\(settings? ((?:`\w+`(?:, )?)+)/g), (match) =>
        Array.from((match[1] ?? "").matchAll(/\w+/g), String),
      ),
    );
    expect(named.flat().length).toBeGreaterThan(8);
    const known = [...Object.keys(defaultSettings()), "versionPreset"];
    for (const name of named.flat()) expect(known).toContain(name);
  });
});

describe("test/emulator/README.md", () => {
  const readme = read("test/emulator/README.md");

  test("has a row for every setting, fault and distribution", () => {
    for (const name of [...Object.keys(defaultSettings()), ...FAULT_KINDS, ...DISTRIBUTIONS]) expect(readme).toContain(`| \`${name}\` |`);
  });

  test("shows settings that the emulator takes", () => {
    const examples = Array.from(readme.matchAll(/set '(\{.*?\})'/g), (match) => match[1] ?? "");
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) expect(() => readSettings(JSON.parse(example) as JsonObject)).not.toThrow();
    expect(() => readSettings({ dhcp: "maybe" })).toThrow("is one of lease, silent");
    expect(() => readSettings({ versionPreset: "95" })).toThrow("versionPreset is one of 1809");
  });
});
