/** Paths of what `npm run package` makes. Suites are run from the root of the clone. */
import { join } from "node:path";

const root = process.cwd();

export const build = join(root, "build");
export const linuxProgram = join(root, "dist/linux-x64/hns-cni");
export const windowsProgram = join(root, "dist/win-x64/hns-cni.exe");
export const windowsKoffi = join(root, "dist/win-x64/koffi.node");
export const emulatorLibrary = join(root, "dist/emulator/linux-x64/libcomputenetwork.so");
export const emulatorDlls: readonly string[] = ["computenetwork.dll", "vmcompute.dll"].map((name) =>
  join(root, "dist/emulator/win-x64", name),
);
export const windowsShimProgram = join(root, "dist/win-x64/hns-cni-shim.exe");
