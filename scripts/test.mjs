/** `npm test`: brings what the suites need, then runs them all (or those that the arguments name) with the pinned Node. */
import { join } from "node:path";
import { runVisible } from "./setup/process.mjs";
import { ensureSystemPackages } from "./setup/system-packages.mjs";
import { ensureToolchain, root } from "./setup/toolchain.mjs";
import { ensureWine10 } from "./setup/wine10.mjs";

const node = ensureToolchain();
for (const problem of ensureSystemPackages(["gcc", "mingw", "wine", "debootstrap"])) process.stderr.write(`${problem}\n`);
ensureWine10();
process.exitCode = await runVisible(node, [join(root, "scripts/test.ts"), ...process.argv.slice(2)], { cwd: root });
