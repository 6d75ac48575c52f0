import type { Guid } from "../base/ids.ts";
import { PluginError } from "../base/errors.ts";
import { type Allocation, quarantineForeign, quarantineOwned, releaseOwned, revertAllocation } from "../ipam/allocator.ts";
import { type AddressSet, keepOwned } from "../ipam/assign.ts";
import { AddressLine } from "./address-line.ts";
import type { AttachRequest } from "./attachment.ts";
import { listHeldAddresses } from "./held-addresses.ts";
import type { Operation } from "./operation.ts";
import { addressSets } from "./pool-spec.ts";
import type { StateTransaction } from "./store.ts";

/** The addresses an ADD works with, and how they were before. */
export interface Claim {
  readonly attachment: Guid;
  /** What this ADD took; addresses that the attachment held already are not among it. */
  readonly allocations: readonly Allocation[];
  /** One for each address family, or what else the pools are told apart by; all or none. */
  readonly addresses: readonly string[];
  /** HNS may still create the endpoint although the call failed for us. */
  readonly isUncertain: boolean;
  markUncertain(): void;
  /**
   * Quarantines the addresses HNS refused and takes others, waiting for them if need be. Throws ADDRESS_EXHAUSTED, or ADDRESS_CONFLICT for
   * one that the pod asked for.
   */
  replaceRefused(): Promise<void>;
  /** Quarantines the addresses HNS refused; the claim then lacks them. */
  dropRefused(): void;
}

/** An address of the claim. */
interface Part {
  readonly set: AddressSet;
  readonly address: string;
  /** Undefined for an address that the attachment held already. */
  readonly allocation: Allocation | undefined;
}

/**
 * Takes addresses and records the intent, durably and at once: from here on a crash leaves a trace that says what to look for.
 * An attachment that is followed up keeps the addresses it had. Waits when none is free. Throws ADDRESS_EXHAUSTED, ADDRESS_CONFLICT, and
 * INVALID_CONFIG for a pod that no pool serves, or that asks for what it cannot have.
 */
export async function claimAddresses(operation: Operation, pod: AttachRequest & { id: Guid }): Promise<Claim> {
  const { store, machine } = operation;
  const { id, network, containerId, ifname, netns } = pod;
  const sets = addressSets(operation.config);
  const line = new AddressLine(operation, pod);
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
    const kept = keepOwned(tx, machine.clock, id, sets).map((record) => record?.address);
    const missing = sets.filter((_, at) => kept[at] === undefined);
    return { kept, missing, taken: missing.length === 0 ? [] : line.tryTake(tx, missing) };
  });
  const taken = start.taken ?? (await waitInLine(operation, { line, id, sets: start.missing }));
  return new LiveClaim(operation, { attachment: id, line, parts: joinParts(sets, start.kept, taken) });
}

/** What was kept and what was taken for the sets without, in the order of the sets. */
function joinParts(sets: readonly AddressSet[], kept: readonly (string | undefined)[], taken: readonly Allocation[]): Part[] {
  const left = [...taken];
  return sets.flatMap((set, at) => {
    const allocation = kept[at] === undefined ? left.shift() : undefined;
    const address = kept[at] ?? allocation?.address;
    return address === undefined ? [] : [{ set, address, allocation }];
  });
}

/** An ADD that waits in vain leaves nothing: it has touched neither HNS nor any address but those that an earlier try had. */
async function waitInLine(
  operation: Operation,
  { line, id, sets }: { line: AddressLine; id: Guid; sets: readonly AddressSet[] },
): Promise<readonly Allocation[]> {
  try {
    return await line.wait(sets);
  } catch (thrown) {
    operation.finish(id, (tx) => {
      releaseOwned(tx, operation.machine.clock, id);
      const current = tx.findAttachment(id);
      if (current !== undefined) tx.putAttachment({ ...current, phase: "gone", updatedAt: operation.machine.clock.now() });
    });
    throw thrown;
  }
}

class LiveClaim implements Claim {
  readonly attachment: Guid;
  readonly #operation: Operation;
  readonly #line: AddressLine;
  #parts: readonly Part[];
  #isUncertain = false;

  constructor(operation: Operation, start: { attachment: Guid; line: AddressLine; parts: readonly Part[] }) {
    this.#operation = operation;
    this.#line = start.line;
    this.attachment = start.attachment;
    this.#parts = start.parts;
  }

  get allocations(): readonly Allocation[] {
    return this.#parts.flatMap(({ allocation }) => allocation ?? []);
  }

  get addresses(): readonly string[] {
    return this.#parts.map(({ address }) => address);
  }

  get isUncertain(): boolean {
    return this.#isUncertain;
  }

  markUncertain(): void {
    this.#isUncertain = true;
  }

  async replaceRefused(): Promise<void> {
    const all = this.#parts;
    const refused = await this.#findRefused();
    const sets = refused.map(({ set }) => set);
    const wanted = sets.find((set) => set.wanted !== undefined)?.wanted;
    const taken = this.#operation.store.transaction((tx) => {
      this.#quarantine(tx, refused);
      return wanted === undefined ? this.#line.tryTake(tx, sets) : undefined;
    });
    this.#parts = all.filter((part) => !refused.includes(part)); // the refused are nobody's now: a failure must not give them back
    if (wanted !== undefined) throw isRefused(wanted);
    const left = [...(taken ?? (await this.#line.wait(sets)))];
    this.#parts = all.flatMap((part) => {
      if (!refused.includes(part)) return [part];
      const allocation = left.shift();
      return allocation === undefined ? [] : [{ set: part.set, address: allocation.address, allocation }];
    });
  }

  dropRefused(): void {
    this.#operation.store.transaction((tx) => this.#quarantine(tx, this.#parts));
    this.#parts = [];
  }

  /** HNS does not say which of several addresses it refused: those that an endpoint has, or where none has any of them, all. */
  async #findRefused(): Promise<readonly Part[]> {
    if (this.#parts.length < 2) return this.#parts;
    const held = await listHeldAddresses(this.#operation.scan);
    const refused = this.#parts.filter(({ address }) => held.has(address));
    return refused.length > 0 ? refused : this.#parts;
  }

  #quarantine(tx: StateTransaction, parts: readonly Part[]): void {
    const addresses = parts.map(({ address }) => address);
    for (const record of tx.listOwned(this.attachment)) {
      if (addresses.includes(record.address)) quarantineForeign(tx, this.#operation.machine.clock, record);
    }
  }
}

/** Puts state and addresses back as they were before the attachment's first ADD, of which nothing stands; what HNS did not confirm is kept as "deleting" with its addresses quarantined. */
export function undoClaim(tx: StateTransaction, operation: Operation, claim: Claim, isConfirmed: boolean): void {
  const current = tx.findAttachment(claim.attachment);
  if (current === undefined) return;
  const updatedAt = operation.machine.clock.now();
  if (!isConfirmed) {
    quarantineOwned(tx, claim.attachment);
    tx.putAttachment({ ...current, phase: "deleting", updatedAt });
    return;
  }
  for (const allocation of [...claim.allocations].reverse()) revertAllocation(tx, allocation);
  releaseOwned(tx, operation.machine.clock, claim.attachment); // what it held before this ADD
  tx.putAttachment({ ...current, phase: "gone", result: undefined, updatedAt });
}

function isRefused(address: string): PluginError {
  const message = `the pod asks for the address ${address}, and HNS says that it is in use`;
  const remedy = "look for an endpoint that another tool left with it, or let the pod ask for another one";
  return new PluginError("ADDRESS_CONFLICT", { message, remedy }, { retryable: true });
}
