import { PluginError } from "../../base/errors.ts";
import { formatGuid, type Guid } from "../../base/ids.ts";
import type { AttachableConfig, HostConfig } from "../../config/plugin-config.ts";
import { type NetworkView, parseEndpoint, parseNetwork } from "../../hcn/documents.ts";
import { type EndpointSummary, hasContainers } from "../../hcn/documents-v1.ts";
import { isNotFound } from "../../hcn/hresults.ts";
import type { Attachment } from "../attachment.ts";
import { forNode } from "../node-pools.ts";
import { takeLease } from "../lease.ts";
import { type EngineOptions, Operation } from "../operation.ts";
import type { NetworkRecord, StateTransaction } from "../store.ts";
import type { ReconcileAction, ReconcileEntry } from "./report.ts";
import type { Sightings } from "./sightings.ts";
import { configOfAttachment } from "../request-memory.ts";

/** What HNS has, all of it asked before anything is done. */
export interface NetworkLook {
  /** The id of the network; undefined when HNS has none of the name. */
  readonly id: Guid | undefined;
  /** Of the node. */
  readonly endpoints: readonly EndpointSummary[];
  readonly namespaces: ReadonlySet<Guid>;
}

/** One look at one network, and what is done about it. */
export interface NetworkPass {
  readonly engine: EngineOptions;
  readonly record: NetworkRecord;
  /** As they were before HNS was asked. */
  readonly attachments: readonly Attachment[];
  readonly look: NetworkLook;
  readonly sightings: Sightings;
  readonly dryRun: boolean;
  /** Whether nothing more is to be begun. */
  readonly isEnding: () => boolean;
  /** Endpoints of pods whose policies and routes are read back this time. */
  readonly inspect: (attachment: Attachment) => boolean;
  /** The network as HNS has it when this is first asked for; undefined when it has none. */
  readonly readNetwork: () => Promise<NetworkView | undefined>;
  /** Attachments about which something was found, whether or not it was due: they are nobody else's to see to. */
  readonly seenTo: Set<Guid>;
  readonly base: HostConfig;
  readonly entries: ReconcileEntry[];
}

export interface Finding {
  readonly action: ReconcileAction;
  readonly subject: string;
  readonly detail: string;
}

/**
 * Notes what was found, does `work` about it unless this is a dry run, and notes how that ended. Nothing that a dry run cannot ask too
 * decides within `work` whether something is done. Throws what stops the whole look.
 */
export async function act(pass: NetworkPass, finding: Finding, work: () => Promise<boolean>): Promise<void> {
  const { engine, dryRun } = pass;
  if (dryRun) {
    note(pass, { ...finding, outcome: "planned" });
    return;
  }
  try {
    if (await work()) note(pass, { ...finding, outcome: "done" });
  } catch (thrown) {
    note(pass, { ...finding, outcome: "failed", detail: `${finding.detail}; it failed: ${explain(thrown)}` });
    engine.log.error("repair failed", { ...finding, error: thrown });
    if (isHopeless(thrown)) throw thrown;
  }
}

export function note(pass: NetworkPass, entry: Omit<ReconcileEntry, "network">): void {
  pass.entries.push({ ...entry, network: pass.record.name });
}

/** Whether it is to be acted upon now; else that it was seen is noted. */
export function isDue(pass: NetworkPass, finding: Finding, key: string): boolean {
  if (pass.sightings.see(`${pass.record.name} ${finding.action} ${key}`)) return true;
  note(pass, { ...finding, outcome: "waiting" });
  return false;
}

/**
 * Takes the attachment when nobody works on it and `isAsSeen` still holds; then `work` must end with `operation.finish`.
 * @returns whether anything was done
 */
export async function withAttachment(
  operation: Operation<HostConfig>,
  id: Guid,
  isAsSeen: (tx: StateTransaction) => boolean,
  work: () => Promise<void>,
): Promise<boolean> {
  const taken = await tryTake(operation, id, isAsSeen);
  try {
    if (taken === true) await work();
    return taken === true;
  } finally {
    if (taken !== undefined) operation.abandon(id); // gives the lease up where it is still held
  }
}

