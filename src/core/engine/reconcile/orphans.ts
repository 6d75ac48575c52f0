import type { EndpointSummary } from "../../hcn/documents-v1.ts";
import { type AttachmentKey, attachmentId, parseEndpointName } from "../attachment.ts";
import { removeEndpoint } from "../remove-endpoint.ts";
import type { StateTransaction } from "../store.ts";
import { act, alone, isDue, isUsed, type NetworkPass, startOperation, withAttachment } from "./pass.ts";
import { isAtWork } from "./settle.ts";

/**
 * Endpoints of ours that no attachment has: a create that HNS carried out after its caller had given it up. Their id is the one we derive from
 * their name; where HNS chose ids itself, an attachment that is gone proves it. One in a namespace that lives is left alone: somebody uses it.
 */
export async function removeOrphans(pass: NetworkPass): Promise<void> {
  for (const endpoint of listOrphans(pass)) {
    const { namespace } = endpoint;
    if (namespace !== undefined && pass.look.namespaces.has(namespace)) continue;
    const key = parseEndpointName(endpoint.name, pass.record.name);
    const finding = { action: "orphan", subject: endpoint.name, detail: "no attachment has this endpoint" } as const;
    if (key === undefined || isAtWork(pass, { id: attachmentId(key) })) continue;
    await alone(pass, endpoint.name, async () => {
      if (await isUsed(startOperation(pass, pass.base), endpoint.id)) return;
      if (isDue(pass, finding, endpoint.id)) await act(pass, finding, () => remove(pass, endpoint, key));
    });
  }
}

/** Of an attachment that was there when the look began, nothing is orphaned: it has been seen to by now. */
export function listOrphans({ engine, record, look, attachments }: NetworkPass): EndpointSummary[] {
  const known = new Set(attachments.map(({ id }) => id));
  return look.endpoints.filter((endpoint) => {
    if (endpoint.network !== look.id || endpoint.isRemote) return false;
    const key = parseEndpointName(endpoint.name, record.name);
    return key !== undefined && !known.has(attachmentId(key)) && engine.store.read((tx) => isOrphan(tx, endpoint, key));
  });
}

function isOrphan(tx: StateTransaction, { id, network }: EndpointSummary, key: AttachmentKey): boolean {
  const attachment = tx.findAttachment(attachmentId(key));
  if (id === attachmentId(key)) return attachment === undefined || attachment.phase === "gone";
  if (attachment?.phase !== "gone") return false;
  const record = tx.findNetwork(key.network);
  return id === attachment.endpoint || (record?.isOurs === true && record.id === network);
}

function remove(pass: NetworkPass, endpoint: EndpointSummary, key: AttachmentKey): Promise<boolean> {
  const operation = startOperation(pass, pass.base);
  return withAttachment(
    operation,
    attachmentId(key),
    (tx) => isOrphan(tx, endpoint, key),
    async () => {
      await removeEndpoint(operation.hcn, operation.log, { key, endpoint: endpoint.id, netns: "" });
    },
  );
}
