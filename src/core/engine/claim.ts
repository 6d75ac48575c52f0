import { type Allocation, quarantineForeign, quarantineOwned, reassignOwned, releaseOwned, revertAllocation } from "../ipam/allocator.ts";
import { AddressLine } from "./address-line.ts";
import type { AttachRequest } from "./attachment.ts";
import type { Operation } from "./operation.ts";
import { poolSpec } from "./pool-spec.ts";
import type { StateTransaction } from "./store.ts";
import type { Guid } from "../base/ids.ts";

/** The addresses an ADD works with, and how they were before. */
export interface Claim {
  readonly attachment: Guid;
  /** Undefined for addresses the attachment held already. */
  readonly allocation: Allocation | undefined;
  readonly addresses: readonly string[];
  /** HNS may still create the endpoint although the call failed for us. */
  readonly isUncertain: boolean;
  markUncertain(): void;
  /** Quarantines the address HNS refused and takes another, waiting for one if need be. Throws ADDRESS_EXHAUSTED. */
  replaceRefused(): Promise<void>;
  /** Quarantines the address HNS refused; the claim then has none. */
  dropRefused(): void;
}

/**
 * Takes an address and records the intent, durably and at once: from here on a crash leaves a trace that says what to look for.
 * An attachment that is followed up keeps the address it had. Waits when none is free. Throws ADDRESS_EXHAUSTED.
 */
export async function claimAddresses(operation: Operation, pod: AttachRequest & { id: Guid }): Promise<Claim> {
  const { store, machine } = operation;
  const { id, network, containerId, ifname, netns } = pod;
  const line = new AddressLine(operation, id);
  const start = store.transaction((tx) => {
    const key = { id, network, containerId, ifname, netns, endpoint: id };
    const state = {
      phase: "intent",
      result: undefined,
      isCancelled: false,
      bootId: machine.clock.bootId(),
      updatedAt: machine.clock.now(),
    } as const;
    tx.putAttachment({ ...key, ...state });
    const kept = keepAddresses(tx, operation, id);
    return kept.length > 0 ? { allocation: undefined, addresses: kept } : describeTaken(line.tryTake(tx));
  });
  const claimed = start ?? describeTaken(await waitInLine(operation, line, id));
  return new LiveClaim(operation, { line, attachment: id, ...claimed });
}

function describeTaken(allocation: Allocation): Pick<Claim, "allocation" | "addresses">;
function describeTaken(allocation: Allocation | undefined): Pick<Claim, "allocation" | "addresses"> | undefined;
function describeTaken(allocation: Allocation | undefined): Pick<Claim, "allocation" | "addresses"> | undefined {
  return allocation === undefined ? undefined : { allocation, addresses: [allocation.address] };
}

/** An ADD that waits in vain leaves nothing: it has touched neither HNS nor any address. */
async function waitInLine(operation: Operation, line: AddressLine, id: Guid): Promise<Allocation> {
  try {
    return await line.wait();
  } catch (thrown) {
    operation.finish(id, (tx) => {
      const current = tx.findAttachment(id);
      if (current !== undefined) tx.putAttachment({ ...current, phase: "gone", updatedAt: operation.machine.clock.now() });
    });
    throw thrown;
  }
}

/** The addresses the attachment has in this pool; those of a pool the configuration no longer names are given back. */
function keepAddresses(tx: StateTransaction, operation: Operation, id: Guid): string[] {
  const held = tx.listOwned(id).filter((record) => record.state !== "cooling");
  if (held.every((record) => record.pool === poolSpec(operation.config).id)) return reassignOwned(tx, id);
  releaseOwned(tx, operation.machine.clock, id);
  return [];
}

class LiveClaim implements Claim {
  readonly attachment: Guid;
  readonly #operation: Operation;
  readonly #line: AddressLine;
  #allocation: Allocation | undefined;
  #addresses: readonly string[];
  #isUncertain = false;

  constructor(operation: Operation, start: Pick<Claim, "attachment" | "allocation" | "addresses"> & { line: AddressLine }) {
    this.#operation = operation;
    this.#line = start.line;
    this.attachment = start.attachment;
    this.#allocation = start.allocation;
    this.#addresses = start.addresses;
  }

  get allocation(): Allocation | undefined {
    return this.#allocation;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  markUncertain(): void {
    this.#isUncertain = true;
  }

  async replaceRefused(): Promise<void> {
    const taken = this.#operation.store.transaction((tx) => {
      this.#quarantineRefused(tx);
      return this.#line.tryTake(tx);
    });
    this.#allocation = undefined; // the refused address is nobody's now: a failure must not give it back
    this.#addresses = [];
    this.#allocation = taken ?? (await this.#line.wait());
    this.#addresses = [this.#allocation.address];
  }

  dropRefused(): void {
    this.#operation.store.transaction((tx) => this.#quarantineRefused(tx));
    this.#allocation = undefined;
    this.#addresses = [];
  }

  #quarantineRefused(tx: StateTransaction): void {
    for (const record of tx.listOwned(this.attachment)) {
      if (this.#addresses.includes(record.address)) quarantineForeign(tx, this.#operation.machine.clock, record);
    }
  }
}

/** Puts state and addresses back as they were; what HNS did not confirm is kept as "deleting" with its addresses quarantined. */
export function undoClaim(tx: StateTransaction, operation: Operation, claim: Claim, isConfirmed: boolean): void {
  const current = tx.findAttachment(claim.attachment);
  if (current === undefined) return;
  const updatedAt = operation.machine.clock.now();
  if (!isConfirmed) {
    quarantineOwned(tx, claim.attachment);
    tx.putAttachment({ ...current, phase: "deleting", updatedAt });
    return;
  }
  if (claim.allocation === undefined) releaseOwned(tx, operation.machine.clock, claim.attachment);
  else revertAllocation(tx, claim.allocation);
  tx.putAttachment({ ...current, phase: "gone", result: undefined, updatedAt });
}
