import type { CniResult } from "../cni/result.ts";
import type { DelegatedConfig } from "../config/plugin-config.ts";
import { type NetworkView, parseNetwork } from "../hcn/documents.ts";
import { attachOnce, attachTo, type NewAttachment, undoing } from "./attach.ts";
import type { AttachRequest } from "./attachment.ts";
import { type CheckRequest, compareAttachment, requireAttached } from "./check.ts";
import { claimDelegated } from "./claim-delegated.ts";
import type { IpamDelegate } from "./delegate.ts";
import { findDifferences } from "./compare-network.ts";
import { resolveDelegated } from "./delegated-config.ts";
import { mismatch, openReadyNetwork } from "./ensure-network.ts";
import { importNetwork } from "./import-network.ts";
import type { Operation } from "./operation.ts";
import { parseStoredResult } from "./pod-result.ts";
import { ownerOf, readSandbox, shareAttachment, withNamespace } from "./sandbox.ts";
import { countAttached } from "./status.ts";
import { withMode } from "./with-mode.ts";

/**
 * ADD with addresses of another IPAM plugin. That runs first, since its answer says what the HNS network's subnet is. When a later step
 * fails, the endpoint is removed and then the address given back.
 */
export async function attachDelegated(
  given: Operation<DelegatedConfig>,
  request: AttachRequest,
  delegate: IpamDelegate,
): Promise<CniResult> {
  const shared = await shareAttachment(given, request);
  if (shared !== undefined) return shared;
  const pod = readSandbox(request);
  const operation = await withMode(given);
  await importNetwork(operation);
  return attachOnce(operation, pod, (taken) => attachNew(operation, taken, delegate));
}

async function attachNew(operation: Operation<DelegatedConfig>, pod: NewAttachment, delegate: IpamDelegate): Promise<CniResult> {
  const { hcn } = operation;
  return withNamespace(operation, pod, async (namespace) => {
    const taken = await claimDelegated(operation, delegate, pod);
    return undoing(operation, pod, taken, async () => {
      const resolved = operation.withConfig(taken.config);
      const network = await openReadyNetwork(resolved);
      try {
        return await attachTo(resolved, pod, { namespace, network, claim: taken.claim });
      } finally {
        await hcn.close(network.handle);
      }
    });
  });
}

/** CHECK: the attachment as ADD made it, then the IPAM plugin's own. Throws CHECK_FAILED or DELEGATE_FAILED. */
export async function checkDelegated(given: Operation<DelegatedConfig>, request: CheckRequest, delegate: IpamDelegate): Promise<void> {
  const operation = await withMode(given);
  await importNetwork(operation);
  const existing = requireAttached(operation, ownerOf(request));
  const { config } = resolveDelegated(operation.config, parseStoredResult(existing.result));
  await compareAttachment(operation.withConfig(config), request);
  await delegate.check(operation.deadline);
}

/** STATUS: as far as HNS can be compared without an address, then the IPAM plugin's own. */
export async function reportDelegatedStatus(given: Operation<DelegatedConfig>, delegate: IpamDelegate): Promise<void> {
  const operation = await withMode(given);
  const id = await operation.scan.findNetwork();
  if (id !== undefined) compare(operation, parseNetwork(await operation.hcn.describe("network", id)));
  await delegate.status(operation.deadline);
}

function compare(operation: Operation<DelegatedConfig>, network: NetworkView): void {
  const { config } = operation;
  const differences = findDifferences(config, network);
  if (differences.length === 0) return;
  throw mismatch({ name: config.networkName, differences, existingContainersAffected: countAttached(operation) > 0 });
}
