import { PluginError, toPluginError } from "../base/errors.ts";
import { formatGuid, type Guid } from "../base/ids.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import { isNotFound } from "../hcn/hresults.ts";
import { CONFLICT_OWNER, releaseOwned } from "../ipam/allocator.ts";
import { stamp } from "../ipam/release-time.ts";
import { type AttachmentKey, attachmentId, parseEndpointName } from "./attachment.ts";
import type { IpamDelegate, OtherAttachment } from "./delegate.ts";
import { detach, type ReleaseElsewhere } from "./detach.ts";
import { removeDeadLeases } from "./lease.ts";
import type { Operation } from "./operation.ts";
import { reclaimLeaks } from "./reclaim.ts";
import { removeEndpoint } from "./remove-endpoint.ts";

/** The attachments of one network that are in use, as the runtime knows them. */
export interface GcRequest {
  readonly network: string;
  readonly valid: readonly Pick<AttachmentKey, "containerId" | "ifname">[];
}

/**
 * GC. Removes everything of ours on one network that belongs to no valid attachment: recorded attachments, endpoints in HNS that no
 * record names, and addresses that no attachment holds; then `delegate`, where addresses are another plugin's, does the same with its
 * own. A valid attachment keeps its addresses whatever became of its endpoint: CHECK tells. Goes on after errors; throws
 * CLEANUP_FAILED with all of them.
 */
export async function collectGarbage(operation: Operation<HostConfig>, request: GcRequest, delegate?: IpamDelegate): Promise<void> {
  const valid = new Set(request.valid.map((entry) => attachmentId({ network: request.network, ...entry })));
  const failures: PluginError[] = [];
  const attempt = async (work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (thrown) {
      const error = toPluginError(thrown);
      if (error.code === "STATE_DAMAGED") throw error; // all begins anew with a state rebuilt from HNS
      failures.push(error);
    }
  };
  const release = delegate === undefined ? undefined : (stale: OtherAttachment) => delegate.del(operation.deadline, stale);
  for (const stale of listStale(operation, request.network, valid)) {
    await attempt(() => detach(operation, { ...stale, netns: stale.netns }, release));
  }
  await attempt(() => removeStrays(operation, { network: request.network, valid, release }));
  await attempt(async () => {
    await reclaimLeaks(operation, { wanted: valid });
  });
  await attempt(async () => delegate?.gc(operation.deadline));
  if (failures.length > 0) throw summary(failures);
}

function listStale(operation: Operation<HostConfig>, network: string, valid: ReadonlySet<Guid>): (AttachmentKey & { netns: string })[] {
  const phases = ["intent", "created", "attached", "deleting"] as const;
  return operation.store.read((tx) => tx.listAttachments({ network, phases })).filter((attachment) => !valid.has(attachment.id));
}

/** Endpoints that no record names, then addresses: those of refused endpoints become free where no endpoint of the network has them. */
async function removeStrays(
  operation: Operation<HostConfig>,
  { network, valid, release }: { network: string; valid: ReadonlySet<Guid>; release: ReleaseElsewhere | undefined },
): Promise<void> {
  const present = await listEndpoints(operation, network);
  const held = new Set<string>();
  for (const endpoint of present) {
    const key = findKey(operation, network, endpoint);
    if (key === undefined || valid.has(attachmentId(key))) endpoint.addresses.forEach((entry) => held.add(entry.address));
    else {
      const netns = endpoint.namespace ?? "";
      await removeEndpoint(operation.hcn, operation.log, { key, endpoint: endpoint.id, netns });
      await release?.({ ...key, netns });
    }
  }
  operation.store.transaction((tx) => {
    const { clock } = operation.machine;
    for (const record of tx.listOwned(CONFLICT_OWNER)) {
      if (record.pool.startsWith(`${network}/`) && !held.has(record.address))
        tx.putAddress({ ...record, state: "cooling", released: stamp(clock) });
    }
    for (const owner of tx.listOwnersWithoutAttachment(network)) {
      if (!valid.has(owner)) releaseOwned(tx, clock, owner);
    }
    removeDeadLeases(tx, operation.leaseOptions);
  });
}

/** Every endpoint of the network; none when HNS has no such network. */
async function listEndpoints(operation: Operation<HostConfig>, network: string): Promise<EndpointView[]> {
  const { hcn } = operation;
  const [id] = await hcn.enumerate("network", { Name: network });
  if (id === undefined) return [];
  const found: EndpointView[] = [];
  for (const endpoint of await hcn.enumerate("endpoint", { VirtualNetwork: formatGuid(id) })) {
    try {
      found.push(parseEndpoint(await hcn.describe("endpoint", endpoint)));
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  }
  return found;
}

/**
 * The attachment an endpoint belongs to, when it is ours: its id is the one we derive from its name. Where HNS chose ids itself a
 * recorded attachment proves it. Undefined for the endpoints of others, which are never touched.
 */
function findKey(operation: Operation<HostConfig>, network: string, endpoint: EndpointView): AttachmentKey | undefined {
  const key = parseEndpointName(endpoint.name, network);
  if (key === undefined) return undefined;
  const id = attachmentId(key);
  if (endpoint.id === id) return key;
  const record = operation.store.read((tx) => tx.findAttachment(id));
  return record === undefined ? undefined : key;
}

function summary(failures: readonly PluginError[]): PluginError {
  const message = `${failures.length} of the steps failed: ${failures.map((failure) => failure.message).join("; ")}`;
  const remedy = failures[0]?.data.remedy ?? "try again";
  const hresult = failures.find((failure) => failure.data.hresult !== undefined)?.data.hresult;
  return new PluginError(
    "CLEANUP_FAILED",
    { message, remedy, ...(hresult !== undefined && { hresult }) },
    { cause: failures[0], retryable: true },
  );
}
