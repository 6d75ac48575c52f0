import { deadlineIn } from "../core/base/async.ts";
import { PluginError } from "../core/base/errors.ts";
import type { Logger } from "../core/base/log.ts";
import { parseNetwork } from "../core/hcn/documents.ts";
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
  const timeoutMs = readNumber(node.timeout, "--timeout") * 1_000;
  const clock = world.openClock();
  const session = { backend: world.openHns(), clock, log: silent, callTimeoutMs: timeoutMs, deadline: deadlineIn(clock, timeoutMs) };
  const read = await readNode(new HcnSession(session));
  const { ownership, warnings } = readOwners(world, node.stateDir, read);
  const documents = { ...read, warnings: [...read.warnings, ...warnings] };
  return { documents, topology: buildTopology(documents, ownership) };
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
