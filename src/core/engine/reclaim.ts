import { findGuid, type Guid } from "../base/ids.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { releaseOwned } from "../ipam/allocator.ts";
import { rebase, stamp } from "../ipam/release-time.ts";
import { type Attachment, type AttachmentKey, endpointName } from "./attachment.ts";
import { heldBy } from "./held-addresses.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import type { LeakRecord, StateTransaction } from "./store.ts";

/**
 * Why an attachment that does not stand in HNS keeps what it has. seen-once, in-grace: it is gone, and not for certain or long enough ·
 * namespace: its sandbox is there, so its DEL will come · address-in-use: some other endpoint has an address of it · not-ours: it holds
 * an address that another IPAM plugin gave, which takes a DEL or a GC, or none · busy: a process works on it · changed: it did while
 * HNS was asked.
 */
export type KeptReason = "seen-once" | "in-grace" | "namespace" | "address-in-use" | "not-ours" | "busy" | "changed";

export interface Leak extends AttachmentKey {
  readonly attachment: Guid;
  readonly addresses: readonly string[];
  /** When it was first seen gone, milliseconds since 1970 by the clock of that time; undefined where it was not. */
  readonly since: number | undefined;
}

export interface ReclaimReport {
  readonly network: string;
  readonly dryRun: boolean;
  /** Attachments whose endpoint HNS has. */
  readonly alive: number;
  /** Attachments not looked at, since the runtime lists them. */
  readonly wanted: number;
  /** Released; with dryRun, what would have been. */
  readonly reclaimed: readonly Leak[];
  readonly kept: readonly (Leak & { readonly reason: KeptReason })[];
}

export interface ReclaimOptions {
  /** Changes nothing; then nothing is seen for the first time either. */
  readonly dryRun?: boolean;
  /** Attachments that the runtime says are in use, whatever became of their endpoints. */
  readonly wanted?: ReadonlySet<Guid>;
  /** Attachments that somebody else sees to: they are not looked at, and what an earlier look found of them stays. */
  readonly except?: ReadonlySet<Guid>;
}

/**
 * Releases the addresses of attachments whose endpoint and namespace are gone from HNS, which no DEL will release any more. It takes two
 * looks, `reclaimGraceMs` apart: the first is kept in the state, and one that finds the attachment alive forgets it. What is released
 * rests as after a DEL, and the attachment is gone. Owners without an attachment are other plugins' pods, of whose endpoints nothing is
 * known here: they are never looked at. Throws, and releases nothing, when HNS does not tell all; asks nothing where nothing is attached.
 */
export async function reclaimLeaks(operation: Operation<HostConfig>, options: ReclaimOptions = {}): Promise<ReclaimReport> {
  const { store } = operation;
  const { dryRun = false, wanted = new Set<Guid>(), except } = options;
  const recorded = store.read((tx) => listRecorded(tx, operation)).filter(({ id }) => except?.has(id) !== true);
  const candidates = recorded.filter(({ id }) => !wanted.has(id));
  const look = candidates.length === 0 ? NOTHING : await lookAtHns(operation);
  const examine = (tx: StateTransaction): Examined => examineAll(tx, operation, { candidates, look, wanted });
  let examined = store.read(examine);
  if (!dryRun && hasChanges(examined)) {
    examined = store.transaction((tx) => {
      const found = examine(tx);
      apply(tx, operation, found);
      return found;
    });
  }
  const report = buildReport(operation, examined, { dryRun, wanted: recorded.length - candidates.length });
  if (!dryRun) logReport(operation, report);
  return report;
}

function logReport({ log }: Operation<HostConfig>, { reclaimed, kept }: ReclaimReport): void {
  for (const leak of reclaimed) log.warn("leaked address reclaimed", { ...leak });
  for (const { reason, ...leak } of kept) if (reason === "seen-once") log.info("attachment gone from HNS", { ...leak });
}

function listRecorded(tx: StateTransaction, { config }: Operation<HostConfig>): Attachment[] {
  return tx.listAttachments({ network: config.networkName, phases: ["intent", "created", "attached", "deleting"] });
}

/** What HNS has, by everything that could tie it to an attachment. */
interface Look {
  readonly ids: ReadonlySet<Guid>;
  readonly names: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<Guid>;
}

const NOTHING: Look = { ids: new Set(), names: new Set(), addresses: new Set(), namespaces: new Set() };

/** Three calls, whatever the number of pods. */
async function lookAtHns({ hcn, scan }: Operation<HostConfig>): Promise<Look> {
  const endpoints = await scan.listSurely();
  const namespaces = await hcn.enumerate("namespace", {});
  return {
    ids: new Set(endpoints.map(({ id }) => id)),
    names: new Set(endpoints.map(({ name }) => name)),
    addresses: heldBy(endpoints),
    namespaces: new Set(namespaces),
  };
}

/** What was found of one attachment, and what its row of the first look is to be from now on. */
interface Verdict {
  readonly attachment: Attachment;
  readonly addresses: readonly string[];
  readonly outcome: "alive" | "leaked" | KeptReason;
  readonly before: LeakRecord | undefined;
  readonly after: LeakRecord | undefined;
}

interface Examined {
  readonly verdicts: readonly Verdict[];
  /** Rows of attachments that need none any more. */
  readonly stale: readonly Guid[];
}

interface Question {
  /** As they were before HNS was asked. */
  readonly candidates: readonly Attachment[];
  readonly look: Look;
  readonly wanted: ReadonlySet<Guid>;
}

