import { deadlineIn, earlier, poll } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import { formatGuid } from "../base/ids.ts";
import { findIp, isLinkLocal } from "../base/ip.ts";
import type { NetworkConfig } from "../config/plugin-config.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { type NetworkView, parseNetwork } from "../hcn/documents.ts";
import { findManagementIp } from "../hcn/documents-v1.ts";
import type { Operation } from "./operation.ts";

/** Nodes have been seen to need more than 5 seconds; this is still less than the runtime waits for an ADD. */
const WAIT_MS = 30_000;
const POLL_MS = 500;

/**
 * The network with the node's own address on it, at which tunnels end. HNS answers before the management interface has its address, so
 * this waits. Throws NETWORK_NOT_READY when there is none after 30 seconds.
 */
export async function describeWithAddress(operation: Operation<NetworkConfig>, handle: HcnHandle): Promise<NetworkView> {
  const { machine, config } = operation;
  const deadline = earlier(deadlineIn(machine.clock, WAIT_MS), operation.deadline);
  const found = await poll(machine.clock, { deadline, intervalMs: POLL_MS }, async () => {
    const network = parseNetwork(await operation.hcn.query(handle));
    const address = isUsable(network.providerAddress) ? network.providerAddress : await readManagementIp(operation, network);
    return isUsable(address) ? { ...network, providerAddress: address } : undefined;
  });
  if (found !== undefined) return found;
  const message = `the HNS network "${config.networkName}" has no address of the node: its management interface has none`;
  const remedy = "check that the network's adapter is up and gets its address, then try again";
  throw new PluginError("NETWORK_NOT_READY", { message, remedy }, { retryable: true });
}

/** Not every version of HNS shows the address in its version 2 document. */
async function readManagementIp({ hcn }: Operation<NetworkConfig>, network: NetworkView): Promise<string | undefined> {
  return findManagementIp(await hcn.callV1({ method: "GET", path: `/networks/${formatGuid(network.id)}` }));
}

function isUsable(text: string | undefined): text is string {
  const address = findIp(text ?? "");
  return address?.family === 4 && address.value !== 0 && !isLinkLocal(address);
}
