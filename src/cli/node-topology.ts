import { deadlineIn } from "../core/base/async.ts";
import { PluginError } from "../core/base/errors.ts";
import type { Logger } from "../core/base/log.ts";
import { parseNetwork } from "../core/hcn/documents.ts";
import type { Guid } from "../core/base/ids.ts";
import { findPlaceChanges, type NetworkChange, readPlace } from "../core/engine/network-place.ts";
import { HcnSession } from "../core/hcn/session.ts";
import { buildTopology, type Topology } from "../core/topology/model.ts";
import { type Ownership, readOwnership } from "../core/topology/ownership.ts";
import { type NodeDocuments, readNode } from "../core/topology/read.ts";
import { readNumber, withState } from "./ipam-state.ts";
import type { CliWorld } from "./world.ts";

export interface NodeArguments {
  readonly stateDir: string | undefined;
  /** Seconds. */
  readonly timeout: number;
}

/** Options of every command that reads HNS. */
export const NODE_OPTIONS = {
  "state-dir": { type: "string", describe: "folder of state.db, which tells what is ours; the product's own unless given" },
  timeout: { type: "string", default: "30", coerce: Number, describe: "seconds that HNS has to answer everything" },
} as const;

/** HNS as it is now: as it told it, and put together. Throws what HNS throws; CliError for a folder named that has no state. */
export async function readTopology(world: CliWorld, node: NodeArguments): Promise<{ documents: NodeDocuments; topology: Topology }> {
  const read = await readNode(openSession(world, node));
  const { ownership, warnings } = readOwners(world, node.stateDir, read);
  const documents = { ...read, warnings: [...read.warnings, ...warnings] };
  return { documents, topology: buildTopology(documents, ownership) };
}

function openSession(world: CliWorld, node: NodeArguments): HcnSession {
  const timeoutMs = readNumber(node.timeout, "--timeout") * 1_000;
  const clock = world.openClock();
  return new HcnSession({
    backend: world.openHns(),
    clock,
    log: silent,
    callTimeoutMs: timeoutMs,
    deadline: deadlineIn(clock, timeoutMs),
  });
}

/** What changed of where the networks stand since they were last seen to, by id. One call for each network that the state remembers a place of. */
export async function readPlaceChanges(
  world: CliWorld,
  node: NodeArguments,
  networks: Topology["networks"],
): Promise<ReadonlyMap<Guid, NetworkChange[]>> {
  const found = new Map<Guid, NetworkChange[]>();
  for (const { id, name, owner } of networks) {
    if (owner !== "ours" && owner !== "adopted") continue; // then there is no state, or none that knows it
    const known = withState(world, node.stateDir, (store) => store.read((tx) => tx.findPlace(name)));
    const place = known === undefined ? undefined : await readPlace(openSession(world, node), id);
    if (place !== undefined) found.set(id, findPlaceChanges(known, place));
  }
  return found;
}

/** A state that cannot be read is a remark: what HNS holds is worth showing without it. */
function readOwners(
  world: CliWorld,
  stateDir: string | undefined,
  { networks }: NodeDocuments,
): { ownership: Ownership | undefined; warnings: string[] } {
  if (stateDir === undefined && !world.hasState(world.defaultStateDir)) return { ownership: undefined, warnings: [] };
  try {
    const views = networks.map(parseNetwork);
    return { ownership: withState(world, stateDir, (store) => readOwnership(store, views)), warnings: [] };
  } catch (thrown) {
    if (!(thrown instanceof PluginError) || !["STATE_FAILURE", "STATE_DAMAGED"].includes(thrown.code)) throw thrown;
    return { ownership: undefined, warnings: [`what is ours is not known: ${thrown.message}`] };
  }
}

/** A command tells its user what went wrong; it keeps no log. */
const silent: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };
