import { deadlineIn } from "../core/base/async.ts";
import { PluginError } from "../core/base/errors.ts";
import { findGuid } from "../core/base/ids.ts";
import type { Logger } from "../core/base/log.ts";
import { NetworkScan } from "../core/engine/network-scan.ts";
import { heldBy } from "../core/engine/held-addresses.ts";
import type { StateTransaction } from "../core/engine/store.ts";
import type { EndpointSummary } from "../core/hcn/documents-v1.ts";
import { HcnSession } from "../core/hcn/session.ts";
import type { AddressRecord } from "../core/ipam/store.ts";
import { networkOfPool } from "./ipam-state.ts";
import { CliError, type CliWorld } from "./world.ts";

const TIMEOUT_MS = 30_000;
const SILENT: Logger = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

/** Every endpoint that HNS has. Throws CliError when it does not tell all. */
export async function listEndpointsFor(world: CliWorld, what: string): Promise<readonly EndpointSummary[]> {
  const clock = world.openClock();
  try {
    const limits = { callTimeoutMs: TIMEOUT_MS, deadline: deadlineIn(clock, TIMEOUT_MS) };
    return await new NetworkScan(new HcnSession({ backend: world.openHns(), clock, log: SILENT, ...limits }), "").listSurely();
  } catch (thrown) {
    if (!(thrown instanceof PluginError)) throw thrown;
    const why = `HNS does not tell whether an endpoint has it: ${thrown.message}`;
    throw new CliError(`cannot release ${what}`, { why, next: "see that HNS answers, or add --force when no endpoint has it for certain" });
  }
}

/** Refuses an address that an endpoint of its network has, and one of an attachment whose endpoint stands: HNS would refuse the next pod. */
export function refuseHeld(tx: StateTransaction, { pool, address, owner }: AddressRecord, endpoints: readonly EndpointSummary[]): void {
  const network = tx.findNetwork(networkOfPool(pool))?.id;
  const id = findGuid(owner); // also the id that its endpoint was to have
  const attachment = id === undefined ? undefined : tx.findAttachment(id);
  const holder = endpoints.find((endpoint) => {
    const isThere = network === undefined || endpoint.network === undefined || endpoint.network === network;
    return endpoint.id === id || endpoint.id === attachment?.endpoint || (isThere && heldBy([endpoint]).has(address));
  });
  if (holder === undefined) return;
  const why = `HNS has the endpoint "${holder.name}" (${holder.id}) ${heldBy([holder]).has(address) ? "with it" : "of its owner"}`;
  throw new CliError(`cannot release ${address}`, {
    why,
    next: "delete the pod, or remove the endpoint; --force releases it all the same",
  });
}
