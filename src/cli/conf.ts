import type { Argv } from "yargs";
import type { Fault } from "../core/config/faults.ts";
import { type ConfFile, findFileFaults, findFileWarnings, parseConfFile } from "./conf-file.ts";
import { buildEffective } from "./effective.ts";
import { outputOption, writeDocument } from "./output.ts";
import { type CliWorld, type ExitCode, readInput, type Run } from "./world.ts";

export interface ConfArguments<T extends string> {
  /** A path, or - for stdin. */
  readonly file: string;
  readonly output: T;
}

const FILE = { type: "string", demandOption: true, describe: "configuration (.conf) or list (.conflist); - reads standard input" } as const;

export function addConf(cli: Argv, run: Run): Argv {
  return cli.command("conf", "Look at network configuration files", (yargs) =>
    yargs
      .command(
        "validate <file>",
        "Report everything that is wrong with a configuration",
        (sub) => sub.positional("file", FILE).option("output", outputOption<"text">(["text"])),
        ({ file, output }) => run((world) => validateConf(world, { file: readDash(file), output })),
      )
      .command(
        "show <file>",
        "Print a configuration with all defaults filled in",
        (sub) => sub.positional("file", FILE).option("output", outputOption(["json"])),
        ({ file, output }) => run((world) => showConf(world, { file: readDash(file), output })),
      )
      .demandCommand(1, "say what to do with the configuration: validate or show"),
  );
}

/** Exit code 1 when there are faults. */
export function validateConf(world: CliWorld, { file, output }: ConfArguments<"text" | "json" | "yaml">): ExitCode {
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
export function showConf(world: CliWorld, { file, output }: ConfArguments<"json" | "yaml">): ExitCode {
  const conf = parseConfFile(readInput(world, file), file);
  const faults = findFileFaults(conf);
  if (faults.length > 0) {
    world.writeError(formatFaults(file, faults));
    return 1;
  }
  writeDocument(world, buildEffective(world, conf), output);
  return 0;
}

function formatFaults(file: string, faults: readonly Fault[]): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  const lines = faults.map(({ path, problem, remedy }) => `  ${path === "" ? "the document" : path} ${problem}\n    ${remedy}\n`);
  return `${file}: ${count}\n${lines.join("")}`;
}

function countParts({ parts }: ConfFile): string {
  return parts.length === 1 ? "1 plugin of ours" : `${parts.length} plugins of ours`;
}

/** yargs hands a lone "-" over as an empty text. */
function readDash(file: string): string {
  return file === "" ? "-" : file;
}
