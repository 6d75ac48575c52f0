import { formatGuid, type Guid } from "../base/ids.ts";
import { formatIp } from "../base/ip.ts";
import type { AttachableConfig, HostConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import { parseNetwork } from "../hcn/documents.ts";
import type { EndpointSummary } from "../hcn/documents-v1.ts";
import { isNotFound } from "../hcn/hresults.ts";
import { hostEndpointId, hostEndpointName, networkId } from "./attachment.ts";
import { mismatch, openReadyNetwork } from "./ensure-network.ts";
import { importNetwork } from "./import-network.ts";
import { findPlaceChanges, type NetworkChange, readPlace, rememberPlace } from "./network-place.ts";
import type { Operation } from "./operation.ts";
import { settleSubnets } from "./settle-subnets.ts";
import type { StateTransaction } from "./store.ts";
import { withMode } from "./with-mode.ts";

/** One thing that was done, or with a dry run would have been. */
export type CareStep =
  "network created" | "network deleted" | "network verified" | "host endpoint created" | "host endpoint deleted" | "host endpoint finished";

export interface CareReport {
  readonly network: string;
  /** In HNS; undefined where there is none, or will be none. */
  readonly id: Guid | undefined;
  readonly dryRun: boolean;
  readonly steps: readonly CareStep[];
  /** Another card or address of the node than when the network was last seen to; remembered from now on unless this is a dry run. */
  readonly changes: readonly NetworkChange[];
}

/** Why a network stays: somebody else made it, or something needs it. `users` are endpoints by name, and containers that have none yet. */
export interface Refusal {
  readonly network: string;
  readonly id: Guid;
  readonly reason: "not-ours" | "in-use";
  readonly users: readonly string[];
}

/** What HNS has of one network before anything is done. */
interface Found {
  readonly id: Guid;
  readonly isOurs: boolean;
  /** The one that we made for the node, finished or not. */
  readonly hostEndpoint: EndpointSummary | undefined;
  readonly others: readonly EndpointSummary[];
}

/**
 * Makes the network of the configuration and its host endpoint as the first ADD would; where they stand, only verifies them. Throws as
 * openReadyNetwork.
 */
export async function ensureNetworkReady(given: Operation<AttachableConfig>): Promise<CareReport> {
  const operation = await withMode(given);
  await learn(operation);
  return await makeReady(operation, await look(operation));
}

/**
 * Verifies the network anew and makes what is missing of it: the network itself, and the host endpoint, which is made again where it has
 * another address than the configuration wants. A network of ours that differs is replaced where nothing but the host endpoint is on it;
 * any other that differs throws NETWORK_MISMATCH, naming the fields. Pods' endpoints are never touched.
 */
export async function repairNetwork(given: Operation<AttachableConfig>, { dryRun }: { dryRun: boolean }): Promise<CareReport> {
  const operation = await withMode(given);
  if (!dryRun) await learn(operation);
  const before = await look(operation);
  const removed = before === undefined ? [] : await removeWrong(operation, before, dryRun);
  if (dryRun) return planReady(operation, before, removed);
  forgetVerification(operation);
  operation.scan.forget();
  const report = await makeReady(operation, await look(operation));
  return { ...report, steps: [...removed, ...report.steps] };
}

/**
 * Deletes a network that we made, with its host endpoint. Refused when it is not ours, by id and by state, when any other endpoint is
 * on it, and when the state has an attachment to it that is not gone: its endpoint may still come. Nothing to do is no error.
 */
export async function deleteNetwork(operation: Operation<HostConfig>, { dryRun }: { dryRun: boolean }): Promise<CareReport | Refusal> {
  const { config, hcn, log, scan } = operation;
  const network = config.networkName;
  const before = await look(operation);
  if (before === undefined) return { network, id: undefined, dryRun, steps: [], changes: [] };
  const refusal = refuse(operation, before);
  if (refusal !== undefined) return refusal;
  const steps: CareStep[] = [...(before.hostEndpoint === undefined ? [] : (["host endpoint deleted"] as const)), "network deleted"];
  if (dryRun) return { network, id: undefined, dryRun, steps, changes: [] };
  forgetVerification(operation);
  if (before.hostEndpoint !== undefined) await deleteHostEndpoint(operation, before.hostEndpoint);
  scan.forget();
  const now = await look(operation); // a pod may have come meanwhile
  const late = now === undefined ? undefined : refuse(operation, now);
  if (late !== undefined) return late;
  await ignoringAbsence(hcn.delete("network", before.id));
  forgetNetwork(operation);
  log.info("network deleted", { network, id: before.id });
  return { network, id: undefined, dryRun, steps, changes: [] };
}

/** As an ADD does, so that pods of a lost state are known before anything is made for them. */
async function learn(operation: Operation<AttachableConfig>): Promise<void> {
  await importNetwork(operation);
}

async function look(operation: Operation<HostConfig>): Promise<Found | undefined> {
  const { config, machine, scan, store } = operation;
  const id = await scan.findNetwork();
  if (id === undefined) return undefined;
  const record = store.read((tx) => tx.findNetwork(config.networkName));
  const isKnown = record !== undefined && (record.isCreating || (record.isOurs && record.id === id)); // HNS may have chosen the id itself
  const isOurs = isKnown || id === networkId(machine.nodeName, config.networkName);
  const endpoints = (await scan.listSurely()).filter((endpoint) => endpoint.network === id);
  const own = hostEndpointId(machine.nodeName, config.networkName);
  const isHostEndpoint = (endpoint: EndpointSummary): boolean =>
    endpoint.id === own || (isOurs && endpoint.name === hostEndpointName(config.networkName));
  return { id, isOurs, hostEndpoint: endpoints.find(isHostEndpoint), others: endpoints.filter((one) => !isHostEndpoint(one)) };
}

function refuse({ config, store }: Operation<HostConfig>, { id, isOurs, others }: Found): Refusal | undefined {
  const network = config.networkName;
  if (!isOurs) return { network, id, reason: "not-ours", users: [] };
  const phases = ["intent", "created", "attached", "deleting"] as const;
  const attached = store.read((tx) => tx.listAttachments({ network, phases }));
  const endpoints = new Set(others.map((endpoint) => endpoint.id));
  const waiting = attached.filter(({ endpoint }) => !endpoints.has(endpoint)).map(({ containerId }) => `container ${containerId}`);
  const users = [...others.map(({ name }) => name), ...waiting];
  return users.length === 0 ? undefined : { network, id, reason: "in-use", users };
}

/** Opens the network as an ADD does, and tells what that made. */
async function makeReady(operation: Operation<AttachableConfig>, before: Found | undefined): Promise<CareReport> {
  operation.scan.forget();
  const ready = await openReadyNetwork(operation);
  await operation.hcn.close(ready.handle);
  const changes = await watchPlace(operation, ready.id, { isNew: before === undefined, remember: true });
  return { network: operation.config.networkName, id: ready.id, dryRun: false, steps: describeReady(operation, before), changes };
}

/** A network that was made anew has no past. */
async function watchPlace(
  { hcn, store, config }: Operation<HostConfig>,
  id: Guid,
  { isNew, remember }: { isNew: boolean; remember: boolean },
): Promise<NetworkChange[]> {
  const place = await readPlace(hcn, id);
  if (place === undefined) return [];
  const known = isNew ? undefined : store.read((tx) => tx.findPlace(config.networkName));
  if (remember) rememberPlace(store, config.networkName, place, "always");
  return findPlaceChanges(known, place);
}

async function planReady(
  operation: Operation<AttachableConfig>,
  before: Found | undefined,
  removed: readonly CareStep[],
): Promise<CareReport> {
  const left = removed.includes("network deleted") ? undefined : before;
  const kept = left === undefined || !removed.includes("host endpoint deleted") ? left : { ...left, hostEndpoint: undefined };
  const steps = [...removed, ...describeReady(operation, kept)];
  const changes = left === undefined ? [] : await watchPlace(operation, left.id, { isNew: false, remember: false });
  return { network: operation.config.networkName, id: left?.id, dryRun: true, steps, changes };
}

/** What openReadyNetwork does to what it finds. A network of others gets no endpoint of ours. */
function describeReady(operation: Operation<AttachableConfig>, before: Found | undefined): CareStep[] {
  const network: CareStep = before === undefined ? "network created" : "network verified";
  const needsHostEndpoint = getDatapath(operation.config).hostEndpointAddresses(operation.config).length > 0;
  if (!needsHostEndpoint || before?.isOurs === false) return [network];
  return [network, before?.hostEndpoint === undefined ? "host endpoint created" : "host endpoint finished"];
}

/** Removes what stands in the way of the configuration. Throws NETWORK_MISMATCH when that is not ours to remove. */
async function removeWrong(operation: Operation<AttachableConfig>, found: Found, dryRun: boolean): Promise<CareStep[]> {
  const { config, hcn, log } = operation;
  const view = parseNetwork(await hcn.describe("network", found.id));
  const differences = getDatapath(config).compareNetwork(view, settleSubnets(config, view));
  if (differences.length === 0) return await removeWrongHostEndpoint(operation, found, dryRun);
  const { networkName: name } = config;
  if (refuse(operation, found) !== undefined) {
    throw mismatch({ name, differences, existingContainersAffected: found.others.length > 0 });
  }
  log.info("network differs and is empty, making it anew", { network: name, differences });
  const report = await deleteNetwork(operation, { dryRun });
  if ("steps" in report) return [...report.steps];
  throw mismatch({ name, differences, existingContainersAffected: true });
}

async function removeWrongHostEndpoint(
  operation: Operation<AttachableConfig>,
  { hostEndpoint, isOurs }: Found,
  dryRun: boolean,
): Promise<CareStep[]> {
  const wanted = getDatapath(operation.config).hostEndpointAddresses(operation.config).map(formatIp);
  if (!isOurs || hostEndpoint === undefined || wanted.length === 0) return [];
  if (wanted.every((address) => hostEndpoint.addresses.includes(address))) return [];
  if (!dryRun) await deleteHostEndpoint(operation, hostEndpoint);
  return ["host endpoint deleted"];
}

async function deleteHostEndpoint({ config, hcn, log }: Operation<HostConfig>, { id, addresses }: EndpointSummary): Promise<void> {
  await ignoringAbsence(hcn.delete("endpoint", id));
  log.info("host endpoint deleted", { network: config.networkName, endpoint: formatGuid(id), addresses });
}

async function ignoringAbsence(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
  }
}

/** The next to use the network compares it anew. */
function forgetVerification({ config, store }: Operation<HostConfig>): void {
  store.transaction((tx) => {
    const known = tx.findNetwork(config.networkName);
    if (known !== undefined) tx.putNetwork({ ...known, verified: "" });
  });
}

function forgetNetwork({ config, store }: Operation<HostConfig>): void {
  store.transaction((tx: StateTransaction) => {
    tx.removePlace(config.networkName);
    if (tx.findNetwork(config.networkName) === undefined) return;
    tx.putNetwork({ name: config.networkName, id: undefined, isOurs: false, isCreating: false, verified: "", hnsVersion: "" });
  });
}
