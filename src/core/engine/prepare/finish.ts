import { findChanges } from "./compare.ts";
import { NOTHING, type PrepareOptions, type PrepareReport } from "./options.ts";
import { notReady } from "./preflight.ts";
import { commit, describeUndone, rollBack } from "./roll-back.ts";
import { settle, type SettleOptions } from "./settle.ts";
import type { Snapshot } from "./snapshot.ts";

/** From a switch that is there to an uplink that is as it was, or back. */
export async function finish(options: PrepareOptions, snapshot: Snapshot, isResumed: boolean): Promise<PrepareReport> {
  const { tell, file } = options;
  const { uplink, network } = snapshot;
  tell(`${uplink.name}: waiting for the addresses to come back on the switch's management interface`);
  const settled = await settle(settleOptions(options), snapshot, "switch");
  if (!settled.isConnected || settled.now === undefined) {
    const why = options.isInterrupted() ? "prepare was interrupted" : "the node's connection did not come back";
    tell(`${uplink.name}: ${why}; taking the network away again`);
    const undone = await rollBack(options, snapshot, { mayComeLater: false });
    throw notReady(
      `${why} after the network "${network}" was made (missing: ${settled.missing.join(", ") || "an answer of the gateway"}); ${describeUndone(undone, file)}`,
      undone.isAsBefore ? "see that the card's switch port, DHCP server and driver stand a virtual switch, then try again" : undone.remedy,
    );
  }
  await commit(options, snapshot, settled.missing.length === 0);
  const changes = findChanges(uplink, settled.now);
  for (const change of changes) tell(`${settled.now.name}: ${change}`);
  const outcome = settled.missing.length === 0 ? "prepared" : "incomplete";
  const { restored, missing, now: after } = settled;
  const { gateways } = snapshot;
  return { ...NOTHING, outcome, network, adapter: uplink.name, isResumed, before: uplink, after, gateways, restored, missing, changes };
}

export function settleOptions({ uplinks, engine, timeoutMs, tell, isInterrupted }: PrepareOptions): SettleOptions {
  return { uplinks, clock: engine.machine.clock, timeoutMs, tell, isInterrupted };
}
