import { findGuid } from "../../../../src/core/base/ids.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { reclaimLeaks, type ReclaimOptions, type ReclaimReport } from "../../../../src/core/engine/reclaim.ts";
import type { EngineFixture } from "../../../support/engine-fixture.ts";

export const GRACE_MS = 60_000;

/** One look by a process of its own. */
export function reclaim(node: EngineFixture, options: ReclaimOptions = {}, process = node.spawn()): Promise<ReclaimReport> {
  return process.run(() => reclaimLeaks(node.operation(process), options));
}

export async function attached(node: EngineFixture, containerId: string): Promise<AttachRequest> {
  const pod = node.pod(containerId);
  await node.add(pod);
  return pod;
}

/** HNS loses the pod's endpoint; with "sandbox" the host compute namespace too. */
export function lose(node: EngineFixture, pod: AttachRequest, what: "endpoint" | "namespace" | "sandbox" = "sandbox"): void {
  const { world } = node.model;
  const endpoint = node.attachment(pod)?.endpoint;
  if (what !== "namespace") for (const id of world.endpoints.keys()) if (findGuid(id) === endpoint) world.endpoints.delete(id);
  if (what !== "endpoint") for (const id of world.namespaces.keys()) if (findGuid(id) === findGuid(pod.netns)) world.namespaces.delete(id);
}

/** The states of the pod's addresses. */
export function states(node: EngineFixture, pod: AttachRequest): unknown[] {
  const id = node.attachment(pod)?.id;
  return node.rows("addresses").flatMap(({ owner, state }) => (owner === id ? [state] : []));
}

export function leaks(node: EngineFixture): unknown[] {
  return node.store.read((tx) => tx.listLeaks());
}

/** The reasons, by container. */
export function reasons({ kept }: ReclaimReport): Record<string, string> {
  return Object.fromEntries(kept.map(({ containerId, reason }) => [containerId, reason]));
}
