/** A library that Go's programs need and an older Wine does not have (bcryptprimitives.c says which function). */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { installFile } from "../support/wine-files.ts";
import { findPeers } from "./build.ts";

/** Puts the stand-in into the prefix, unless this Wine brings the library itself or it is there already. */
export function ensureRandomSource(prefix: string): void {
  const system32 = join(prefix, "drive_c/windows/system32");
  if (existsSync(join(system32, "bcryptprimitives.dll"))) return;
  installFile(join(findPeers().windows, "bcryptprimitives.dll"), system32);
}
