import { existsSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes the folder and those above it that are missing. Node's own recursive mkdir never returns where the system answers "no such
 * file" for a folder whose parent exists, as /proc does. Throws the system's error.
 */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (thrown) {
    if (!existsSync(path)) throw thrown; // else another process was quicker
  }
}
