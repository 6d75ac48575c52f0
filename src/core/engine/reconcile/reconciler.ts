import { normaliseForDelete } from "../../config/normalise.ts";
import type { HostConfig } from "../../config/plugin-config.ts";
import { type Attachment, hostEndpointName, networkId, parseEndpointName } from "../attachment.ts";
import type { EndpointSummary } from "../../hcn/documents-v1.ts";
import { heldBy } from "../held-addresses.ts";
import { removeDeadLeases } from "../lease.ts";
import { type EngineOptions, Operation } from "../operation.ts";
import { type KeptReason, type Leak, reclaimLeaks } from "../reclaim.ts";
import type { NetworkRecord } from "../store.ts";
import { repairEndpoints } from "./endpoints.ts";
import { repairNetwork } from "./networks.ts";
import { listOrphans, removeOrphans } from "./orphans.ts";
import { alone, nameAttachment, type NetworkLook, networkReader, note, type NetworkPass } from "./pass.ts";
import type { EndpointCounts, ReconcileEntry, ReconcileOutcome, ReconcileReport } from "./report.ts";
import { settleUnfinished } from "./settle.ts";
import { Sightings } from "./sightings.ts";

/** Leaks that nothing but time keeps: a dry run acts on everything at once. */
const WAITING: readonly KeptReason[] = ["seen-once", "in-grace"];

/** Endpoints read back in one look, three calls each; all of them at a start. */
const INSPECTED = 25;

export interface ReconcileOptions {
  /** Age below which nothing counts as an orphan or as broken off. */
  readonly graceMs: number;
  /** Endpoints that are read back in a look; default 25. */
  readonly inspected?: number;
}

export interface PassOptions {
  /** Says what would be done, and does nothing. */
  readonly dryRun: boolean;
  /** Reads every endpoint back: after a start of HNS or of this program. */
  readonly isFull: boolean;
  /** Whether the program is ending: then nothing more is begun, and the next look, of whatever program, goes on. */
  readonly isEnding?: () => boolean;
}

/**
 * Brings HNS and the state together: what HNS has lost is made again, what belongs to nobody is removed. Looks at the networks in the state
 * alone, and at nothing of others. Every change is made as the holder of the attachment's lease, and none unless HNS has told all first.
 */
export class Reconciler {
  readonly #options: ReconcileOptions;
  #sightings: Sightings | undefined;
  #next = 0;

  constructor(options: ReconcileOptions) {
    this.#options = options;
  }

  /** One look. Never throws: what HNS or the state refuses is in the report. */
  async pass(engine: EngineOptions, options: PassOptions): Promise<ReconcileReport> {
    const planned = options.dryRun ? undefined : (this.#sightings ??= new Sightings(engine.machine.clock, this.#options.graceMs));
    // A dry run acts on everything at once, and must not count as a look.
    const sightings = planned ?? alwaysDue(engine);
    const entries: ReconcileEntry[] = [];
    const endpoints = new Map<string, EndpointCounts>();
    const foreign = new Map<string, ReadonlySet<string>>();
    sightings.begin();
    const records = this.#readNetworks(engine, entries);
    for (const record of records) {
      if (options.isEnding?.() === true) break;
      try {
        const pass = await this.#look(engine, record, { options, sightings, entries });
        endpoints.set(record.name, countEndpoints(pass));
        foreign.set(record.name, heldBy(listForeign(pass)));
        await repair(pass);
      } catch (thrown) {
        sightings.giveUp();
        const detail = thrown instanceof Error ? thrown.message : String(thrown);
        entries.push({ action: "look", outcome: "failed", network: record.name, subject: "", detail });
        engine.log.error("look at hns given up", { network: record.name, error: thrown });
      }
    }
    logEntries(engine, entries);
    return { entries, endpoints, foreign };
  }

  #readNetworks(engine: EngineOptions, entries: ReconcileEntry[]): NetworkRecord[] {
    try {
      return engine.store.read((tx) => tx.listNetworks());
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : String(thrown);
      entries.push({ action: "look", outcome: "failed", network: "", subject: "", detail });
      return [];
    }
  }

