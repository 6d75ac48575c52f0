import { PluginError } from "../base/errors.ts";
import { findGuid, formatGuid, type Guid, sameGuid, ZERO_GUID } from "../base/ids.ts";
import type { CniResult } from "../cni/result.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import type { HcnHandle } from "../hcn/backend.ts";
import { buildMembershipRequest, type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import { isAlreadyAttached, isNotFound } from "../hcn/hresults.ts";
import { type AttachmentKey, attachmentId, type AttachRequest } from "./attachment.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";

/** What Docker's runtime has in CNI_NETNS for a pod's first container, and before the first one's id for the others. */
const OWN_CONTAINER = "none";
const SHARED = "container:";

/** A pod to be attached. Without a namespace it is Docker's, and the endpoint is attached to the container itself. */
export interface SandboxedRequest extends AttachRequest {
  readonly namespace: Guid | undefined;
}

/** Throws INVALID_ENVIRONMENT for what names no sandbox. */
export function readSandbox(request: AttachRequest): SandboxedRequest {
  const { netns } = request;
  const namespace = findGuid(netns);
  if ((namespace !== undefined && namespace !== ZERO_GUID) || netns === OWN_CONTAINER) return { ...request, namespace };
  const message = `CNI_NETNS is "${netns}", wanted the GUID of a host compute namespace`;
  throw new PluginError("INVALID_ENVIRONMENT", {
    message,
    field: "CNI_NETNS",
    remedy: "use a runtime that creates HCN namespaces (containerd 1.3 or later)",
  });
}

/** The attachment that a request is about: for a container that shares another one's network, the other one's. */
export function ownerOf<K extends AttachmentKey & { readonly netns: string }>(request: K): K {
  const { netns } = request;
  return netns.startsWith(SHARED) && netns.length > SHARED.length ? { ...request, containerId: netns.slice(SHARED.length) } : request;
}

/** Whether pods with this CNI_NETNS have a namespace of HNS; Docker's have none. */
export function hasNamespace(netns: string): boolean {
  return netns !== OWN_CONTAINER;
}

export function isSameSandbox(left: string, right: string): boolean {
  return left === right || sameGuid(left, right);
}

/**
 * The answer for a container that shares the network of its pod's first one: that one's result; no endpoint is made, and the first one's is attached to
 * this container too. Undefined for all other containers. Source: win-bridge and win-overlay. Throws INVALID_NAMESPACE when the first one is not attached.
 */
export async function shareAttachment(operation: Operation<HostConfig>, request: AttachRequest): Promise<CniResult | undefined> {
  const owner = ownerOf(request);
  if (owner === request) return undefined;
  const existing = operation.store.read((tx) => tx.findAttachment(attachmentId(owner)));
  if (existing?.phase !== "attached") {
    const message = `CNI_NETNS names the container ${owner.containerId}, which is not attached to the network "${request.network}"`;
    throw new PluginError("INVALID_NAMESPACE", { message, remedy: "the sandbox is gone: let the runtime create a new one" });
  }
  await attachToContainer(operation, existing.endpoint, request.containerId);
  const result = parseStoredResult(existing.result);
  const interfaces = result.interfaces.map((entry) => (entry.sandbox === undefined ? entry : { ...entry, sandbox: request.netns }));
  return { ...result, interfaces };
}

/** Opens the pod's namespace for the time of `work`; undefined where the pod has none. Throws INVALID_NAMESPACE when it is gone. */
export async function withNamespace<T>(
  operation: Operation<HostConfig>,
  pod: SandboxedRequest,
  work: (namespace: HcnHandle | undefined) => Promise<T>,
): Promise<T> {
  return pod.namespace === undefined ? work(undefined) : operation.hcn.withHandle(openNamespace(operation, pod, pod.namespace), work);
}

async function openNamespace(operation: Operation<HostConfig>, pod: SandboxedRequest, namespace: Guid): Promise<HcnHandle> {
  try {
    return await operation.hcn.open("namespace", namespace);
  } catch (thrown) {
    if (!isNotFound(thrown)) throw thrown;
    const message = `CNI_NETNS names the host compute namespace ${pod.netns}, which does not exist`;
    throw new PluginError(
      "INVALID_NAMESPACE",
      { message, remedy: "the sandbox is gone: let the runtime create a new one" },
      { cause: thrown },
    );
  }
}

/** Puts the endpoint into the pod's namespace, or attaches it to the pod's container. Idempotent. */
export async function joinSandbox(
  operation: Operation<HostConfig>,
  endpoint: Pick<EndpointView, "id">,
  pod: Pick<SandboxedRequest, "namespace" | "containerId">,
  handle: HcnHandle | undefined,
): Promise<void> {
  if (handle === undefined) return attachToContainer(operation, endpoint.id, pod.containerId);
  try {
    await operation.hcn.modify(handle, buildMembershipRequest("Add", formatGuid(endpoint.id)));
  } catch (thrown) {
    if (!isAlreadyAttached(thrown)) throw thrown;
    const current = parseEndpoint(await operation.hcn.describe("endpoint", endpoint.id));
    if (current.namespace !== pod.namespace) throw thrown;
  }
}

async function attachToContainer(operation: Operation<HostConfig>, endpoint: Guid, containerId: string): Promise<void> {
  const body = { SystemType: "Container", ContainerId: containerId };
  try {
    await operation.hcn.callV1({ method: "POST", path: `/endpoints/${formatGuid(endpoint)}/attach`, body });
  } catch (thrown) {
    if (!isAlreadyAttached(thrown)) throw thrown;
  }
}
