/** `npm run package:pkg`: the program as @yao-pkg/pkg packs it, in dist/pkg; does nothing when nothing has changed. */
import { join } from "node:path";
import { packageAll } from "./package.ts";
import { paths } from "./package/paths.ts";
import { buildPkg, pkgFiles } from "./package/pkg.ts";
import { runStep, type Step } from "./package/step.ts";
import { withFileLock } from "./setup/file-lock.ts";

const pkgStep: Step = {
  name: "pkg",
  inputs: ["scripts/package", "src", "package.json", "package-lock.json", "scripts/setup/pins.json"],
  outputs: pkgFiles,
  run: buildPkg,
};

try {
  await packageAll();
  const start = Date.now();
  const ran = await withFileLock(join(paths.build, "pkg.lock"), () => runStep(pkgStep));
  process.stdout.write(ran ? `pkg: built in ${((Date.now() - start) / 1000).toFixed(1)} s\n` : "pkg: up to date\n");
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
