import { PluginError } from "../base/errors.ts";
import { findGuid, formatGuid, type Guid } from "../base/ids.ts";
import { buildMembershipRequest, parseEndpoint } from "../hcn/documents.ts";
import { isNotFound } from "../hcn/hresults.ts";
import type { HcnSession } from "../hcn/session.ts";
import type { Logger } from "../base/log.ts";
import { attachmentId, type AttachmentKey, endpointName, listReadings } from "./attachment.ts";

/** An endpoint to be removed: its id where it is known, else it is looked for by name. */
export interface RemovalTarget {
  readonly key: AttachmentKey;
  readonly endpoint: Guid | undefined;
  /** CNI_NETNS as it was; anything that is no GUID means that there is no namespace to leave. */
  readonly netns: string;
}

/**
 * Takes an endpoint out of its namespace and deletes it. Every step is tried whatever became of the ones before; what is missing
 * already counts as done. Returns once HNS has confirmed that the endpoint is gone, with the number of endpoints deleted.
 * Throws the error of the deletion when HNS did not confirm it.
 */
export async function removeEndpoint(hcn: HcnSession, log: Logger, target: RemovalTarget): Promise<number> {
  const ids = target.endpoint === undefined ? await findByName(hcn, target.key) : [target.endpoint];
  let deleted = 0;
  for (const id of ids) {
    await leaveNamespace(hcn, log, id, target.netns);
    if (await deleteEndpoint(hcn, id)) deleted++;
  }
  return deleted;
}

/**
 * What HNS has under the attachment's name. An id that is not ours is deleted only once its name has been seen. `c1_pods_net1` can be the
 * interface net1 on the network "pods" and eth0 on "pods_net1": an id that is derived from another reading of the name is that attachment's.
 */
async function findByName(hcn: HcnSession, key: AttachmentKey): Promise<Guid[]> {
  const name = endpointName(key);
  const found: Guid[] = [];
  for (const id of await hcn.enumerate("endpoint", { Name: name })) {
    const isDerived = listReadings(name).some((reading) => attachmentId(reading) === id);
    if (id === attachmentId(key) || (!isDerived && (await readName(hcn, id)) === name)) found.push(id);
  }
  return found;
}

async function readName(hcn: HcnSession, id: Guid): Promise<string | undefined> {
  try {
    return parseEndpoint(await hcn.describe("endpoint", id)).name;
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    return undefined;
  }
}

/** A failure here is logged and no more: deleting the endpoint takes it out of its namespace too. */
async function leaveNamespace(hcn: HcnSession, log: Logger, endpoint: Guid, netns: string): Promise<void> {
  const namespace = findGuid(netns);
  if (namespace === undefined) return;
  try {
    const request = buildMembershipRequest("Remove", formatGuid(endpoint));
    await hcn.withHandle(hcn.open("namespace", namespace), (handle) => hcn.modify(handle, request));
  } catch (thrown) {
    if (!isNotFound(thrown)) log.warn("endpoint not taken out of its namespace", { endpoint, namespace, error: thrown });
  }
}

/** False when there was nothing to delete. */
async function deleteEndpoint(hcn: HcnSession, id: Guid): Promise<boolean> {
  try {
    await hcn.delete("endpoint", id);
    return true;
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    return false;
  }
}

/** Whether HNS may carry out a call after it failed for us: nobody knows what became of it. */
export function isOutcomeUnknown(thrown: unknown): boolean {
  if (!(thrown instanceof PluginError)) return false;
  return thrown.code === "HNS_TIMEOUT" || thrown.data.hresult === RPC_CALL_FAILED;
}

const RPC_CALL_FAILED = 0x800706be;
