import { readFileSync } from "node:fs";
import { PluginError } from "../core/base/errors.ts";

/** The text of a file that the configuration names. Throws IO_FAILURE. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (thrown) {
    throw new PluginError("IO_FAILURE", { message: `cannot read ${path}`, remedy: "correct the path, or leave it out" }, { cause: thrown });
  }
}
