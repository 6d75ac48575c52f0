import { toPluginError } from "../../base/errors.ts";
import { deleteNetwork } from "../network-care.ts";
import { readPlace, rememberPlace } from "../network-place.ts";
import { Operation } from "../operation.ts";
import type { PrepareOptions } from "./options.ts";
import { settle } from "./settle.ts";
import type { Snapshot, SnapshotFile } from "./snapshot.ts";

/** What taking back came to. */
export interface Undone {
  /** Network and switch are gone, and the card has what it had. */
  readonly isAsBefore: boolean;
  /** What is not, each a sentence without an end. */
  readonly left: readonly string[];
  readonly remedy: string;
}

/**
 * Takes the network of the snapshot away, if it is ours and nothing uses it, and restores the card. An interruption is not heard here.
 * The snapshot goes when the card has what it had; it stays where HNS may still make the network (`mayComeLater`: a call that was not
 * answered). Throws nothing: what fails is told in the answer.
 */
export async function rollBack(options: PrepareOptions, snapshot: Snapshot, { mayComeLater }: { mayComeLater: boolean }): Promise<Undone> {
  const { tell, file, timeoutMs, uplinks, engine } = options;
  const removal = await removeNetwork(options, snapshot);
  if (removal.problem !== undefined) return { isAsBefore: false, left: [removal.problem], remedy: removal.remedy };
  const settling = { uplinks, clock: engine.machine.clock, timeoutMs, tell, isInterrupted: () => false };
  const { isConnected, missing } = await settle(settling, snapshot, "card");
  const left = [
    ...missing.map((what) => `"${snapshot.uplink.name}" lacks ${what}`),
    ...(isConnected || missing.length > 0 ? [] : [`no answer of ${snapshot.gateways.join(", ")}`]),
  ];
  const remedy = `give "${snapshot.uplink.name}" back what ${file.path} says it had, then start prepare again`;
  const isAsBefore = left.length === 0;
  // A creation that HNS did not answer may come when nobody looks: then the next prepare finds the snapshot.
  if (isAsBefore && !(mayComeLater && !removal.wasThere)) file.remove();
  return { isAsBefore, left, remedy };
}

interface Removal {
  readonly wasThere: boolean;
  readonly problem: string | undefined;
  readonly remedy: string;
}

async function removeNetwork({ engine, config }: PrepareOptions, { network }: Snapshot): Promise<Removal> {
  // Of its own: the time of the operation that failed is over.
  const operation = new Operation(engine, { ...config, networkName: network });
  try {
    const report = await deleteNetwork(operation, { dryRun: false });
    if ("steps" in report) return { wasThere: report.steps.length > 0, problem: undefined, remedy: "" };
    const why = report.reason === "in-use" ? `it is in use by ${report.users.join(", ")}` : "somebody else made it";
    return { wasThere: true, problem: `the network "${network}" stays: ${why}`, remedy: "look at it with hns-cni network show" };
  } catch (thrown) {
    const { message, data } = toPluginError(thrown);
    const remedy = data.remedy ?? "start prepare again: it goes on with the snapshot";
    return { wasThere: true, problem: `the network "${network}" could not be taken away: ${message}`, remedy };
  }
}

export function describeUndone({ isAsBefore, left }: Undone, { path }: SnapshotFile): string {
  return isAsBefore
    ? "it was taken back, and the uplink is as it was"
    : `it was NOT taken back wholly: ${left.join("; ")}; the snapshot is in ${path}`;
}

/** The network is known as ours from now on; the snapshot goes where nothing is missing. */
export async function commit({ engine, config, file }: PrepareOptions, { network }: Snapshot, isWhole: boolean): Promise<void> {
  const { scan, hcn } = new Operation(engine, { ...config, networkName: network });
  const id = await scan.findNetwork();
  const place = id === undefined ? undefined : await readPlace(hcn, id);
  if (place !== undefined) rememberPlace(engine.store, network, place, "always");
  engine.store.transaction((tx) => {
    const known = tx.findNetwork(network);
    if (known?.isCreating === true) tx.putNetwork({ ...known, id, isOurs: id !== undefined, isCreating: false });
  });
  if (isWhole) file.remove();
}
