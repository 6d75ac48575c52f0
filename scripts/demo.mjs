/** `npm run demo`: brings what the demonstration needs, then runs it with the pinned Node. */
import { join } from "node:path";
import { runVisible } from "./setup/process.mjs";
import { ensureSystemPackages } from "./setup/system-packages.mjs";
import { ensureToolchain, root } from "./setup/toolchain.mjs";

const node = ensureToolchain();
const problems = ensureSystemPackages(["gcc"]);
if (problems.length > 0) {
  process.stderr.write(`${problems.join("\n")}\n`);
  process.exit(1);
}
process.exitCode = await runVisible(node, [join(root, "scripts/demo.ts"), ...process.argv.slice(2)], { cwd: root });
