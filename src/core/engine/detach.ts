import { PluginError, toPluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { quarantineOwned, releaseOwned } from "../ipam/allocator.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { type Attachment, type AttachmentKey, attachmentId } from "./attachment.ts";
import { isHeldByOther, ownsLease, takeLease } from "./lease.ts";
import type { Operation } from "./operation.ts";
import { removeEndpoint } from "./remove-endpoint.ts";
import type { StateTransaction } from "./store.ts";

export interface DetachRequest extends AttachmentKey {
  /** Often empty on repeated DELs; the recorded one is used then. */
  readonly netns: string;
}

/** Gives back what another IPAM plugin keeps for an attachment, once no endpoint can have it any more. */
export type ReleaseElsewhere = (attachment: DetachRequest) => Promise<void>;

/** How long a finished attachment is remembered, milliseconds. */
const GONE_KEPT_MS = 3_600_000;

/**
 * DEL. Succeeds when nothing of the attachment is left, whatever is missing already. An ADD under way is told to undo itself first.
 * The addresses are given back only once HNS has confirmed that the endpoint is gone; otherwise they are quarantined, the
 * attachment stays as "deleting", and the error says to try again. The same holds where `release` fails.
 */
export async function detach(operation: Operation<HostConfig>, request: DetachRequest, release?: ReleaseElsewhere): Promise<void> {
  const id = attachmentId(request);
  const existing = await begin(operation, request, id);
  try {
    await removeAll(operation, request, existing);
    await release?.({ ...request, netns: findNetns(request, existing) });
  } catch (thrown) {
    operation.finish(id, (tx) => keepForRetry(tx, operation, id));
    throw retryable(thrown);
  }
  operation.finish(id, (tx) => settle(tx, operation, id));
  operation.log.info("endpoint detached", { endpoint: existing?.endpoint ?? id });
}

/**
 * Takes the attachment over and marks it, durably. Where the state cannot be written (a full or read-only disk) the endpoint is
 * removed all the same, and the error goes on: the runtime tries again, and the address stays taken until then.
 */
async function begin(operation: Operation<HostConfig>, request: DetachRequest, id: Guid): Promise<Attachment | undefined> {
  try {
    operation.store.transaction((tx) => cancelRunningAdd(tx, operation, id));
    return await takeLease(operation.leaseOptions, id, (tx) => markDeleting(tx, operation, id));
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "STATE_FAILURE") await removeAll(operation, request, undefined);
    throw thrown;
  }
}

/** Removes the endpoint, by its recorded id where there is one, by name where the record is missing or the id was never confirmed. */
export async function removeAll(operation: Operation<HostConfig>, request: DetachRequest, existing: Attachment | undefined): Promise<void> {
  const { hcn, log } = operation;
  const netns = findNetns(request, existing);
  const isIdCertain = existing?.phase === "attached" || existing?.phase === "created";
  await removeEndpoint(hcn, log, { key: request, endpoint: isIdCertain ? existing.endpoint : undefined, netns });
}

function findNetns(request: DetachRequest, existing: Attachment | undefined): string {
  return request.netns === "" ? (existing?.netns ?? "") : request.netns;
}

function cancelRunningAdd(tx: StateTransaction, operation: Operation<HostConfig>, id: Guid): void {
  const lease = tx.findLease(id);
  const current = tx.findAttachment(id);
  if (lease === undefined || current === undefined || !isHeldByOther(operation.leaseOptions, lease)) return;
  if (current.phase === "intent" || current.phase === "created") tx.putAttachment({ ...current, isCancelled: true });
}

/** The attachment as it was; from here on it is to go, durably. */
export function markDeleting(tx: StateTransaction, operation: Operation<HostConfig>, id: Guid): Attachment | undefined {
  const existing = tx.findAttachment(id);
  if (existing === undefined || existing.phase === "gone") return existing;
  tx.putAttachment({ ...existing, phase: "deleting", updatedAt: operation.machine.clock.now() });
  return existing;
}

/** Records that nothing is left. Throws ATTACHMENT_BUSY when another process followed: what stands now is its work. */
export function settle(tx: StateTransaction, operation: Operation<HostConfig>, id: Guid): void {
  if (!ownsLease(tx, id, operation.machine.processes.self())) throw followed();
  const now = operation.machine.clock.now();
  releaseOwned(tx, operation.machine.clock, id);
  const current = tx.findAttachment(id);
  if (current !== undefined) tx.putAttachment({ ...current, phase: "gone", result: undefined, isCancelled: false, updatedAt: now });
  tx.pruneGone(now - GONE_KEPT_MS);
}

export function keepForRetry(tx: StateTransaction, operation: Operation<HostConfig>, id: Guid): void {
  if (!ownsLease(tx, id, operation.machine.processes.self())) return; // somebody followed and settles it
  quarantineOwned(tx, id);
  const current = tx.findAttachment(id);
  if (current?.phase === "deleting") tx.putAttachment({ ...current, updatedAt: operation.machine.clock.now() });
}

function followed(): PluginError {
  const message = "this DEL overran its time, and another process took the attachment over";
  return new PluginError(
    "ATTACHMENT_BUSY",
    { message, remedy: "try again; see the log for the call that took so long" },
    { retryable: true },
  );
}

function retryable(thrown: unknown): PluginError {
  const error = toPluginError(thrown);
  return error.code === "HNS_REFUSED" ? new PluginError("CLEANUP_FAILED", error.data, { cause: error, retryable: true }) : error;
}
