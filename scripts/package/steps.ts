/** The build's steps. What each runs is imported only when it has to run: most builds find everything up to date. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cacheFile } from "./bundles.ts";
import { canRecord } from "./code-cache.ts";
import { emulatorFiles } from "./emulator.ts";
import { paths, root } from "./paths.ts";
import { programFiles } from "./program-files.ts";
import { buildShims, shimFiles } from "./shim.ts";
import { filesBelow, type Step } from "./step.ts";

const generated = "src/core/config/generated";
const pins = ["package-lock.json", "scripts/setup/pins.json"];

/** Sources that are made from the JSON schemas. */
export const generateStep: Step = {
  name: "generate",
  inputs: ["scripts/generate.ts", "scripts/generate", "src/core/config", "package-lock.json"],
  except: [`${generated}/`],
  outputs: () => filesBelow(paths.generated),
  run: () => {
    execFileSync(process.execPath, [join(root, "scripts/generate.ts")], {
      cwd: root,
      stdio: ["ignore", "inherit", "inherit"],
      timeout: 120_000,
    });
    return Promise.resolve();
  },
};

/** dist/linux-x64 and dist/win-x64. */
export const programsStep: Step = {
  name: "programs",
  // The emulator's library is there for the code cache, which is made by running the program.
  inputs: ["scripts/package", "src", "package.json", "dist/emulator/linux-x64", ...pins],
  except: ["src/shim/", "scripts/package/shim.ts"],
  outputs: programFiles,
  run: async () => {
    const { buildPrograms } = await import("./programs.ts");
    await buildPrograms();
  },
  isComplete: () => !canRecord() || existsSync(cacheFile),
};

/** dist/emulator: the HNS emulator's native libraries, for each platform whose compiler is there. */
export const emulatorStep: Step = {
  name: "emulator",
  inputs: ["scripts/package/emulator.ts", "test/emulator/native"],
  outputs: emulatorFiles,
  run: async () => {
    const { buildEmulatorLibraries } = await import("./emulator.ts");
    await buildEmulatorLibraries();
  },
};

/** The shim in C, beside the programs. */
export const shimStep: Step = {
  name: "shim",
  // Its version block has the number of package.json.
  inputs: ["scripts/package/shim.ts", "scripts/package/pe.ts", "src/shim", "package.json", "package-lock.json"],
  outputs: () => shimFiles(root),
  run: () => buildShims(root),
};
