/** `npm run package`: generated sources, the programs and the shim for Linux and Windows, and the emulator's libraries; does only what has changed. */
import { join } from "node:path";
import { paths } from "./package/paths.ts";
import { runStep } from "./package/step.ts";
import { emulatorStep, generateStep, programsStep, shimStep } from "./package/steps.ts";
import { withFileLock } from "./setup/file-lock.ts";

export async function packageAll(): Promise<void> {
  await withFileLock(join(paths.build, "package.lock"), async () => {
    for (const step of [generateStep, emulatorStep, shimStep, programsStep]) {
      const start = Date.now();
      const ran = await runStep(step);
      process.stdout.write(ran ? `${step.name}: built in ${((Date.now() - start) / 1000).toFixed(1)} s\n` : `${step.name}: up to date\n`);
    }
  });
}

if (import.meta.main) {
  try {
    await packageAll();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
