/** The HNS emulator's native libraries. One whose compiler is missing is left out; the tests that need it say so. */
import { join } from "node:path";
import { findProgram } from "../setup/process.mjs";
import { paths } from "./paths.ts";

const targets = [
  { platform: "linux-x64", compiler: "gcc", files: ["libcomputenetwork.so"] },
  { platform: "win-x64", compiler: "x86_64-w64-mingw32-gcc", files: ["computenetwork.dll", "vmcompute.dll"] },
] as const;

export function emulatorFiles(): readonly string[] {
  const buildable = targets.filter((target) => findProgram(target.compiler) !== undefined);
  return buildable.flatMap((target) => target.files.map((file) => join(paths.emulator, target.platform, file)));
}

export async function buildEmulatorLibraries(): Promise<void> {
  const { buildEmulator } = await import("../../test/emulator/native/build.ts");
  await buildEmulator({ outDir: paths.emulator });
}
