import type { LogFields, Logger } from "../core/base/log.ts";
import { normaliseForDelete } from "../core/config/normalise.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import type { AttachableConfig, HostConfig } from "../core/config/plugin-config.ts";
import { configForSubnets } from "../core/engine/delegated-config.ts";
import { type CareReport, deleteNetwork, ensureNetworkReady, type Refusal, repairNetwork } from "../core/engine/network-care.ts";
import { describeChange } from "../core/engine/network-place.ts";
import { type EngineOptions, Operation } from "../core/engine/operation.ts";
import { cleanText } from "../core/topology/text.ts";
import { type ConfPart, findFileFaults, parseConfFile, readConfig } from "./config-file.ts";
import { writeDocument, writeProgress } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, readInput } from "./world.ts";

export interface CareArguments {
  readonly stateDir: string | undefined;
  readonly output: "text" | "json" | "yaml";
}

export interface ConfArguments extends CareArguments {
  /** A path; - or nothing for standard input. */
  readonly conf: string;
}

export interface RepairArguments extends ConfArguments {
  readonly name: string;
  readonly dryRun: boolean;
}

export interface DeleteArguments extends CareArguments {
  readonly name: string;
  readonly dryRun: boolean;
}

/** Makes the network of a configuration and its host endpoint without a pod. Throws CliError for the file, and as the engine does. */
export async function ensureNetwork(world: CliWorld, { conf, ...options }: ConfArguments): Promise<ExitCode> {
  const config = readNetworkConfig(world, conf, undefined);
  const report = await withOperation(world, { stateDir: options.stateDir, config, mayMakeState: true }, ensureNetworkReady);
  return writeReport(world, report, options.output);
}

/** Makes again what is missing of the network, or says with --dry-run what that is. Throws as ensureNetwork. */
export async function repairNamedNetwork(world: CliWorld, { name, conf, dryRun, ...options }: RepairArguments): Promise<ExitCode> {
  const config = readNetworkConfig(world, conf, name);
  const report = await withOperation(world, { stateDir: options.stateDir, config, mayMakeState: !dryRun }, (operation) =>
    repairNetwork(operation, { dryRun }),
  );
  return writeReport(world, report, options.output);
}

/** Deletes an empty network of ours. Exit code 1, and the reason, when it is not ours or in use. Throws as the engine does. */
export async function deleteNamedNetwork(world: CliWorld, { name, dryRun, stateDir, output }: DeleteArguments): Promise<ExitCode> {
  const config: HostConfig = normaliseForDelete({ name }).config;
  const report = await withOperation(world, { stateDir, config, mayMakeState: false }, (operation) => deleteNetwork(operation, { dryRun }));
  if ("steps" in report) return writeReport(world, report, output);
  throw refused(report);
}

function refused({ network, id, reason, users }: Refusal): CliError {
  const what = `the network "${cleanText(network)}" (${id}) is not deleted`;
  if (reason === "not-ours") {
    const next = "remove it with the tool that made it; --state-dir names a state that knows it as ours";
    return new CliError(what, { why: "somebody else made it, or the state that knows of it is not here", next });
  }
  const next = "delete the pods first; hns-cni ipam reclaim forgets those whose endpoints and sandboxes are gone";
  return new CliError(what, { why: `it is in use by ${users.map(cleanText).join(", ")}`, next });
}

/** The one configuration of ours in the file, of the network `name` where one is given. Throws CliError. */
export function readNetworkConfig(world: CliWorld, conf: string, name: string | undefined): AttachableConfig {
  const { part, file } = readNetworkPart(world, conf, name);
  return readAttachable(part, file);
}

/** The same as it is written. */
export function readNetworkPart(world: CliWorld, conf: string, name: string | undefined): { part: ConfPart; file: string } {
  const file = conf === "" ? "-" : conf; // yargs hands a lone "-" over as an empty text
  const parsed = parseConfFile(readInput(world, file), file);
  if (findFileFaults(parsed).length > 0) {
    throw new CliError(`${file} cannot be used`, { why: "it has faults", next: `hns-cni config validate ${file} says more` });
  }
  const named = parsed.parts.filter(({ config }) => name === undefined || canonicaliseKeys(config, [])["name"] === name);
  const [part, second] = named;
  if (part !== undefined && second === undefined) return { part, file };
  const wanted = name === undefined ? "one configuration of this plugin" : `one configuration of this plugin with the name "${name}"`;
  throw new CliError(`${file} cannot be used`, { why: `it has not ${wanted}`, next: "name the file that makes this network" });
}

/** With another IPAM plugin the range is only known where `subnet` says it. */
function readAttachable(part: ConfPart, file: string): AttachableConfig {
  const { config } = readConfig(part.config);
  if (!("delegate" in config)) return config;
  const [first, ...rest] = config.delegate.subnets;
  if (first !== undefined) return configForSubnets(config, [first, ...rest]);
  const why = `the range of the network is only known once the IPAM plugin "${config.delegate.type}" has given an address`;
  throw new CliError(`${file} cannot be used`, { why, next: "set subnet to the range, or let the first pod make the network" });
}

export interface Target<C extends HostConfig> {
  readonly stateDir: string | undefined;
  readonly config: C;
  /** A command that only looks makes no state. */
  readonly mayMakeState: boolean;
}

async function withOperation<C extends HostConfig, T>(
  world: CliWorld,
  target: Target<C>,
  work: (operation: Operation<C>) => Promise<T>,
): Promise<T> {
  return await withEngine(world, target, (options) => work(new Operation(options, target.config)));
}

/** The engine over the state that the target names. */
export async function withEngine<T>(world: CliWorld, target: Target<HostConfig>, work: (options: EngineOptions) => Promise<T>): Promise<T> {
  const folder = findStateDir(world, target);
  const store = world.openState(target.mayMakeState || world.hasState(folder) ? folder : "scratch");
  try {
    return await work({ backend: world.openHns(), machine: world.openMachine(), store, log: tellActions(world) });
  } finally {
    store.close();
  }
}

export function findStateDir(world: CliWorld, { stateDir, config }: Pick<Target<HostConfig>, "stateDir" | "config">): string {
  return stateDir ?? config.stateDir ?? world.defaultStateDir;
}

/** What is done goes to standard error while it is done. */
function tellActions(world: CliWorld): Logger {
  const tell = (message: string, fields: LogFields = {}): void => {
    const { error, ...rest } = fields;
    const told = Object.entries(rest).map(([key, value]) => ` ${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
    const why = error === undefined ? "" : `: ${error instanceof Error ? error.message : JSON.stringify(error)}`;
    writeProgress(world, cleanText(`${message}${told.join("")}${why}`));
  };
  return { error: tell, warn: tell, info: tell, debug: () => undefined };
}

function writeReport(world: CliWorld, report: CareReport, output: CareArguments["output"]): ExitCode {
  const { network, id, dryRun, steps, changes } = report;
  if (output !== "text") writeDocument(world, { ...report, id: id ?? null }, output);
  else if (steps.length === 0) world.writeOut(`${cleanText(network)}: HNS has no such network, nothing to do\n`);
  else for (const step of steps) world.writeOut(`${cleanText(network)}: ${dryRun ? `would be done: ${step}` : step}\n`);
  if (output === "text")
    for (const change of changes) world.writeOut(`${cleanText(`${network}: ${describeChange(change)}; ${change.remedy}`)}\n`);
  return 0;
}
