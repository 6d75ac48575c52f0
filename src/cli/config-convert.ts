import { formatCidr } from "../core/base/ip.ts";
import type { JsonObject } from "../core/cni/json.ts";
import { type Conversion, convertDocument } from "../core/config/foreign/convert.ts";
import type { Note } from "../core/config/foreign/draft.ts";
import type { Fault } from "../core/config/faults.ts";
import { findFileFaults, findFileWarnings, parseConfFile } from "./config-file.ts";
import { formatFaults } from "./config-view.ts";
import { readCidr, readPodRange } from "./ipam-state.ts";
import { formatDocument, writeDocument } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, readInput } from "./world.ts";

export interface ConvertArguments {
  /** A path, or - for stdin. */
  readonly file: string;
  readonly ipam: "keep" | "ours";
  readonly cidr: string | undefined;
  readonly clusterCidrs: readonly string[];
  /** Where the result goes; standard output when absent. */
  readonly write: string | undefined;
  readonly force: boolean;
  readonly output: "json" | "yaml";
}

/**
 * Prints or writes the converted configuration, and says on stderr what became of each key. Exit code 1, and no result, when something cannot be
 * said in this plugin's language, or when this version of the plugin would not accept or not read the result.
 */
export function convertConfig(world: CliWorld, request: ConvertArguments): ExitCode {
  const { file, write } = request;
  refuseReplacing(world, request);
  const source = parseConfFile(readInput(world, file), file).document;
  const conversion = convertDocument(source, readOptions(request));
  world.writeError(formatNotes(conversion.notes));
  const faults = [...conversion.faults, ...(conversion.faults.length > 0 ? [] : findResultFaults(conversion))];
  if (faults.length > 0) {
    world.writeError(formatFaults(file, faults));
    return 1;
  }
  for (const warning of findFileWarnings(parseResult(conversion.document))) world.writeError(`warning: ${warning}\n`);
  if (write === undefined) writeDocument(world, conversion.document, request.output);
  else writeResult(world, write, formatDocument(conversion.document, request.output));
  return 0;
}

function readOptions({ ipam, cidr, clusterCidrs }: ConvertArguments): Parameters<typeof convertDocument>[1] {
  return {
    ipam,
    ...(cidr !== undefined && { cidr: formatCidr(readPodRange(cidr, "--cidr")) }),
    clusterCidrs: clusterCidrs.map((text) => formatCidr(readCidr(text, "--cluster-cidr"))),
  };
}

function refuseReplacing(world: CliWorld, { write, force }: ConvertArguments): void {
  if (write === undefined || force || !world.hasFile(write)) return;
  throw new CliError(`${write} is left as it is`, { why: "it is there already", next: "name another file, or replace it with --force" });
}

function writeResult(world: CliWorld, path: string, text: string): void {
  try {
    world.writeFile(path, text);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new CliError(`cannot write ${path}`, { why, next: "name a file in a folder that is there and that you may write to" });
  }
}

/** What this version of the plugin says of the result. */
function findResultFaults({ document, unread }: Conversion): Fault[] {
  const unknown = unread.map((path) => ({
    path,
    problem: "is a key that this version does not have",
    remedy: "take what it stands for out of the source, or use a version that has it",
  }));
  return [...findFileFaults(parseResult(document)), ...unknown];
}

function parseResult(document: JsonObject): ReturnType<typeof parseConfFile> {
  return parseConfFile(JSON.stringify(document), "the converted configuration");
}

/** A line a key; keys that stay as they are share one. */
function formatNotes(notes: readonly Note[]): string {
  const plain = notes.filter(({ verdict, text }) => verdict === "kept" && text === "");
  const rows = notes.filter((note) => !plain.includes(note));
  const width = Math.max(0, ...rows.map(({ verdict }) => verdict.length));
  const lines = rows.map(({ path, verdict, to, text }) => {
    const target = to === undefined || to === path ? "" : ` -> ${to}`;
    return `${verdict.padEnd(width)}  ${path === "" ? "the document" : path}${target}${text === "" ? "" : `: ${text}`}\n`;
  });
  const kept = plain.length === 0 ? "" : `${"kept".padEnd(width)}  ${plain.map(({ path }) => path).join(", ")}\n`;
  return `${kept}${lines.join("")}`;
}
