/** What every program of Node costs that does nothing: an empty file, under the flag of the product that counts most. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ProcessRun } from "./process.ts";

export const FLOOR = "Node, empty file";

export interface Floor {
  readonly run: ProcessRun;
  close(): void;
}

export function makeFloor(): Floor {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-floor-"));
  const file = join(folder, "empty.cjs");
  writeFileSync(file, "");
  return {
    run: { program: process.execPath, args: ["--no-rehash-snapshot", file] },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
