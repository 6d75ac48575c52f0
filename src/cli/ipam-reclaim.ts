import type { Logger } from "../core/base/log.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findFaults, normaliseForDelete } from "../core/config/normalise.ts";
import type { HostConfig } from "../core/config/plugin-config.ts";
import { Operation } from "../core/engine/operation.ts";
import { type KeptReason, type Leak, reclaimLeaks, type ReclaimReport } from "../core/engine/reclaim.ts";
import { parseConfFile } from "./config-file.ts";
import { networkOfPool, withState } from "./ipam-state.ts";
import { writeDocument } from "./output.ts";
import { CliError, type CliWorld, type ExitCode, readInput } from "./world.ts";

export interface ReclaimArguments {
  readonly stateDir: string | undefined;
  readonly conf: string | undefined;
  readonly dryRun: boolean;
  readonly output: "text" | "json" | "yaml";
}

interface Target {
  readonly folder: string;
  readonly config: HostConfig;
}

/**
 * One look at HNS for every network of the file, or of the state: what leaked is released, or watched from now on. Throws CliError for a
 * file or a state that is not there, and as HNS does; what was done before is told first.
 */
export async function reclaimAddresses(world: CliWorld, request: ReclaimArguments): Promise<ExitCode> {
  const reports: { report: ReclaimReport; graceMs: number }[] = [];
  const write = (): void => {
    if (request.output !== "text") {
      writeDocument(
        world,
        reports.map(({ report }) => viewReport(report)),
        request.output,
      );
    } else if (reports.length === 0) world.writeOut("no networks: no pod has been attached yet\n");
    else for (const { report, graceMs } of reports) writeReport(world, report, graceMs);
  };
  try {
    for (const target of listTargets(world, request)) {
      reports.push({ report: await reclaimOne(world, target, request.dryRun), graceMs: target.config.reclaimGraceMs });
    }
  } catch (thrown) {
    if (reports.length > 0) write();
    throw thrown;
  }
  write();
  return 0;
}

function listTargets(world: CliWorld, { stateDir, conf }: ReclaimArguments): Target[] {
  if (conf !== undefined) {
    return readConfigs(world, conf).map((config) => ({ folder: stateDir ?? config.stateDir ?? world.defaultStateDir, config }));
  }
  const networks = withState(world, stateDir, (store) =>
    store.read((tx) => {
      const named = new Set(tx.listPools().map(({ id }) => networkOfPool(id)));
      return [...named].filter((name) => tx.findNetwork(name) !== undefined); // the others are of plugins that use this one as IPAM
    }),
  );
  return networks.map((name) => ({ folder: stateDir ?? world.defaultStateDir, config: normaliseForDelete({ name }).config }));
}

/** Throws CliError for a file without a network of ours, or with faults. */
function readConfigs(world: CliWorld, file: string): HostConfig[] {
  const { parts } = parseConfFile(readInput(world, file), file);
  const next = `hns-cni conf validate ${file} says more`;
  if (parts.length === 0) throw new CliError(`${file} cannot be used`, { why: "it has no plugin of the type hns-cni", next });
  return parts.map(({ config }) => {
    if (findFaults(canonicaliseKeys(config, [])).length > 0) throw new CliError(`${file} cannot be used`, { why: "it has faults", next });
    return normaliseForDelete(config).config;
  });
}

async function reclaimOne(world: CliWorld, { folder, config }: Target, dryRun: boolean): Promise<ReclaimReport> {
  withState(world, folder, () => undefined);
  const store = world.openState(folder);
  try {
    return await reclaimLeaks(new Operation({ backend: world.openHns(), machine: world.openMachine(), store, log: SILENT }, config), {
      dryRun,
    });
  } finally {
    store.close();
  }
}

const SILENT: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

function viewReport({ reclaimed, kept, ...counts }: ReclaimReport): object {
  const view = (leak: Leak): object => ({ ...leak, since: formatTime(leak.since) });
  return { ...counts, reclaimed: reclaimed.map(view), kept: kept.map(view) };
}

function formatTime(wallMs: number | undefined): string {
  return wallMs === undefined ? "" : new Date(wallMs).toISOString();
}

function writeReport(world: CliWorld, { network, dryRun, alive, reclaimed, kept }: ReclaimReport, graceMs: number): void {
  const count = reclaimed.flatMap(({ addresses }) => addresses).length;
  const sum = `${count} ${count === 1 ? "address" : "addresses"} ${dryRun ? "would be reclaimed" : "reclaimed"}`;
  world.writeOut(`${network}: ${alive} of ${alive + reclaimed.length + kept.length} attachments stand, ${sum}\n`);
  const rest = dryRun ? "would be reclaimed" : "reclaimed: it rests now, and is free after the cool-down";
  for (const leak of reclaimed) world.writeOut(`  ${nameLeak(leak)} ${rest}\n`);
  for (const leak of kept) world.writeOut(`  ${nameLeak(leak)} kept: ${explainKept(leak, { dryRun, graceMs })}\n`);
}

function nameLeak({ addresses, containerId, ifname }: Leak): string {
  return `${addresses.length === 0 ? "no address" : addresses.join(", ")} (container ${containerId}, ${ifname})`;
}

function explainKept({ reason, since }: Leak & { reason: KeptReason }, { dryRun, graceMs }: { dryRun: boolean; graceMs: number }): string {
  const grace = `${graceMs / 1000} s`;
  switch (reason) {
    case "seen-once":
      return dryRun
        ? `endpoint and namespace are gone; a run without --dry-run begins the grace time of ${grace}`
        : `endpoint and namespace are gone; run this again after ${grace}`;
    case "in-grace":
      return `gone since ${formatTime(since)}; run this again ${grace} after that`;
    case "namespace":
      return "its endpoint is gone and its sandbox is not: delete the pod";
    case "address-in-use":
      return "the pod is gone, and another endpoint has its address: look for that endpoint in HNS";
    case "not-ours":
      return "the pod is gone, and its address is another IPAM plugin's, which a DEL or GC of the runtime gives back";
    case "busy":
      return "a process works on it";
    case "changed":
      return "it changed while HNS was asked";
  }
}
