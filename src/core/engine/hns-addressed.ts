import { PluginError } from "../base/errors.ts";
import type { CniResult } from "../cni/result.ts";
import type { HnsAddressedConfig } from "../config/plugin-config.ts";
import { findDifferences } from "./compare-network.ts";
import { parseNetwork } from "../hcn/documents.ts";
import { attachOnce, attachTo, type NewAttachment, undoing } from "./attach.ts";
import type { AttachRequest } from "./attachment.ts";
import { type CheckRequest, compareAttachment } from "./check.ts";
import type { Claim } from "./claim.ts";
import { recordIntent } from "./claim-delegated.ts";
import { mismatch, openReadyNetwork } from "./ensure-network.ts";
import { importNetwork } from "./import-network.ts";
import { ownsLease } from "./lease.ts";
import type { Operation } from "./operation.ts";
import { settleSubnets } from "./settle-subnets.ts";
import { readSandbox, shareAttachment, withNamespace } from "./sandbox.ts";
import { countAttached } from "./status.ts";
import { withMode } from "./with-mode.ts";

/** The use cases where HNS chooses the pods' addresses. DEL and GC are the same as with addresses of ours: there are none to give back. */

/** ADD. The addresses are read back from the endpoint. Throws NETWORK_NOT_READY when HNS gives none. */
export async function attachHnsAddressed(given: Operation<HnsAddressedConfig>, request: AttachRequest): Promise<CniResult> {
  const shared = await shareAttachment(given, request);
  if (shared !== undefined) return shared;
  const pod = readSandbox(request);
  const operation = await withMode(given);
  await importNetwork(operation);
  return attachOnce(operation, pod, (taken) => attachNew(operation, taken));
}

async function attachNew(operation: Operation<HnsAddressedConfig>, pod: NewAttachment): Promise<CniResult> {
  const { hcn } = operation;
  return withNamespace(operation, pod, async (namespace) => {
    const network = await openReadyNetwork(operation);
    try {
      const { config, view } = { config: operation.config, view: network.view };
      const settled = operation.withConfig(view === undefined ? config : settleSubnets(config, view));
      recordIntent(operation, pod);
      const claim = new NoClaim(pod, config.networkName);
      const settle = (isConfirmed: boolean): void => settleAttachment(operation, pod, isConfirmed);
      return await undoing(operation, pod, { claim, settle }, () => attachTo(settled, pod, { namespace, network, claim }));
    } finally {
      await hcn.close(network.handle);
    }
  });
}

/** What a failed ADD leaves: nothing, or an attachment for the next ADD, DEL or GC to settle. */
function settleAttachment(operation: Operation<HnsAddressedConfig>, pod: NewAttachment, isGone: boolean): void {
  const { processes, clock } = operation.machine;
  operation.finish(pod.id, (tx) => {
    const current = tx.findAttachment(pod.id);
    if (current === undefined || !ownsLease(tx, pod.id, processes.self())) return; // somebody follows and settles it
    tx.putAttachment({ ...current, phase: isGone ? "gone" : "deleting", result: undefined, updatedAt: clock.now() });
  });
}

/** CHECK. Throws CHECK_FAILED, naming each difference. */
export async function checkHnsAddressed(given: Operation<HnsAddressedConfig>, request: CheckRequest): Promise<void> {
  const operation = await withMode(given);
  await importNetwork(operation);
  await compareAttachment(operation, request);
}

/** STATUS: whether the network is equal to the configuration, or absent. */
export async function reportHnsAddressedStatus(given: Operation<HnsAddressedConfig>): Promise<void> {
  const operation = await withMode(given);
  const { config } = operation;
  const id = await operation.scan.findNetwork();
  if (id === undefined) return;
  const network = parseNetwork(await operation.hcn.describe("network", id));
  const differences = findDifferences(config, network);
  if (differences.length === 0) return;
  throw mismatch({ name: config.networkName, differences, existingContainersAffected: countAttached(operation) > 0 });
}

/** No address was asked for, so none can be replaced. */
class NoClaim implements Claim {
  readonly attachment: Claim["attachment"];
  readonly allocations = [];
  readonly addresses: readonly string[] = [];
  readonly #network: string;
  #isUncertain = false;

  constructor(pod: NewAttachment, network: string) {
    this.attachment = pod.id;
    this.#network = network;
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  markUncertain(): void {
    this.#isUncertain = true;
  }

  replaceRefused(): Promise<void> {
    const message = `HNS has no address left on the network "${this.#network}", whose addresses it chooses itself`;
    const remedy = "remove endpoints that no pod uses, or give the network a larger subnet";
    return Promise.reject(new PluginError("ADDRESS_EXHAUSTED", { message, remedy }, { retryable: true }));
  }

  dropRefused(): void {
    // Nothing was reserved.
  }
}