  /** The state first: what is begun after that is nothing to wonder about. */
  async #look(
    engine: EngineOptions,
    record: NetworkRecord,
    { options, sightings, entries }: { options: PassOptions; sightings: Sightings; entries: ReconcileEntry[] },
  ): Promise<NetworkPass> {
    const phases = ["intent", "created", "attached", "deleting"] as const;
    const attachments = engine.store.read((tx) => tx.listAttachments({ network: record.name, phases }));
    const base = readBase(engine, record);
    const operation = new Operation(engine, base);
    const endpoints = await operation.scan.listSurely();
    const id = await operation.scan.findNetwork();
    const namespaces = new Set(await operation.hcn.enumerate("namespace", {}));
    const inspected = this.#chooseInspected(attachments, options.isFull);
    const inspect = (attachment: Attachment): boolean => inspected.has(attachment);
    const look = { id, endpoints, namespaces };
    const readNetwork = networkReader(engine, base);
    const { dryRun, isEnding = () => false } = options;
    return { engine, record, attachments, look, sightings, dryRun, isEnding, inspect, readNetwork, seenTo: new Set(), base, entries };
  }

  /** Some of them in each look, all in turn. */
  #chooseInspected(attachments: readonly Attachment[], isFull: boolean): ReadonlySet<Attachment> {
    const attached = attachments.filter(({ phase }) => phase === "attached");
    const count = this.#options.inspected ?? INSPECTED;
    if (isFull || attached.length <= count) return new Set(attached);
    const start = this.#next % attached.length;
    this.#next = start + count;
    return new Set([...attached, ...attached].slice(start, start + count));
  }
}

async function repair(pass: NetworkPass): Promise<void> {
  await alone(pass, "", () => repairNetwork(pass));
  await settleUnfinished(pass);
  // A network that was somebody else's is not made by us, and so nothing can be made on it.
  if (pass.look.id !== undefined || pass.record.isOurs) await repairEndpoints(pass);
  if (pass.look.id !== undefined) await removeOrphans(pass);
  if (!pass.isEnding()) await releaseLeaks(pass);
}

/** What was settled or waits for that is no leak as well. */
async function releaseLeaks(pass: NetworkPass): Promise<void> {
  const { engine, dryRun, base, seenTo } = pass;
  const { reclaimed, kept } = await reclaimLeaks(new Operation(engine, base), { dryRun, except: seenTo });
  const tell = (leak: Leak, outcome: ReconcileOutcome): void => {
    const detail = `the pod is gone, and ${leak.addresses.join(", ")} was never given back`;
    note(pass, { action: "leak", outcome, subject: nameAttachment(leak), detail });
  };
  for (const leak of reclaimed) tell(leak, dryRun ? "planned" : "done");
  for (const leak of kept) if (WAITING.includes(leak.reason)) tell(leak, dryRun ? "planned" : "waiting");
  if (!dryRun) engine.store.transaction((tx) => removeDeadLeases(tx, engine.machine));
}

/** What the network's last ADD said of times and grace; the defaults where none is known. */
function readBase(engine: EngineOptions, { name }: NetworkRecord): HostConfig {
  const request = engine.store.read((tx) => tx.findRequest(networkId(engine.machine.nodeName, name)));
  const raw: unknown = request === undefined ? {} : JSON.parse(request.config);
  return normaliseForDelete({ ...(typeof raw === "object" ? raw : {}), name }).config;
}

function countEndpoints(pass: NetworkPass): EndpointCounts {
  const { attachments, look, record } = pass;
  const attached = attachments.filter(({ phase }) => phase === "attached");
  const ids = new Set(look.endpoints.map(({ id }) => id));
  const standing = attached.filter(({ endpoint }) => ids.has(endpoint)).length;
  const orphaned = listOrphans(pass).length;
  return { standing, missing: attached.length - standing, orphaned, foreign: listOthers(look, attachments, record.name).length - orphaned };
}

/** Those that no attachment can have: ours tells itself by its id, and a name of our kind may be one whose ADD began meanwhile. */
function listForeign({ look, record, attachments }: NetworkPass): EndpointSummary[] {
  const others = listOthers(look, attachments, record.name);
  return others.filter(({ name }) => parseEndpointName(name, record.name) === undefined);
}

/** Everything on the network that no attachment names, the node's own endpoint aside. */
function listOthers({ id, endpoints }: NetworkLook, attachments: readonly Attachment[], network: string): EndpointSummary[] {
  const known = new Set(attachments.map(({ endpoint }) => endpoint));
  const others = endpoints.filter((endpoint) => endpoint.network === id && !known.has(endpoint.id));
  return others.filter(({ name }) => name !== hostEndpointName(network));
}

function alwaysDue(engine: EngineOptions): Sightings {
  return new (class extends Sightings {
    override see(): boolean {
      return true;
    }
  })(engine.machine.clock, 0);
}

const SILENT_OUTCOMES: readonly string[] = ["waiting", "planned"];

function logEntries({ log }: EngineOptions, entries: readonly ReconcileEntry[]): void {
  for (const entry of entries) {
    if (entry.action === "look") continue; // told with its error
    if (SILENT_OUTCOMES.includes(entry.outcome)) log.debug("repair", { ...entry });
    else log.warn("repair", { ...entry });
  }
}
