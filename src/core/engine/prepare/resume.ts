import { Operation } from "../operation.ts";
import { finish, settleOptions } from "./finish.ts";
import type { PrepareOptions, PrepareReport } from "./options.ts";
import { findStanding, listNetworks, notReady } from "./preflight.ts";
import { settle } from "./settle.ts";
import type { Snapshot } from "./snapshot.ts";
import { findManagement } from "./uplink.ts";

/**
 * Ends a prepare that broke off, from its snapshot. Where the switch stands, as its own end would have been. Where it does not, the card is
 * restored and undefined is the answer: everything begins anew. Throws NETWORK_NOT_READY when the card cannot be restored.
 */
export async function resume(options: PrepareOptions, snapshot: Snapshot): Promise<PrepareReport | undefined> {
  const { engine, config, uplinks, file, tell } = options;
  const { uplink, network, takenAt } = snapshot;
  tell(`an earlier prepare, of ${takenAt}, did not come to its end: going on with its snapshot in ${file.path}`);
  const networks = await listNetworks(new Operation(engine, config).hcn);
  const all = await uplinks.list();
  const hasSwitch = findManagement(all, uplink.mac) !== undefined;
  if (hasSwitch || findStanding(networks, network, uplink, all) !== undefined) return await finish(options, snapshot, true);
  const { isConnected, missing } = await settle(settleOptions(options), snapshot, "card");
  if (!isConnected || missing.length > 0) {
    const lack = missing.length > 0 ? `lacks ${missing.join(", ")}` : `gets no answer of ${snapshot.gateways.join(", ")}`;
    const message = `"${uplink.name}" is not as it was before the prepare of ${takenAt}: it ${lack}`;
    throw notReady(message, `restore it by hand from ${file.path}; remove that file if it is out of date, then start prepare again`);
  }
  file.remove();
  tell(`${uplink.name}: as it was before`);
  return undefined;
}
