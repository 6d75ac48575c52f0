import { formatCidr } from "../core/base/ip.ts";
import { attachmentId } from "../core/engine/attachment.ts";
import type { StateTransaction } from "../core/engine/store.ts";
import type { PoolSpec } from "../core/ipam/pool.ts";
import { windowsOffsets } from "../core/ipam/blocks.ts";
import { takeOver, type TakeoverOutcome } from "../core/ipam/take-over.ts";
import { type ForeignAddress, readSource, type Source } from "./import-sources.ts";
import { readBlockSize, readPodRange, useState } from "./ipam-state.ts";
import { writeDocument, writeTable } from "./output.ts";
import { CliError, type CliWorld, type ExitCode } from "./world.ts";

export { SOURCES } from "./import-sources.ts";

export interface ImportArguments {
  readonly stateDir: string | undefined;
  /** A folder for host-local. */
  readonly file: string;
  readonly from: Source;
  readonly network: string;
  readonly cidr: string;
  readonly blockSize: number | undefined;
  readonly node: string | undefined;
  readonly dryRun: boolean;
  readonly output: "text" | "wide" | "json" | "yaml";
}

interface Line {
  readonly address: string;
  readonly outcome: TakeoverOutcome;
  readonly container: string;
  readonly from: string;
}

/** Addresses between two lines of progress. */
const PROGRESS = 2_000;

/** Takes over everything in one transaction, or nothing. Exit code 1, and nothing done, when an address has another owner here. */
export function importAddresses(world: CliWorld, request: ImportArguments): ExitCode {
  const spec = buildSpec(request);
  const found = readSource(world, request.from, { path: request.file, node: request.node });
  refuseRepeats(found, request.file);
  const folder = request.stateDir ?? world.defaultStateDir;
  const isScratch = request.dryRun && !world.hasState(folder);
  const lines = useState(world, isScratch ? "scratch" : folder, (store) => {
    const outcome: { lines: Line[] } = { lines: [] };
    try {
      store.transaction((tx) => {
        outcome.lines = takeOverAll(world, tx, { spec, found, network: request.network });
        if (request.dryRun || outcome.lines.some(isConflict)) throw new NotMeant();
      });
    } catch (thrown) {
      if (!(thrown instanceof NotMeant)) throw thrown;
    }
    return outcome.lines;
  });
  const hasConflict = lines.some(isConflict);
  report(world, { request, spec, lines, isDone: !request.dryRun && !hasConflict });
  if (!hasConflict) return 0;
  world.writeError("hns-cni: nothing was taken over: addresses have other owners here\nhns-cni ipam show -o wide lists them\n");
  return 1;
}

/** Rolls the transaction back. */
class NotMeant extends Error {}

function isConflict({ outcome }: Line): boolean {
  return outcome === "conflict";
}

function buildSpec(request: ImportArguments): PoolSpec {
  const cidr = readPodRange(request.cidr, "--cidr");
  const blockPrefix = readBlockSize(request.blockSize, cidr);
  const next = 'write the name of the network configuration, such as "pods"';
  if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(request.network))
    throw new CliError("--network is not usable", { why: "it is no network's name", next });
  return { id: `${request.network}/${formatCidr(cidr)}`, cidr, blockPrefix, reserved: windowsOffsets(cidr), cooldownMs: 0 };
}

/** An address with two owners in the source has to be looked at by somebody. */
function refuseRepeats(found: readonly ForeignAddress[], file: string): void {
  const seen = new Map<string, ForeignAddress>();
  for (const one of found) {
    const before = seen.get(one.address);
    seen.set(one.address, one);
    if (before === undefined || before.container?.id === one.container?.id) continue;
    const why = `${one.address} is at ${before.from} and at ${one.from} with different containers`;
    throw new CliError(`cannot import ${file}; nothing was changed`, {
      why,
      next: "find out which container runs, and take the other entry out",
    });
  }
}

function takeOverAll(
  world: CliWorld,
  tx: StateTransaction,
  { spec, found, network }: { spec: PoolSpec; found: readonly ForeignAddress[]; network: string },
): Line[] {
  return found.map(({ address, container, from }, index) => {
    if (index > 0 && index % PROGRESS === 0) world.writeError(`${index} of ${found.length} addresses\n`);
    const owner = container === undefined ? undefined : attachmentId({ network, containerId: container.id, ifname: container.ifname });
    const holder = container === undefined ? {} : { holder: { containerId: container.id, ifname: container.ifname, isSticky: false } };
    const outcome = takeOver(tx, spec, { address, owner, ...holder });
    return { address, outcome, container: container === undefined ? "" : `${container.id} ${container.ifname}`, from };
  });
}

const MEANINGS: Readonly<Record<TakeoverOutcome, string>> = {
  taken: "taken over",
  known: "known already",
  outside: "outside the range, passed over",
  reserved: "reserved, passed over",
  conflict: "held by another owner",
};

function report(world: CliWorld, about: { request: ImportArguments; spec: PoolSpec; lines: readonly Line[]; isDone: boolean }): void {
  const { request, spec, lines, isDone } = about;
  const counts = { taken: 0, known: 0, outside: 0, reserved: 0, conflict: 0 };
  for (const { outcome } of lines) counts[outcome] += 1;
  if (request.output === "json" || request.output === "yaml") {
    writeDocument(world, { pool: spec.id, dryRun: request.dryRun, done: isDone, counts, addresses: lines }, request.output);
    return;
  }
  const parts = Object.entries(MEANINGS).flatMap(([outcome, meaning]) => {
    const count = counts[outcome as TakeoverOutcome];
    return count === 0 ? [] : [`${count} ${meaning}`];
  });
  const shown = request.output === "wide" ? lines : lines.filter(({ outcome }) => outcome !== "taken" && outcome !== "known");
  const rows = shown.map(({ address, outcome, container, from }) => [address, MEANINGS[outcome], container, from]);
  if (rows.length > 0) writeTable(world, ["address", "outcome", "container", "from"], rows);
  const start = isDone ? spec.id : `${spec.id} (nothing was changed)`;
  world.writeOut(`${start}: ${parts.length === 0 ? "no addresses found" : parts.join(", ")}\n`);
}
