import { readFileSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { findViolations } from "../support/layering.ts";

const root = process.cwd();

function readSources(): Map<string, string> {
  const entries = readdirSync(join(root, "src"), { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".ts")).map((entry) => join(entry.parentPath, entry.name));
  // The generated validators are one long file each, and nobody reads them.
  const own = files.filter((file) => !file.includes("/generated/"));
  return new Map(own.map((file) => [relative(root, file), readFileSync(file, "utf8")]));
}

describe("the layers of src", () => {
  it("hold in every file", () => {
    const sources = readSources();
    expect(sources.has("src/core/base/errors.ts")).toBe(true);
    expect(findViolations(sources)).toEqual([]);
  });

  it.each([
    ["core importing a builtin", "src/core/base/a.ts", 'import { join } from "node:path";', /core imports only core/],
    ["core importing a package", "src/core/ipam/a.ts", 'import type { X } from "koffi";', /core imports only core/],
    ["core importing host", "src/core/engine/a.ts", 'import { x } from "../../host/ffi/library.ts";', /must not know src\/host/],
    ["a lazy import upwards", "src/host/ffi/a.ts", 'export const x = () => import("../../bin/main.ts");', /must not know src\/bin/],
    ["a re-export upwards", "src/core/base/a.ts", 'export { x } from "../cni/env.ts";', /must not know src\/core\/cni/],
    ["policy knowing the engine", "src/core/policy/a.ts", 'import { x } from "../engine/attach.ts";', /must not know src\/core\/engine/],
    [
      "policy knowing the configuration",
      "src/core/policy/a.ts",
      'import { x } from "../config/faults.ts";',
      /must not know src\/core\/config/,
    ],
    ["an import out of src", "src/bin/a.ts", 'import { x } from "../../test/support/skip.ts";', /outside the known folders/],
    ["a file outside the folders", "src/misc/a.ts", "export {};", /in no known folder/],
    ["process in core", "src/core/cni/a.ts", "export const x = process.pid;", /core has no outside world/],
    ["the environment in host", "src/host/exec/a.ts", 'export const x = process.env["A"];', /only src\/bin may/],
    ["arguments in the service", "src/service/a.ts", "export const { argv } = process;", /only src\/bin may/],
    ["a package outside host", "src/bin/a.ts", 'import koffi from "koffi";', /outside src\/host/],
    ["a package of the command line in host", "src/host/exec/a.ts", 'import { parse } from "yaml";', /yaml is imported outside src\/cli/],
    ["a package of the command line in bin", "src/bin/a.ts", 'import yargs from "yargs";', /yargs is imported outside src\/cli/],
    ["a package of the command line in core", "src/core/hcn/a.ts", 'import { parse } from "yaml";', /core imports only core/],
    ["another package in the command line", "src/cli/a.ts", 'import koffi from "koffi";', /koffi is imported outside src\/host/],
    ["a very long file", "src/host/exec/a.ts", "// line\n".repeat(401), /401 lines/],
  ])("report %s", (_name, path, text, message) => {
    expect(findViolations(new Map([[path, text]]))).toEqual([expect.stringMatching(message)]);
  });

  it("report a dependency with two homes", () => {
    const text = 'import { DatabaseSync } from "node:sqlite";';
    const sources = new Map([
      ["src/host/state/a.ts", text],
      ["src/host/state/b.ts", text],
    ]);
    expect(findViolations(sources)).toEqual(["node:sqlite is imported in more than one file: src/host/state/a.ts, src/host/state/b.ts"]);
  });

  it("report folders of one rank that import each other", () => {
    const sources = new Map([
      ["src/core/datapath/a.ts", 'import { x } from "../ipam/b.ts";'],
      ["src/core/ipam/b.ts", 'import { y } from "../datapath/a.ts";'],
    ]);
    expect(findViolations(sources)).toHaveLength(2);
  });

  it("allow what the rules allow", () => {
    const sources = new Map([
      ["src/core/engine/a.ts", 'import { x } from "../base/a.ts"; export const y = { process: x, env: 1 }.env;'],
      ["src/host/ffi/a.ts", 'import type koffi from "koffi"; import { x } from "../../core/hcn/backend.ts"; process.exit(1);'],
      ["src/cli/a.ts", 'import type { Argv } from "yargs"; import { stringify } from "yaml";'],
      ["src/cli/b.ts", 'import yargs from "yargs";'],
      ["src/bin/main.ts", 'import { x } from "../host/ffi/a.ts"; x(process.env, process.argv);'],
    ]);
    expect(findViolations(sources)).toEqual([]);
  });
});