/** What `isAsSeen` says; undefined while somebody works on the attachment. */
async function tryTake(
  operation: Operation<HostConfig>,
  id: Guid,
  isAsSeen: (tx: StateTransaction) => boolean,
): Promise<boolean | undefined> {
  try {
    return await takeLease({ ...operation.leaseOptions, deadline: { at: 0 } }, id, isAsSeen);
  } catch (thrown) {
    if (isBusy(thrown)) return undefined;
    throw thrown;
  }
}

export function isSame(tx: StateTransaction, seen: Attachment): boolean {
  const current = tx.findAttachment(seen.id);
  return current?.phase === seen.phase && current.updatedAt === seen.updatedAt && current.result === seen.result;
}

export function nameAttachment({ containerId, ifname }: Pick<Attachment, "containerId" | "ifname">): string {
  return `${containerId} ${ifname}`;
}

export function startOperation<C extends HostConfig>(pass: Pick<NetworkPass, "engine">, config: C): Operation<C> {
  return new Operation(pass.engine, config);
}

/** What went wrong, and what helps. */
function explain(thrown: unknown): string {
  if (thrown instanceof PluginError && thrown.data.remedy !== undefined) return `${thrown.message}; ${thrown.data.remedy}`;
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The network of the name in HNS, described once. */
export function networkReader(engine: EngineOptions, base: HostConfig): NetworkPass["readNetwork"] {
  let view: Promise<NetworkView | undefined> | undefined;
  const read = async (): Promise<NetworkView | undefined> => {
    const { scan, hcn } = startOperation({ engine }, base);
    const id = await scan.findNetwork();
    return id === undefined ? undefined : parseNetwork(await hcn.describe("network", id));
  };
  return () => (view ??= read());
}

function isBusy(thrown: unknown): boolean {
  return codeOf(thrown) === "ATTACHMENT_BUSY";
}

/** HNS does not answer, or the state cannot be used: there is no point in going on. */
function isHopeless(thrown: unknown): boolean {
  const code = codeOf(thrown);
  return code === "HNS_TIMEOUT" || code === "HNS_UNAVAILABLE" || code === "STATE_FAILURE" || code === "STATE_DAMAGED";
}

function codeOf(thrown: unknown): unknown {
  return typeof thrown === "object" && thrown !== null && "code" in thrown ? thrown.code : undefined;
}

/** What the ADD of an attachment asked for, with the addresses that it got; undefined where that is not known. Throws INVALID_CONFIG. */
export function findPodConfig({ engine }: Pick<NetworkPass, "engine">, attachment: Attachment): AttachableConfig | undefined {
  const request = engine.store.read((tx) => tx.findRequest(attachment.id));
  const config = request === undefined ? undefined : configOfAttachment(request, attachment);
  return config === undefined ? undefined : forThisNode({ engine }, config);
}

/** With the pools that are for this node alone. Throws INVALID_CONFIG when there are none. */
export function forThisNode(pass: Pick<NetworkPass, "engine">, config: AttachableConfig): AttachableConfig {
  return !("ipam" in config) ? config : forNode(startOperation(pass, config)).config;
}

/** Does what one object needs, unless the program is ending; what it throws is told, and the others go on. Throws on where there is no point in going on. */
export async function alone(pass: NetworkPass, subject: string, work: () => Promise<void>): Promise<void> {
  if (pass.isEnding()) return;
  try {
    await work();
  } catch (thrown) {
    if (isHopeless(thrown)) throw thrown;
    const detail = `it cannot be looked at: ${explain(thrown)}`;
    note(pass, { action: "difference", outcome: "found", subject, detail });
  }
}

/**
 * Whether somebody uses the endpoint: it is in a namespace that lives, or containers have it, as Docker's do without a namespace. The list of
 * version 1 does not tell this on every Windows. True when HNS does not say.
 */
export async function isUsed({ hcn }: Operation<HostConfig>, endpoint: Guid): Promise<boolean> {
  try {
    const { namespace } = parseEndpoint(await hcn.describe("endpoint", endpoint));
    if (namespace !== undefined && (await hcn.enumerate("namespace", {})).includes(namespace)) return true;
    return hasContainers(await hcn.callV1({ method: "GET", path: `/endpoints/${formatGuid(endpoint)}` }));
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    if (codeOf(thrown) === "HNS_REFUSED") return true;
    throw thrown;
  }
}