function examineAll(tx: StateTransaction, operation: Operation<HostConfig>, { candidates, look, wanted }: Question): Examined {
  const leaks = new Map(tx.listLeaks().map((leak) => [leak.attachment, leak]));
  const verdicts = candidates.map((candidate) => examineOne(tx, operation, { candidate, look, before: leaks.get(candidate.id) }));
  const stale = [...leaks.keys()].filter((id) => wanted.has(id) || isGone(tx.findAttachment(id)));
  return { verdicts, stale };
}

function isGone(attachment: Attachment | undefined): boolean {
  return attachment === undefined || attachment.phase === "gone";
}

function examineOne(
  tx: StateTransaction,
  operation: Operation<HostConfig>,
  { candidate, look, before }: { candidate: Attachment; look: Look; before: LeakRecord | undefined },
): Verdict {
  const addresses = tx.listOwned(candidate.id).flatMap(({ address, state }) => (state === "cooling" ? [] : [address]));
  const conclude = (outcome: Verdict["outcome"], after?: LeakRecord): Verdict => {
    return { attachment: candidate, addresses, outcome, before, after };
  };
  if (hasLiveLease(tx, operation, candidate.id)) return conclude("busy", before);
  if (!isSame(tx.findAttachment(candidate.id), candidate)) return conclude("changed");
  if (hasEndpoint(look, candidate)) return conclude("alive");
  const namespace = findGuid(candidate.netns);
  if (namespace !== undefined && look.namespaces.has(namespace)) return conclude("namespace");
  if (addresses.length === 0 || hasOthersAddress(candidate, addresses)) return conclude("not-ours");
  if (addresses.some((address) => look.addresses.has(address))) return conclude("address-in-use");
  return { ...conclude("leaked"), ...weigh(operation, candidate, before) };
}

/** Whether its result names an address that no pool of ours gave. */
function hasOthersAddress({ result }: Attachment, addresses: readonly string[]): boolean {
  if (result === undefined) return false;
  return parseStoredResult(result).ips.some(({ address }) => !addresses.includes(address.split("/")[0] ?? ""));
}

/** Whether it has been gone for long enough. */
function weigh(operation: Operation<HostConfig>, { id, updatedAt }: Attachment, before: LeakRecord | undefined): Partial<Verdict> {
  const { clock } = operation.machine;
  if (before?.life !== updatedAt) {
    return { outcome: "seen-once", after: { attachment: id, life: updatedAt, since: stamp(clock) } };
  }
  const since = rebase(clock, before.since);
  if (clock.uptime() - since.uptimeMs >= operation.config.reclaimGraceMs) return { outcome: "leaked", after: undefined };
  return { outcome: "in-grace", after: since === before.since ? before : { ...before, since } };
}

/** HNS need not have kept the id that it was given; then the name tells. */
function hasEndpoint({ ids, names }: Look, attachment: Attachment): boolean {
  return ids.has(attachment.endpoint) || ids.has(attachment.id) || names.has(endpointName(attachment));
}

function isSame(current: Attachment | undefined, candidate: Attachment): boolean {
  return current?.phase === candidate.phase && current.updatedAt === candidate.updatedAt && current.result === candidate.result;
}

/** Also this process's own, and one whose time is over: what its holder still does to HNS must not meet a released address. */
function hasLiveLease(tx: StateTransaction, { machine }: Operation<HostConfig>, id: Guid): boolean {
  const lease = tx.findLease(id);
  return lease !== undefined && lease.bootId === machine.clock.bootId() && machine.processes.isAlive(lease);
}

function hasChanges({ verdicts, stale }: Examined): boolean {
  return stale.length > 0 || verdicts.some(({ before, after }) => before !== after);
}

function apply(tx: StateTransaction, operation: Operation<HostConfig>, { verdicts, stale }: Examined): void {
  for (const { attachment, outcome, before, after } of verdicts) {
    if (outcome === "leaked") release(tx, operation, attachment);
    if (after === before) continue;
    if (after === undefined) tx.removeLeak(attachment.id);
    else tx.putLeak(after);
  }
  for (const id of stale) tx.removeLeak(id);
}

/** As a DEL leaves it. */
function release(tx: StateTransaction, { machine }: Operation<HostConfig>, attachment: Attachment): void {
  const { clock } = machine;
  releaseOwned(tx, clock, attachment.id);
  tx.putAttachment({ ...attachment, phase: "gone", result: undefined, isCancelled: false, updatedAt: clock.now() });
  tx.removeLease(attachment.id);
}

function buildReport(
  { config }: Operation<HostConfig>,
  { verdicts }: Examined,
  { dryRun, wanted }: Pick<ReclaimReport, "dryRun" | "wanted">,
): ReclaimReport {
  const kept: (Leak & { reason: KeptReason })[] = [];
  const reclaimed: Leak[] = [];
  for (const { attachment, addresses, outcome, before, after } of verdicts) {
    const { id, network, containerId, ifname } = attachment;
    const leak = { attachment: id, network, containerId, ifname, addresses };
    if (outcome === "leaked") reclaimed.push({ ...leak, since: before?.since.wallMs });
    else if (outcome !== "alive") kept.push({ ...leak, since: after?.since.wallMs, reason: outcome });
  }
  const alive = verdicts.filter(({ outcome }) => outcome === "alive").length;
  return { network: config.networkName, dryRun, alive, wanted, reclaimed, kept };
}
