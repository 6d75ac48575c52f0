import type { Fault } from "../core/config/faults.ts";
import { type ConfFile, findFileFaults, findFileWarnings, parseConfFile } from "./config-file.ts";
import { buildEffective, buildWritten } from "./effective.ts";
import { writeDocument } from "./output.ts";
import { type CliWorld, type ExitCode, readInput } from "./world.ts";

export interface ViewArguments<T extends string> {
  /** A path, or - for stdin. */
  readonly file: string;
  readonly output: T;
}

/** Exit code 1 when there are faults. */
export function validateConfig(world: CliWorld, { file, output }: ViewArguments<"text" | "json" | "yaml">): ExitCode {
  const conf = parseConfFile(readInput(world, file), file);
  const faults = findFileFaults(conf);
  const warnings = faults.length > 0 ? [] : findFileWarnings(conf);
  if (output !== "text") writeDocument(world, { file, valid: faults.length === 0, faults, warnings }, output);
  else if (faults.length === 0) {
    world.writeOut(`${file}: valid (${countParts(conf)})\n${warnings.map((warning) => `  warning: ${warning}\n`).join("")}`);
  }
  if (faults.length === 0) return 0;
  if (output === "text") world.writeOut(formatFaults(file, faults));
  return 1;
}

/** Exit code 1, and the faults on stderr, when the configuration cannot be used. */
export function showConfig(
  world: CliWorld,
  { file, output, isEffective }: ViewArguments<"json" | "yaml"> & { isEffective: boolean },
): ExitCode {
  const conf = parseConfFile(readInput(world, file), file);
  const faults = findFileFaults(conf);
  if (faults.length > 0) {
    world.writeError(formatFaults(file, faults));
    return 1;
  }
  writeDocument(world, isEffective ? buildEffective(world, conf) : buildWritten(conf), output);
  return 0;
}

/** Faults for people, two lines each. */
export function formatFaults(file: string, faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map(({ path, problem, remedy }) => `  ${path === "" ? "the document" : path} ${problem}\n    ${remedy}\n`);
  return `${file}: ${count}\n${lines.join("")}`;
}

function countParts({ parts }: ConfFile): string {
  return parts.length === 1 ? "1 plugin of ours" : `${parts.length} plugins of ours`;
}
