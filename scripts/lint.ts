/** `npm run lint [-- PATHS]`: the rules of eslint.config.mjs and the format of .prettierrc, side by side. `--fix` repairs what can be. */
import { join } from "node:path";
import { root } from "./package/paths.ts";
import { ensureGenerated } from "./generated.ts";
import { runVisible } from "./setup/process.mjs";

await ensureGenerated();
const fix = process.argv.includes("--fix");
const given = process.argv.slice(2).filter((argument) => argument !== "--fix");
const targets = given.length > 0 ? given : ["."];
const tool = (path: string, ...args: string[]): Promise<number> =>
  runVisible(process.execPath, [join(root, "node_modules", path), ...args, ...targets], { cwd: root });
const eslint = (): Promise<number> => tool("eslint/bin/eslint.js", "--max-warnings=0", ...(fix ? ["--fix"] : []));
const prettier = (): Promise<number> =>
  tool("prettier/bin/prettier.cjs", "--log-level=warn", "--cache", "--cache-location=build/prettier-cache", fix ? "--write" : "--check");

// Repairs touch the same files, so they go one after the other.
const codes = fix ? [await eslint(), await prettier()] : await Promise.all([eslint(), prettier()]);
process.exitCode = codes.find((code) => code !== 0) ?? 0;
