import { isHeldByOther } from "../lease.ts";
import type { Attachment } from "../attachment.ts";
import { keepForRetry, markDeleting, removeAll, settle } from "../detach.ts";
import type { Operation } from "../operation.ts";
import type { HostConfig } from "../../config/plugin-config.ts";
import { act, alone, isDue, isSame, isUsed, nameAttachment, type NetworkPass, startOperation, withAttachment } from "./pass.ts";

/**
 * Attachments whose ADD or DEL broke off: their endpoint is removed and their addresses released, as a DEL does. Only those with addresses of
 * ours: another IPAM plugin must hear of its own from the runtime.
 */
export async function settleUnfinished(pass: NetworkPass): Promise<void> {
  for (const attachment of pass.attachments) {
    if (attachment.phase === "attached" || isAtWork(pass, attachment) || !hasOwnAddress(pass, attachment)) continue;
    const detail = `its ${attachment.phase === "deleting" ? "DEL" : "ADD"} was never finished`;
    const finding = { action: "settle", subject: nameAttachment(attachment), detail } as const;
    await alone(pass, finding.subject, async () => {
      // Learned from HNS after the state was lost: without a namespace it may be a pod of Docker's that runs.
      if (attachment.netns === "" && (await isUsed(startOperation(pass, pass.base), attachment.endpoint))) return;
      pass.seenTo.add(attachment.id);
      if (!isDue(pass, finding, `${attachment.id} ${attachment.updatedAt}`)) return;
      await act(pass, finding, () => endAttachment(startOperation(pass, pass.base), attachment));
    });
  }
}

/** Ends an attachment as a DEL does. False when it is not as it was seen any more, or somebody works on it. */
export function endAttachment(operation: Operation<HostConfig>, seen: Attachment): Promise<boolean> {
  const take = (tx: Parameters<typeof isSame>[0]): boolean => {
    if (!isSame(tx, seen)) return false;
    markDeleting(tx, operation, seen.id);
    return true;
  };
  return withAttachment(operation, seen.id, take, async () => {
    try {
      await removeAll(operation, seen, seen);
    } catch (thrown) {
      operation.finish(seen.id, (tx) => keepForRetry(tx, operation, seen.id));
      throw thrown;
    }
    operation.finish(seen.id, (tx) => settle(tx, operation, seen.id));
  });
}

export function isAtWork({ engine }: Pick<NetworkPass, "engine">, { id }: Pick<Attachment, "id">): boolean {
  const { clock, processes } = engine.machine;
  const lease = engine.store.read((tx) => tx.findLease(id));
  return lease !== undefined && isHeldByOther({ clock, processes }, lease);
}

function hasOwnAddress({ engine }: NetworkPass, { id }: Attachment): boolean {
  return engine.store.read((tx) => tx.listOwned(id)).some(({ state }) => state !== "cooling");
}
