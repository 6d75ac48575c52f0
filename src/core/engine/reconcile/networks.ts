import { PluginError } from "../../base/errors.ts";
import type { Guid } from "../../base/ids.ts";
import { formatIp } from "../../base/ip.ts";
import type { AttachableConfig } from "../../config/plugin-config.ts";
import { getDatapath } from "../../datapath/datapaths.ts";
import type { NetworkView } from "../../hcn/documents.ts";
import { networkId } from "../attachment.ts";
import { findDifferences } from "../compare-network.ts";
import { mismatch, openReadyNetwork, verificationStamp } from "../ensure-network.ts";
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
  const lacksHost = isOurs(pass) && !hasHostEndpoint(pass, host);
  if (!lacksHost && record.verified === verificationStamp(operation)) return;
  const view = await pass.readNetwork();
  if (view !== undefined) await repairStanding(pass, operation, { view, missingHost: lacksHost ? host : [] }); // else the next look sees to it
}

async function repairStanding(
  pass: NetworkPass,
  operation: Operation<AttachableConfig>,
  { view, missingHost }: { view: NetworkView; missingHost: readonly string[] },
): Promise<void> {
  const differences = findDifferences(operation.config, view);
  if (differences.length > 0) {
    tellMismatch(pass, mismatch({ name: pass.record.name, differences, existingContainersAffected: false }));
  } else if (missingHost.length > 0) {
    const detail = `the node has no endpoint with ${missingHost.join(", ")}`;
    await act(pass, { action: "host-endpoint", subject: "", detail }, () => ensure(pass, operation));
  } else if (lacksHostRoute(pass, operation, view)) {
    const detail = "the network lacks HostRoute, without which the node does not reach its own pods";
    await act(pass, { action: "policies", subject: "", detail }, () => ensure(pass, operation));
  } else if (!pass.dryRun) await verify(pass, operation);
}

/** Whether the network that HNS has is the one that we made, and not another of its name. */
function isOurs({ record, look }: NetworkPass): boolean {
  return record.isOurs && record.id === look.id;
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

async function repairMissing(pass: NetworkPass, config: AttachableConfig | undefined): Promise<void> {
  const detail = "HNS has no network of this name";
  if (config !== undefined && pass.record.isOurs) {
    await act(pass, { action: "network", subject: "", detail }, () => ensure(pass, startOperation(pass, config)));
    return;
  }
  const why = pass.record.isOurs
    ? "and what it was made with is not known here: the next ADD makes it"
    : "and it was not ours: whoever made it has to make it again";
  note(pass, { action: "difference", outcome: "found", subject: "", detail: `${detail}, ${why}` });
}

/**
 * A network found by another run of HNS, or with another configuration, is verified as the next ADD would. Where nothing is wrong as far as a
 * look can tell, what is idempotent is done once more: forwarding is not told by HNS.
 */
async function verify(pass: NetworkPass, operation: Operation<AttachableConfig>): Promise<void> {
  try {
    await ensure(pass, operation);
  } catch (thrown) {
    if (!(thrown instanceof PluginError && thrown.code === "NETWORK_MISMATCH")) throw thrown;
    tellMismatch(pass, thrown);
  }
}

function tellMismatch(pass: NetworkPass, { message, data }: PluginError): void {
  note(pass, { action: "difference", outcome: "found", subject: "", detail: `${message}; ${data.remedy ?? ""}` });
}

function lacksHostRoute(pass: NetworkPass, { config }: Operation<AttachableConfig>, view: NetworkView): boolean {
  return isOurs(pass) && getDatapath(config).needs.hostRoute && !view.hasHostRoute;
}

async function ensure({ record, engine }: NetworkPass, operation: Operation<AttachableConfig>): Promise<boolean> {
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
function findConfig({ engine, record, attachments }: NetworkPass): AttachableConfig | undefined {
  const own = engine.store.read((tx) => tx.findRequest(networkId(engine.machine.nodeName, record.name)));
  const config = own === undefined ? undefined : configOfNetwork(own);
  if (config !== undefined) return forThisNode({ engine }, config);
  for (const attachment of attachments.filter(({ phase }) => phase === "attached")) {
    const config = findPodConfig({ engine }, attachment);
    if (config !== undefined) return config;
  }
  return undefined;
}
