/** The generated sources, up to date: type check and lint read them. */
import { join } from "node:path";
import { paths } from "./package/paths.ts";
import { runStep } from "./package/step.ts";
import { generateStep } from "./package/steps.ts";
import { withFileLock } from "./setup/file-lock.ts";

export async function ensureGenerated(): Promise<void> {
  await withFileLock(join(paths.build, "package.lock"), () => runStep(generateStep));
}
