/** What benchmarks run, and where they leave their results. */
import { join } from "node:path";
import { build } from "../support/paths.ts";

export { linuxProgram } from "../support/paths.ts";

export const pkgLinuxProgram = join(process.cwd(), "dist/pkg/linux-x64/hns-cni");
export const pkgWindowsProgram = join(process.cwd(), "dist/pkg/win-x64/hns-cni.exe");
export const results = join(build, "bench");
export const page = join(process.cwd(), "docs/performance.md");
/** The charts that the page shows. */
export const plots = join(process.cwd(), "docs/performance");
