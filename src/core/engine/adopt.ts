import type { CniResult } from "../cni/result.ts";
import { findGuid, sameGuid } from "../base/ids.ts";
import { parseEndpoint } from "../hcn/documents.ts";
import { isNotFound } from "../hcn/hresults.ts";
import type { Attachment } from "./attachment.ts";
import type { AttachRequest } from "./attach.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import { removeEndpoint } from "./remove-endpoint.ts";

/**
 * What an ADD makes of an attachment that it finds: one that stands in HNS as recorded gives its result again; of any other the
 * endpoint is removed, so that the ADD can start anew, with the addresses the attachment had.
 * @returns the result, or undefined when the ADD has to make the attachment
 */
export async function adoptExisting(operation: Operation, existing: Attachment, request: AttachRequest): Promise<CniResult | undefined> {
  if (existing.phase === "gone") return undefined;
  if (existing.phase === "attached" && sameGuid(existing.netns, request.netns) && (await isAttached(operation, existing))) {
    const result = parseStoredResult(existing.result);
    return { ...result, interfaces: result.interfaces.map((entry) => (entry.sandbox === undefined ? entry : { ...entry, sandbox: request.netns })) };
  }
  const { hcn, log } = operation;
  log.info("unfinished attachment found", { endpoint: existing.endpoint, phase: existing.phase });
  await removeEndpoint(hcn, log, { key: existing, endpoint: existing.endpoint, netns: existing.netns });
  if (existing.phase === "intent" || existing.phase === "deleting") {
    await removeEndpoint(hcn, log, { key: existing, endpoint: undefined, netns: existing.netns });
  }
  return undefined;
}

/** Whether HNS has the endpoint, in its namespace, with every address recorded. */
async function isAttached(operation: Operation, existing: Attachment): Promise<boolean> {
  try {
    const endpoint = parseEndpoint(await operation.hcn.describe("endpoint", existing.endpoint));
    const wanted = operation.store.read((tx) => tx.listOwned(existing.id)).map((record) => record.address);
    const found = endpoint.addresses.map((entry) => entry.address);
    return endpoint.namespace === findGuid(existing.netns) && wanted.every((address) => found.includes(address));
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    throw thrown;
  }
}
