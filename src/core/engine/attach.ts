import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { findIp, formatIp, type IpAddress } from "../base/ip.ts";
import type { CniResult } from "../cni/result.ts";
import type { AttachableConfig, HostConfig, NetworkConfig } from "../config/plugin-config.ts";
import { getDatapath } from "../datapath/datapaths.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import { isAddressInUse } from "../hcn/hresults.ts";
import { type Attachment, attachmentId, type AttachRequest, endpointName } from "./attachment.ts";
import { Refusals } from "./address-holder.ts";
import { adoptExisting } from "./adopt.ts";
import { type Claim, claimAddresses, undoClaim } from "./claim.ts";
import { openReadyNetwork, type ReadyNetwork } from "./ensure-network.ts";
import { addLatePolicies, settleAddresses } from "./hns-addresses.ts";
import { importNetwork } from "./import-network.ts";
import { ownsLease, takeLease } from "./lease.ts";
import type { Operation } from "./operation.ts";
import { buildResult } from "./pod-result.ts";
import { isOutcomeUnknown, removeEndpoint } from "./remove-endpoint.ts";
import { rememberIfUnknown, rememberRequest } from "./request-memory.ts";
import { joinSandbox, readSandbox, type SandboxedRequest, shareAttachment, withNamespace } from "./sandbox.ts";
import { withMode } from "./with-mode.ts";

/** Addresses tried before an ADD gives up when HNS says that each is in use. */
const MAX_ADDRESS_TRIES = 3;

/**
 * ADD. Gives the pod an address and an endpoint with all its policies in its namespace. A repeat for an attachment that stands
 * returns the same result. When it fails, HNS, IPAM and state are as they were, or the attachment is marked for the next DEL; one that HNS had
 * lost, and that was to be made anew, is gone then, with its addresses at rest (docs/DESIGN.md).
 */
export async function attach(given: Operation, request: AttachRequest): Promise<CniResult> {
  const shared = await shareAttachment(given, request);
  if (shared !== undefined) return shared;
  const pod = readSandbox(request);
  const operation = await withMode(given);
  await importNetwork(operation);
  return attachOnce(operation, pod, (taken) => attachNew(operation, taken));
}

/** Takes the attachment for this process; `make` then makes it, unless it stands already. */
export async function attachOnce(
  operation: Operation<NetworkConfig>,
  request: SandboxedRequest,
  make: (pod: NewAttachment) => Promise<CniResult>,
): Promise<CniResult> {
  const id = attachmentId(request);
  const existing = await takeLease(operation.leaseOptions, id, (tx) => tx.findAttachment(id));
  try {
    const adopted = existing === undefined ? undefined : await adoptExisting(operation, existing, request);
    if (adopted === undefined) return await make({ ...request, id, existing });
    operation.finish(id, (tx) => rememberIfUnknown(tx, operation, { ...request, id }));
    return adopted;
  } catch (thrown) {
    operation.abandon(id);
    throw thrown;
  }
}

export interface NewAttachment extends SandboxedRequest {
  readonly id: Guid;
  readonly existing: Attachment | undefined;
}

async function attachNew(operation: Operation, pod: NewAttachment): Promise<CniResult> {
  const { hcn } = operation;
  return withNamespace(operation, pod, async (namespace) => {
    const network = await openReadyNetwork(operation);
    try {
      const claim = await claimAddresses(operation, pod);
      const settle = (isConfirmed: boolean): void => operation.finish(pod.id, (tx) => undoClaim(tx, operation, claim, isConfirmed));
      return await undoing(operation, pod, { claim, settle }, () => attachTo(operation, pod, { namespace, network, claim }));
    } finally {
      await hcn.close(network.handle);
    }
  });
}

/** Makes the endpoint with the addresses of `claim`, in the pod's namespace, and records that it stands. Takes nothing back. */
export async function attachTo(
  operation: Operation<AttachableConfig>,
  pod: NewAttachment,
  targets: { namespace: HcnHandle | undefined; network: ReadyNetwork; claim: Claim },
): Promise<CniResult> {
  const { claim } = targets;
  const endpoint = await createEndpoint(operation, pod, claim, targets.network);
  if (endpoint.id !== pod.id) recordForeignId(operation, pod.id, endpoint.id);
  await joinSandbox(operation, endpoint, pod, targets.namespace);
  const { config, addresses } = await settleAddresses(operation, endpoint, parseAddresses(claim));
  const result = buildResult(config, { ...pod, addresses, mac: endpoint.mac });
  commit(operation, pod, result);
  operation.log.info("endpoint attached", { endpoint: endpoint.id, namespace: pod.namespace, addresses: addresses.map(formatIp) });
  return result;
}

/** What goes back when an ADD fails. `settle` is told whether HNS certainly has no endpoint of the attachment. */
export interface Taken {
  readonly claim: Pick<Claim, "isUncertain">;
  readonly settle: (isConfirmed: boolean) => void | Promise<void>;
}

/** Does `work`; when it fails, what it made in HNS and what was taken for it goes back. */
export async function undoing<T>(operation: Operation<HostConfig>, pod: NewAttachment, taken: Taken, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    await undo(operation, pod, taken, thrown);
    throw thrown;
  }
}

