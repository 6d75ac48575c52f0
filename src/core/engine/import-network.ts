import { findIp, type IpAddress } from "../base/ip.ts";
import type { AttachableConfig, DelegatedConfig, PluginConfig } from "../config/plugin-config.ts";
import { type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import type { EndpointSummary } from "../hcn/documents-v1.ts";
import { adoptAddress, CONFLICT_OWNER } from "../ipam/import.ts";
import type { CniResult } from "../cni/result.ts";
import type { Holder } from "../ipam/store.ts";
import { type Attachment, attachmentId, networkId, parseEndpointName } from "./attachment.ts";
import { readAddresses } from "./hns-addresses.ts";
import type { Operation } from "./operation.ts";
import { buildResult, resultOfEndpoint } from "./pod-result.ts";
import { poolSpecs } from "./pool-spec.ts";
import type { StateTransaction } from "./store.ts";

type ImportingConfig = AttachableConfig | DelegatedConfig;

/**
 * Learns from HNS what the state does not know: it does so for a network without a record, which is one that was never used here or
 * whose state was lost. Attachments of ours are recorded as standing, with their addresses; where those are ours to give, addresses of
 * endpoints that are not ours are kept from everybody. Changes nothing in HNS, nothing of another IPAM plugin's, which still knows what it
 * gave, and nothing where the network is known.
 */
export async function importNetwork(operation: Operation<ImportingConfig>): Promise<void> {
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

/**
 * An endpoint is ours when its id is the one we derive from its name, or, since HNS can choose ids itself, when it has our kind of name and is in
 * a namespace on a network that we made.
 */
async function classify(operation: Operation<ImportingConfig>, endpoint: EndpointSummary, isOurs: boolean): Promise<Found> {
  const key = parseEndpointName(endpoint.name, operation.config.networkName);
  const id = key === undefined ? undefined : attachmentId(key);
  if (key === undefined || id === undefined || (endpoint.id !== id && !isOurs)) return { endpoint, attachment: undefined };
  const standing = await readStanding(operation, endpoint, key.ifname);
  // A name alone proves little: without our id only one that somebody runs with, as our pods do, is taken for ours.
  if (standing === undefined && endpoint.id !== id) return { endpoint, attachment: undefined };
  const { clock } = operation.machine;
  const common = { ...key, id, endpoint: endpoint.id, isCancelled: false, bootId: clock.bootId(), updatedAt: clock.now() };
  if (standing === undefined) return { endpoint, attachment: { ...common, netns: "", phase: "created", result: undefined } };
  const { netns, result } = standing;
  return { endpoint, attachment: { ...common, netns, phase: "attached", result: JSON.stringify(result) } };
}

/**
 * The sandbox of an endpoint and the answer that its ADD gave; where the addresses are not ours to give, as far as HNS can tell it. Undefined
 * for an endpoint in no namespace, or without an address.
 */
async function readStanding(
  { config, hcn }: Operation<ImportingConfig>,
  endpoint: EndpointSummary,
  ifname: string,
): Promise<{ netns: string; result: CniResult } | undefined> {
  if (hasOwnPools(config)) {
    const netns = endpoint.namespace ?? (await describe(hcn, endpoint)).namespace;
    const pod = { ifname, addresses: addressesOf(endpoint), mac: endpoint.mac };
    return netns === undefined ? undefined : { netns, result: buildResult(config, { ...pod, netns }) };
  }
  const view = await describe(hcn, endpoint);
  const { namespace: netns, mac, routes } = view;
  const addresses = readAddresses(view);
  if (netns === undefined || addresses.length === 0) return undefined;
  return { netns, result: resultOfEndpoint({ ifname, netns, mac, addresses, routes, dns: config.dns }) };
}

/** Version 1 tells neither routes nor, on every Windows, the namespace; version 2 does. */
async function describe(hcn: Operation["hcn"], { id }: EndpointSummary): Promise<EndpointView> {
  return parseEndpoint(await hcn.describe("endpoint", id));
}

function hasOwnPools(config: ImportingConfig): config is PluginConfig {
  return "ipam" in config && config.delegated === undefined;
}

function record(tx: StateTransaction, { config }: Operation<ImportingConfig>, found: Found): void {
  const { endpoint, attachment } = found;
  if (attachment !== undefined) tx.putAttachment(attachment);
  if (!hasOwnPools(config)) return;
  const held =
    attachment === undefined
      ? ({ owner: CONFLICT_OWNER, state: "quarantined" } as const)
      : ({ owner: attachment.id, state: "assigned", holder: holderOf(attachment) } as const);
  for (const address of addressesOf(endpoint)) {
    for (const spec of poolSpecs(config)) adoptAddress(tx, spec, address, held);
  }
}

/** Of the pod's name HNS knows nothing. */
function holderOf({ containerId, ifname }: Attachment): Holder {
  return { containerId, ifname, isSticky: false };
}

function addressesOf({ addresses }: EndpointSummary): IpAddress[] {
  return addresses.map((text) => findIp(text)).filter((address) => address !== undefined);
}
