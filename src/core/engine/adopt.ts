import type { CniResult } from "../cni/result.ts";
import { findGuid } from "../base/ids.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { parseEndpoint } from "../hcn/documents.ts";
import { isNotFound } from "../hcn/hresults.ts";
import type { Attachment, AttachRequest } from "./attachment.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import { isSameSandbox } from "./sandbox.ts";
import { removeEndpoint } from "./remove-endpoint.ts";

/**
 * What an ADD makes of an attachment that it finds: one that stands in HNS as recorded gives its result again; of any other the
 * endpoint is removed, so that the ADD can start anew, with the addresses the attachment had.
 * @returns the result, or undefined when the ADD has to make the attachment
 */
export async function adoptExisting(
  operation: Operation<HostConfig>,
  existing: Attachment,
  request: AttachRequest,
): Promise<CniResult | undefined> {
  if (existing.phase === "attached" && isSameSandbox(existing.netns, request.netns) && (await isAttached(operation, existing))) {
    const result = parseStoredResult(existing.result);
    return {
      ...result,
      interfaces: result.interfaces.map((entry) => (entry.sandbox === undefined ? entry : { ...entry, sandbox: request.netns })),
    };
  }
  const { hcn, log } = operation;
  log.info("unfinished attachment found", { endpoint: existing.endpoint, phase: existing.phase });
  if (existing.phase !== "gone") await removeEndpoint(hcn, log, { key: existing, endpoint: existing.endpoint, netns: existing.netns });
  // A call that its caller gave up can have been carried out since, even after a DEL, and under an id that HNS chose.
  if (existing.phase === "intent" || existing.phase === "deleting" || existing.phase === "gone") {
    await removeEndpoint(hcn, log, { key: existing, endpoint: undefined, netns: existing.netns });
  }
  return undefined;
}

/** Whether HNS has the endpoint, in its namespace, with every address recorded. */
async function isAttached(operation: Operation<HostConfig>, existing: Attachment): Promise<boolean> {
  try {
    const endpoint = parseEndpoint(await operation.hcn.describe("endpoint", existing.endpoint));
    const owned = operation.store.read((tx) => tx.listOwned(existing.id));
    const reserved = owned.filter(({ state }) => state !== "cooling").map((record) => record.address); // one may rest from an earlier life
    // Addresses of another IPAM plugin are in the result alone.
    const wanted = [...reserved, ...parseStoredResult(existing.result).ips.map((ip) => ip.address.split("/")[0] ?? "")];
    const found = endpoint.addresses.map((entry) => entry.address);
    return endpoint.namespace === findGuid(existing.netns) && wanted.every((address) => found.includes(address));
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    throw thrown;
  }
}
