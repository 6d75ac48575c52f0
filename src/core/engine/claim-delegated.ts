import { PluginError } from "../base/errors.ts";
import { formatIp } from "../base/ip.ts";
import type { DelegatedConfig, HostConfig } from "../config/plugin-config.ts";
import type { NewAttachment, Taken } from "./attach.ts";
import type { Claim } from "./claim.ts";
import { type IpamDelegate, isRefusal } from "./delegate.ts";
import { type Resolved, resolveDelegated } from "./delegated-config.ts";
import { ownsLease } from "./lease.ts";
import type { Operation } from "./operation.ts";

/** An address of another IPAM plugin, taken for an ADD. */
export interface DelegatedClaim extends Taken {
  readonly claim: Claim;
  readonly config: Resolved["config"];
}

/**
 * Asks the IPAM plugin for an address. The intent is durable before it runs, so that after a crash the next ADD, DEL or GC makes it give
 * the address back. When this throws, nothing is kept, or the attachment stays as "deleting" for them to settle.
 */
export async function claimDelegated(
  operation: Operation<DelegatedConfig>,
  delegate: IpamDelegate,
  pod: NewAttachment,
): Promise<DelegatedClaim> {
  const { log, deadline } = operation;
  recordIntent(operation, pod);
  let isTaken = true; // as far as is known
  try {
    // An earlier ADD may have got as far as an address, and plugins refuse to give a second one to the same container.
    if (pod.existing !== undefined && pod.existing.phase !== "gone") await delegate.del(deadline);
    isTaken = false;
    const result = await delegate.add(deadline).catch((thrown: unknown) => {
      isTaken = !isRefusal(thrown);
      throw thrown;
    });
    isTaken = true;
    const resolved = resolveDelegated(operation.config, result);
    log.info("address given by another IPAM plugin", { ipam: delegate.type, addresses: resolved.addresses.map(formatIp) });
    const settle = (isConfirmed: boolean): Promise<void> => giveBack(operation, delegate, pod, isConfirmed ? "taken" : "unconfirmed");
    return { claim: new SettledClaim(pod, resolved, delegate.type), config: resolved.config, settle };
  } catch (thrown) {
    log.warn("no address from the IPAM plugin", { ipam: delegate.type, error: thrown });
    await giveBack(operation, delegate, pod, isTaken ? "taken" : "nothing");
    throw thrown;
  }
}

/** Records, durably, that HNS may soon have an endpoint of the attachment. */
export function recordIntent(operation: Operation<HostConfig>, { id, network, containerId, ifname, netns }: NewAttachment): void {
  const { clock } = operation.machine;
  const state = { phase: "intent", result: undefined, isCancelled: false, bootId: clock.bootId(), updatedAt: clock.now() } as const;
  operation.store.transaction((tx) => tx.putAttachment({ id, network, containerId, ifname, netns, endpoint: id, ...state }));
}

/**
 * Makes the IPAM plugin take the address back, and records what is left. "unconfirmed": HNS may still have an endpoint with it, so it
 * must stay taken. Never throws: the error that led here counts.
 */
async function giveBack(
  operation: Operation<HostConfig>,
  delegate: IpamDelegate,
  pod: NewAttachment,
  state: "taken" | "nothing" | "unconfirmed",
): Promise<void> {
  const { store, machine, log, undoDeadline } = operation;
  const isGone = state === "nothing" || (state === "taken" && (await tryDelete()));
  try {
    operation.finish(pod.id, (tx) => {
      const current = tx.findAttachment(pod.id);
      if (current === undefined || !ownsLease(tx, pod.id, machine.processes.self())) return; // somebody follows and settles it
      tx.putAttachment({ ...current, phase: isGone ? "gone" : "deleting", result: undefined, updatedAt: machine.clock.now() });
    });
  } catch (thrown) {
    log.error("attachment not settled", { error: thrown });
  }

  async function tryDelete(): Promise<boolean> {
    try {
      // Who followed us may have an address of the plugin by now.
      if (!store.read((tx) => ownsLease(tx, pod.id, machine.processes.self()))) return false;
      await delegate.del(undoDeadline);
      return true;
    } catch (thrown) {
      log.error("address not given back to the IPAM plugin", { ipam: delegate.type, error: thrown });
      return false;
    }
  }
}

/** Addresses that cannot be replaced: another plugin chooses them and does not hear that HNS refused one. */
class SettledClaim implements Claim {
  readonly attachment: Claim["attachment"];
  readonly allocations = [];
  readonly addresses: readonly string[];
  readonly #type: string;
  #isUncertain = false;

  constructor(pod: NewAttachment, resolved: Resolved, type: string) {
    this.attachment = pod.id;
    this.addresses = resolved.addresses.map(formatIp);
    this.#type = type;
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  markUncertain(): void {
    this.#isUncertain = true;
  }

  replaceRefused(): Promise<void> {
    const message = `HNS says that ${this.addresses.join(", ")}, which the IPAM plugin "${this.#type}" gave, is in use`;
    const remedy = "look for an endpoint that has this address, and keep the range of that plugin for itself";
    return Promise.reject(new PluginError("ADDRESS_CONFLICT", { message, remedy }, { retryable: true }));
  }

  dropRefused(): void {
    // The plugin gets it back with everything else.
  }
}