/** Creates the endpoint, taking another address when HNS says that this one is in use; the refused one is quarantined. */
async function createEndpoint(
  operation: Operation<AttachableConfig>,
  pod: NewAttachment,
  claim: Claim,
  network: ReadyNetwork,
): Promise<EndpointView> {
  const { hcn } = operation;
  const refusals = new Refusals(operation, network.id);
  for (let tries = 1; ; tries++) {
    try {
      return await hcn.withHandle(requestEndpoint(operation, pod, claim, network), async (handle) => {
        const endpoint = parseEndpoint(await hcn.query(handle));
        if (claim.addresses.length === 0) await addLatePolicies(operation, handle, endpoint, network);
        return endpoint;
      });
    } catch (thrown) {
      if (!isAddressInUse(thrown)) throw thrown;
      await refusals.add(claim.addresses, tries);
      const isOurs = await removeLeftover(operation, pod);
      if (tries >= MAX_ADDRESS_TRIES) throw giveUp(claim, isOurs, conflict(refusals, thrown));
      if (!isOurs) await claim.replaceRefused();
    }
  }
}

async function requestEndpoint(
  operation: Operation<AttachableConfig>,
  pod: NewAttachment,
  claim: Claim,
  network: ReadyNetwork,
): Promise<HcnHandle> {
  const { id, version, view } = network;
  const { config } = operation;
  const addresses = parseAddresses(claim);
  const providerAddress = view?.providerAddress;
  const document = getDatapath(config).buildPodEndpoint(config, {
    name: endpointName(pod),
    network: id,
    addresses,
    version,
    providerAddress,
  });
  try {
    return await operation.hcn.createEndpoint(network.handle, pod.id, document);
  } catch (thrown) {
    if (isOutcomeUnknown(thrown)) claim.markUncertain();
    throw thrown;
  }
}

/** Whether the address was held by an endpoint of this very attachment, which HNS finished after an earlier ADD had given up. */
async function removeLeftover(operation: Operation<HostConfig>, pod: NewAttachment): Promise<boolean> {
  const { hcn, log } = operation;
  const byId = await removeEndpoint(hcn, log, { key: pod, endpoint: pod.id, netns: "" });
  return byId > 0 || (await removeEndpoint(hcn, log, { key: pod, endpoint: undefined, netns: "" })) > 0;
}

/** HNS chose another id than ours: it must be durable before anything else, or the endpoint could only be found by name. */
function recordForeignId(operation: Operation<HostConfig>, id: Guid, endpoint: Guid): void {
  operation.store.transaction((tx) => {
    const current = tx.findAttachment(id);
    if (current !== undefined) tx.putAttachment({ ...current, endpoint, phase: "created" });
  });
}

/** Makes the attachment stand, unless a DEL came meanwhile or another process followed us. */
function commit(operation: Operation<NetworkConfig>, pod: NewAttachment, result: CniResult): void {
  operation.finish(pod.id, (tx) => {
    const current = tx.findAttachment(pod.id);
    if (current === undefined || current.isCancelled || !ownsLease(tx, pod.id, operation.machine.processes.self())) throw cancelled();
    tx.putAttachment({ ...current, phase: "attached", result: JSON.stringify(result), updatedAt: operation.machine.clock.now() });
    rememberRequest(tx, operation, pod);
  });
}

/**
 * Takes back what this ADD did. Where HNS cannot confirm it, or may still carry out a call that we gave up, the attachment stays
 * as "deleting" and its addresses are quarantined for the next DEL, GC or ADD to settle. Never throws: the first error counts.
 */
async function undo(operation: Operation<HostConfig>, pod: NewAttachment, taken: Taken, reason: unknown): Promise<void> {
  const { store, machine, log } = operation;
  log.warn("attach failed, taking it back", { error: reason });
  try {
    if (!store.read((tx) => ownsLease(tx, pod.id, machine.processes.self()))) return; // somebody follows and settles it
    const isGone = await removeCreated(operation, pod);
    await taken.settle(isGone && !taken.claim.isUncertain);
  } catch (thrown) {
    log.error("attach not taken back", { error: thrown });
  }
}

/** Whether HNS confirms that no endpoint of the attachment is left. */
async function removeCreated(operation: Operation<HostConfig>, pod: NewAttachment): Promise<boolean> {
  const { undoHcn, store, log } = operation;
  const current = store.read((tx) => tx.findAttachment(pod.id));
  try {
    for (const endpoint of current?.phase === "created" ? [current.endpoint] : [pod.id, undefined]) {
      await removeEndpoint(undoHcn, log, { key: pod, endpoint, netns: "" });
    }
    return true;
  } catch (thrown) {
    log.error("endpoint not taken back", { endpoint: endpointName(pod), error: thrown });
    return false;
  }
}

function parseAddresses(claim: Claim): IpAddress[] {
  return claim.addresses.map((text) => findIp(text)).filter((address) => address !== undefined);
}

/** The last address stays out of the next ADD's way like the ones before, unless it was our own leftover that had it. */
function giveUp(claim: Claim, isOurs: boolean, error: PluginError): PluginError {
  if (!isOurs) claim.dropRefused();
  return error;
}

function conflict(refusals: Refusals, cause: unknown): PluginError {
  const message = `HNS says of ${MAX_ADDRESS_TRIES} addresses in a row that they are in use: ${refusals.text}`;
  const remedy = "look for endpoints that another tool left on this network; the addresses are quarantined";
  return new PluginError("ADDRESS_CONFLICT", { message, remedy }, { cause, retryable: true });
}

function cancelled(): PluginError {
  const data = {
    message: "a DEL for the same attachment came while this ADD was under way",
    remedy: "nothing is left; add it again if it is wanted",
  };
  return new PluginError("ATTACHMENT_CANCELLED", data, { retryable: true });
}
