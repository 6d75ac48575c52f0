/** `npm run typecheck`: the whole project against tsconfig.json. */
import { join } from "node:path";
import { root } from "./package/paths.ts";
import { ensureGenerated } from "./generated.ts";
import { runVisible } from "./setup/process.mjs";

await ensureGenerated();
const compiler = join(root, "node_modules/typescript/bin/tsc");
process.exitCode = await runVisible(process.execPath, [compiler, "-p", root, ...process.argv.slice(2)], { cwd: root });
