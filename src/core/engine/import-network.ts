import { findIp, type IpAddress } from "../base/ip.ts";
import { parseEndpoint } from "../hcn/documents.ts";
import type { EndpointSummary } from "../hcn/documents-v1.ts";
import { adoptAddress, CONFLICT_OWNER } from "../ipam/import.ts";
import type { Holder } from "../ipam/store.ts";
import { type Attachment, attachmentId, networkId, parseEndpointName } from "./attachment.ts";
import type { Operation } from "./operation.ts";
import { buildResult } from "./pod-result.ts";
import { poolSpecs } from "./pool-spec.ts";
import type { StateTransaction } from "./store.ts";

/**
 * Learns from HNS what the state does not know: it does so for a network without a record, which is one that was never used here or
 * whose state was lost. Attachments of ours are recorded as standing, with their addresses; addresses of endpoints that are not ours
 * are kept from everybody. Changes nothing in HNS, and nothing where the network is known.
 */
export async function importNetwork(operation: Operation): Promise<void> {
  const { config, store, scan, log } = operation;
  if (store.read((tx) => tx.findNetwork(config.networkName)) !== undefined) return;
  const id = await scan.findNetwork();
  if (id === undefined) return;
  const isOurs = id === networkId(operation.machine.nodeName, config.networkName);
  const endpoints = (await scan.listEndpoints()).filter((endpoint) => endpoint.network === id);
  const found = await Promise.all(endpoints.map((endpoint) => classify(operation, endpoint, isOurs)));
  const attachments = store.transaction((tx) => {
    if (tx.findNetwork(config.networkName) !== undefined) return 0; // another process was quicker
    tx.putNetwork({ name: config.networkName, id, isOurs, isCreating: false, verified: "", hnsVersion: "" });
    for (const entry of found) record(tx, operation, entry);
    return found.filter((entry) => entry.attachment !== undefined).length;
  });
  log.info("network imported from HNS", { network: config.networkName, endpoints: endpoints.length, attachments });
}

interface Found {
  readonly endpoint: EndpointSummary;
  /** Undefined for an endpoint that is not ours. */
  readonly attachment: Attachment | undefined;
}

/** An endpoint is ours when its id is the one we derive from its name, or when it has our kind of name on a network that we made. */
async function classify(operation: Operation, endpoint: EndpointSummary, isOurs: boolean): Promise<Found> {
  const key = parseEndpointName(endpoint.name, operation.config.networkName);
  const id = key === undefined ? undefined : attachmentId(key);
  if (key === undefined || id === undefined || (endpoint.id !== id && !isOurs)) return { endpoint, attachment: undefined };
  const netns = endpoint.namespace ?? (await findNamespace(operation, endpoint));
  const { clock } = operation.machine;
  const common = { ...key, id, endpoint: endpoint.id, isCancelled: false, bootId: clock.bootId(), updatedAt: clock.now() };
  if (netns === undefined) return { endpoint, attachment: { ...common, netns: "", phase: "created", result: undefined } };
  const pod = { ifname: key.ifname, netns, addresses: addressesOf(endpoint), mac: endpoint.mac };
  return { endpoint, attachment: { ...common, netns, phase: "attached", result: JSON.stringify(buildResult(operation.config, pod)) } };
}

/** Version 1 does not always tell the namespace; version 2 does. */
async function findNamespace(operation: Operation, endpoint: EndpointSummary): Promise<string | undefined> {
  return parseEndpoint(await operation.hcn.describe("endpoint", endpoint.id)).namespace;
}

function record(tx: StateTransaction, operation: Operation, found: Found): void {
  const { endpoint, attachment } = found;
  if (attachment !== undefined) tx.putAttachment(attachment);
  const held =
    attachment === undefined
      ? ({ owner: CONFLICT_OWNER, state: "quarantined" } as const)
      : ({ owner: attachment.id, state: "assigned", holder: holderOf(attachment) } as const);
  for (const address of addressesOf(endpoint)) {
    for (const spec of poolSpecs(operation.config)) adoptAddress(tx, spec, address, held);
  }
}

/** Of the pod's name HNS knows nothing. */
function holderOf({ containerId, ifname }: Attachment): Holder {
  return { containerId, ifname, isSticky: false };
}

function addressesOf({ addresses }: EndpointSummary): IpAddress[] {
  return addresses.map((text) => findIp(text)).filter((address) => address !== undefined);
}
