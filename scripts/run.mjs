/** `node scripts/run.mjs FILE.ts ARGS`: runs a TypeScript file with the pinned Node, whatever Node started this one. */
import { resolve } from "node:path";
import { runVisible } from "./setup/process.mjs";
import { ensureToolchain, root } from "./setup/toolchain.mjs";

const [file, ...args] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("usage: node scripts/run.mjs FILE.ts [ARGS]\n");
  process.exit(2);
}
process.exitCode = await runVisible(ensureToolchain(), [resolve(file), ...args], { cwd: root });
