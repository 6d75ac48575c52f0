/** The files of the product's packages. */
import { join } from "node:path";
import { bundleFile, metafile, presentBundles } from "./bundles.ts";
import { noticeFiles } from "./notices.ts";
import { paths } from "./paths.ts";

export const linuxProgram = join(paths.linux, "hns-cni");
export const linuxKoffi = join(paths.linux, "koffi.node");
export const windowsProgram = join(paths.windows, "hns-cni.exe");
export const windowsKoffi = join(paths.windows, "koffi.node");

export function programFiles(): readonly string[] {
  const bundles = presentBundles().flatMap((bundle) => [bundleFile(bundle), metafile(bundle)]);
  return [linuxProgram, linuxKoffi, windowsProgram, windowsKoffi, ...noticeFiles, ...bundles];
}
