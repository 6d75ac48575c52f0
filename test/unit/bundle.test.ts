/** What the hot path of the executable consists of. Reads what `npm run package` left in build/. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "../support/paths.ts";

/** The part of esbuild's metafile that is read here. */
interface Metafile {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly outputs: Readonly<Record<string, { readonly bytes: number; readonly imports: readonly { readonly path: string }[] }>>;
}

/** Builtins that are in Node's start-up snapshot or cost next to nothing to load; node:sqlite is worth its price. */
const allowed = ["node:fs", "node:path", "node:sqlite", "node:util"];
/** Asked for by the calls that need them: other scripts, IPAM plugins that are other programs, terminals, the node's name. */
const lazy = ["node:child_process", "node:os", "node:sea", "node:tty", "node:vm"];
/** Globals of Node whose first use loads a builtin that costs more than all of ours. */
const costly = ["performance", "crypto", "console", "fetch", "navigator", "structuredClone"];
/** Each KiB is read at each start; what a call costs in all is for `npm run bench -- startup` to tell. */
const limitOfBytes = 400 * 1024;

const metafile = JSON.parse(readFileSync(join(build, "meta-cni.json"), "utf8")) as Metafile;
const outputs = Object.values(metafile.outputs);

describe("the bundle of the CNI program", () => {
  it("holds no npm package: only this project's own sources", () => {
    const foreign = Object.keys(metafile.inputs).filter((path) => !path.startsWith("src/"));
    expect(foreign).toEqual([]);
  });

  it("imports only builtins that start quickly", () => {
    const imported = outputs.flatMap((output) => output.imports.map(({ path }) => path));
    expect(imported.filter((path) => !allowed.includes(path))).toEqual([]);
  });

  it("point 10: names no other builtin, so that none is loaded by a computed require and child processes are started in one place", () => {
    const text = readFileSync(join(build, "cni.cjs"), "utf8");
    const named = new Set(text.match(/(?<=["'`])node:[a-z_/]+(?=["'`])/g));
    expect(named.size).toBeGreaterThan(0);
    expect([...named].filter((name) => !allowed.includes(name) && !lazy.includes(name))).toEqual([]);
  });

  it.each(lazy)("asks for %s only when it needs it", (name) => {
    // Lines are broken wherever they get long, within texts too.
    const text = readFileSync(join(build, "cni.cjs"), "utf8").replaceAll(/\\?\n/g, "");
    expect(text.split(`"${name}"`)).toHaveLength(2);
    expect(text.includes(`process.getBuiltinModule("${name}")`)).toBe(true);
  });

  it("uses no global that loads a builtin when it is first used", () => {
    const text = readFileSync(join(build, "cni.cjs"), "utf8");
    expect(costly.filter((name) => new RegExp(`(?<![\\w.$"'\`])${name}[.(]`).test(text))).toEqual([]);
  });

  it(`is smaller than ${limitOfBytes / 1024} KiB`, () => {
    expect(outputs).toHaveLength(1);
    expect(outputs[0]?.bytes).toBeLessThan(limitOfBytes);
  });

  it("carries the version of package.json", () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(readFileSync(join(build, "cni.cjs"), "utf8")).toContain(JSON.stringify(version));
  });
});
