import { PluginError } from "../../base/errors.ts";
import type { Guid } from "../../base/ids.ts";
import { formatIp } from "../../base/ip.ts";
import type { PluginConfig } from "../../config/plugin-config.ts";
import { getDatapath } from "../../datapath/datapaths.ts";
import { networkId } from "../attachment.ts";
import { openReadyNetwork, verificationStamp } from "../ensure-network.ts";
import { describeChange, findPlaceChanges, readPlace, rememberPlace } from "../network-place.ts";
import type { Operation } from "../operation.ts";
import { configOfNetwork } from "../request-memory.ts";
import { withMode } from "../with-mode.ts";
import { act, findPodConfig, forThisNode, note, type NetworkPass, startOperation } from "./pass.ts";

/** The network and the node's own endpoint on it: made again when missing, as they were; what differs is only told. */
export async function repairNetwork(pass: NetworkPass): Promise<void> {
  const { record, look } = pass;
  const config = findConfig(pass);
  if (look.id === undefined) return repairMissing(pass, config);
  await watchPlace(pass, look.id);
  if (config === undefined) return;
  const operation = await withMode(startOperation(pass, config));
  const host = getDatapath(operation.config).hostEndpointAddresses(operation.config).map(formatIp);
  if (record.isOurs && !hasHostEndpoint(pass, host)) {
    const detail = `the node has no endpoint with ${host.join(", ")}`;
    await act(pass, { action: "host-endpoint", subject: "", detail }, () => ensure(pass, operation));
  } else if (record.verified !== verificationStamp(operation) && !pass.dryRun) await compare(pass, operation);
}

/** Another card, or another address of the node: told in each pass, until an administrator has seen to it with `network repair`. */
async function watchPlace(pass: NetworkPass, id: Guid): Promise<void> {
  const { engine, record, base, dryRun } = pass;
  const place = await readPlace(startOperation(pass, base).hcn, id);
  if (place === undefined) return;
  const known = engine.store.read((tx) => tx.findPlace(record.name));
  if (!dryRun) rememberPlace(engine.store, record.name, place, "first");
  for (const change of findPlaceChanges(known, place)) {
    const detail = `${describeChange(change)}: ${change.remedy}`;
    note(pass, { action: "difference", outcome: "found", subject: "", detail });
  }
}

async function repairMissing(pass: NetworkPass, config: PluginConfig | undefined): Promise<void> {
  const detail = "HNS has no network of this name";
  const why = pass.record.isOurs ? "and its configuration is not known here" : "and it was not ours";
  if (config === undefined || !pass.record.isOurs) {
    note(pass, { action: "difference", outcome: "found", subject: "", detail: `${detail}, ${why}` });
  } else await act(pass, { action: "network", subject: "", detail }, () => ensure(pass, startOperation(pass, config)));
}

/** A network found by another run of HNS is compared anew, as the next ADD would. */
async function compare(pass: NetworkPass, operation: Operation): Promise<void> {
  try {
    await ensure(pass, operation);
  } catch (thrown) {
    if (!(thrown instanceof PluginError && thrown.code === "NETWORK_MISMATCH")) throw thrown;
    note(pass, { action: "difference", outcome: "found", subject: "", detail: thrown.message });
  }
}

async function ensure({ record, engine }: NetworkPass, operation: Operation): Promise<boolean> {
  engine.store.transaction((tx) => {
    const current = tx.findNetwork(record.name);
    if (current !== undefined) tx.putNetwork({ ...current, verified: "" });
  });
  const network = await openReadyNetwork(operation);
  await operation.hcn.close(network.handle);
  return true;
}

/** Also where the mode has no such endpoint. */
function hasHostEndpoint({ look }: NetworkPass, wanted: readonly string[]): boolean {
  const [first] = wanted;
  if (first === undefined) return true;
  // The list of version 1 tells one address of each family; what else the endpoint lacks, its next comparison finds.
  return look.endpoints.some(({ network, addresses }) => network === look.id && addresses.includes(first));
}

/** What the network's last ADD had; where only another IPAM plugin knew the range, what a pod that stands has. */
function findConfig({ engine, record, attachments }: NetworkPass): PluginConfig | undefined {
  const own = engine.store.read((tx) => tx.findRequest(networkId(engine.machine.nodeName, record.name)));
  const config = own === undefined ? undefined : configOfNetwork(own);
  if (config !== undefined) return forThisNode({ engine }, config);
  for (const attachment of attachments.filter(({ phase }) => phase === "attached")) {
    const config = findPodConfig({ engine }, attachment);
    if (config !== undefined) return config;
  }
  return undefined;
}
