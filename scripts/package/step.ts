/** A build step that is skipped when neither its inputs nor its outputs have changed since it last ran. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { paths, root } from "./paths.ts";

export interface Step {
  readonly name: string;
  /** Files and folders, relative to the root; what is absent counts as empty. */
  readonly inputs: readonly string[];
  /** Paths below these prefixes are no inputs though their folder is. */
  readonly except?: readonly string[];
  /** Absolute paths of the files that have to be there afterwards; asked before and after the run. */
  outputs(): readonly string[];
  run(): Promise<void>;
  /** Asked after the run; false when it gave less than it should, so that the next build tries again. */
  isComplete?(): boolean;
}

interface Stamp {
  readonly fingerprint: string;
  /** Size and time of each output: a file somebody else wrote is no longer ours. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs the step when needed; tells whether it did. Throws when an output is missing afterwards. */
export async function runStep(step: Step): Promise<boolean> {
  const stampFile = join(paths.build, "stamps", `${step.name}.json`);
  const fingerprint = fingerprintOf(step);
  if (isCurrent(stampFile, fingerprint, step.outputs())) return false;
  await step.run();
  const missing = step.outputs().filter((path) => !existsSync(path));
  if (missing.length > 0) throw new Error(`step "${step.name}" did not make ${missing.join(", ")}`);
  if (step.isComplete?.() === false) return true;
  const stamp: Stamp = { fingerprint, outputs: Object.fromEntries(step.outputs().map((path) => [path, identity(path)])) };
  mkdirSync(dirname(stampFile), { recursive: true });
  writeFileSync(stampFile, JSON.stringify(stamp, null, 2));
  return true;
}

function isCurrent(stampFile: string, fingerprint: string, outputs: readonly string[]): boolean {
  if (!existsSync(stampFile)) return false;
  const stamp = JSON.parse(readFileSync(stampFile, "utf8")) as Stamp;
  const known = new Set([...outputs, ...Object.keys(stamp.outputs)]);
  return stamp.fingerprint === fingerprint && [...known].every((path) => existsSync(path) && stamp.outputs[path] === identity(path));
}

function identity(path: string): string {
  const { size, mtimeMs } = statSync(path);
  return `${size} ${mtimeMs}`;
}

/** The state of a step's inputs by content. */
export function fingerprintOf(step: Pick<Step, "inputs" | "except">): string {
  const hash = createHash("sha256").update(process.version);
  const skipped = step.except ?? [];
  for (const path of step.inputs.flatMap((input) => filesBelow(join(root, input)))) {
    const name = relative(root, path);
    if (skipped.some((prefix) => name.startsWith(prefix))) continue;
    const content = readFileSync(path);
    hash.update(`\n${name} ${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/** All files of a folder and its subfolders, sorted; the path itself when it is a file; nothing when it is absent. */
export function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
