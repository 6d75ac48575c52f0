import { type Deadline, deadlineIn, earlier, remaining } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import type { Allocation } from "../ipam/allocator.ts";
import { type AddressSet, type Asker, hasReusable, lackOf, tryAssign } from "../ipam/assign.ts";
import { hasSpare } from "../ipam/spare.ts";
import { askerOf } from "./asker.ts";
import type { AttachmentKey } from "./attachment.ts";
import { listHeldAddresses } from "./held-addresses.ts";
import { isHeldByOther } from "./lease.ts";
import type { Operation } from "./operation.ts";
import type { StateTransaction, WaiterRecord } from "./store.ts";

const POLL_MS = 50;

type Sets = readonly AddressSet[];

/**
 * The line for the addresses of pools, as one ADD stands in it. ADDs get addresses in order of arrival over all processes; the first
 * may take one that has rested for `ipam.reuseFloorSeconds` only, when no endpoint of HNS has it. Who waits for one address alone stands
 * in a line of its own for it, and keeps nobody from the others.
 */
export class AddressLine {
  readonly #operation: Operation;
  readonly #owner: Guid;
  #asker: Asker;
  #lacking: AddressSet | undefined;
  #place: number | undefined;

  constructor(operation: Operation, pod: Pick<AttachmentKey, "containerId" | "ifname"> & { id: Guid }) {
    this.#operation = operation;
    this.#owner = pod.id;
    this.#asker = askerOf(operation.config, pod);
  }

  /** An address of each set, when it is this ADD's turn and all are there; else undefined, and this ADD has a place in the line. */
  tryTake(tx: StateTransaction, sets: Sets): readonly Allocation[] | undefined {
    const { machine } = this.#operation;
    if (tx.findAttachment(this.#owner)?.isCancelled === true) throw cancelled();
    const ahead = this.#ahead(tx, sets);
    const alive = ahead.filter((waiter) => this.#lives(waiter));
    for (const waiter of ahead) if (!alive.includes(waiter)) tx.removeWaiter(waiter.place);
    // Who comes later waits for who came before only where there is not enough for all: they take theirs when they look next.
    const isServed = alive.length === 0 || sets.every((set) => hasSpare(tx, machine.clock, set, alive.length));
    const assignment = isServed ? tryAssign(tx, machine.clock, this.#asker, { sets, avoid: this.#listForeign() }) : { lacking: sets[0] };
    if ("taken" in assignment) return assignment.taken;
    this.#lacking = assignment.lacking;
    this.#place ??= tx.addWaiter({ pool: lineOf(assignment.lacking), ...machine.processes.self() });
    return undefined;
  }

  /**
   * Waits for an address of each set, at the longest `ipam.waitSeconds`. Throws ADDRESS_EXHAUSTED with the counts, ATTACHMENT_CANCELLED
   * when a DEL for the same attachment came meanwhile.
   */
  async wait(sets: Sets): Promise<readonly Allocation[]> {
    const { machine, config, log, deadline } = this.#operation;
    const start = machine.clock.uptime();
    log.info("waiting for an address", { pool: lineOf(this.#lacking) });
    try {
      const taken = await this.#poll(sets, earlier(deadlineIn(machine.clock, config.ipam.waitMs), deadline));
      log.info("waited for an address", { address: taken.map(({ address }) => address).join(), ms: machine.clock.uptime() - start });
      return taken;
    } finally {
      this.#operation.events.addressWaited(machine.clock.uptime() - start);
      this.#leave();
    }
  }

  async #poll(sets: Sets, deadline: Deadline): Promise<readonly Allocation[]> {
    const { store, machine } = this.#operation;
    for (;;) {
      const taken = (await this.#tryReuse(sets)) ?? store.transaction((tx) => this.tryTake(tx, sets));
      if (taken !== undefined) return taken;
      const left = remaining(machine.clock, deadline);
      if (left > 0) await machine.clock.sleep(Math.min(POLL_MS, left));
      else return this.#takeAny(sets);
    }
  }

  /** The pod waited for its own address in vain: any will do now. */
  #takeAny(sets: Sets): readonly Allocation[] {
    const { owner } = this.#asker;
    this.#asker = { owner };
    return this.#operation.store.transaction((tx) => {
      const taken = this.tryTake(tx, sets);
      if (taken === undefined) throw lackOf(tx, this.#lacking ?? { pools: [] });
      return taken;
    });
  }

  /** Addresses that still rest, for the first in line alone. HNS is asked only when the set that lacks one has such an address. */
  async #tryReuse(sets: Sets): Promise<readonly Allocation[] | undefined> {
    const { store, machine, config, scan, log } = this.#operation;
    const { clock } = machine;
    const floorMs = config.ipam.reuseFloorMs;
    const lacking = this.#lacking === undefined ? sets : [this.#lacking];
    const hasOne = store.read((tx) => this.#isFirst(tx, sets) && hasReusable(tx, clock, this.#asker, { sets: lacking, floorMs }));
    if (!hasOne) return undefined;
    const held = await listHeldAddresses(scan);
    const assignment = store.transaction((tx) =>
      this.#isFirst(tx, sets) ? tryAssign(tx, clock, this.#asker, { sets, pressure: { floorMs, held } }) : undefined,
    );
    if (assignment === undefined || !("taken" in assignment)) return undefined;
    for (const { address, before } of assignment.taken) {
      if (before?.state === "cooling") log.warn("address given out before its rest was over", { address });
    }
    return assignment.taken;
  }

  /** Gives the place up. A store that fails now leaves it behind: it is passed over once this process has ended. */
  #leave(): void {
    const place = this.#place;
    if (place === undefined) return;
    this.#place = undefined;
    try {
      this.#operation.store.transaction((tx) => tx.removeWaiter(place));
    } catch (thrown) {
      this.#operation.log.warn("place in line not given up", { error: thrown });
    }
  }

  #listForeign(): ReadonlySet<string> | undefined {
    const { foreign, config } = this.#operation;
    return foreign?.(config.networkName);
  }

  #isFirst(tx: StateTransaction, sets: Sets): boolean {
    return this.#ahead(tx, sets).every((waiter) => !this.#lives(waiter));
  }

  #ahead(tx: StateTransaction, sets: Sets): WaiterRecord[] {
    const waiters = linesOf(sets).flatMap((line) => tx.listWaiters(line));
    return waiters.filter(({ place }) => this.#place === undefined || place < this.#place);
  }

  #lives(waiter: WaiterRecord): boolean {
    return isHeldByOther(this.#operation.leaseOptions, { ...waiter, attachment: this.#owner, expiresAt: Infinity });
  }
}

/** The line in which an ADD stands that lacks an address of the set. */
function lineOf(set: AddressSet | undefined): string {
  return linesOf(set === undefined ? [] : [set])[0] ?? "";
}

/** The lines whose earlier members come first: those of all pools that the addresses may come from. */
function linesOf(sets: Sets): string[] {
  const lines = sets.flatMap(({ pools, wanted }) => pools.map(({ id }) => (wanted === undefined ? id : `${id} ${wanted}`)));
  return [...new Set(lines)];
}

function cancelled(): PluginError {
  const data = {
    message: "a DEL for the same attachment came while this ADD waited for an address",
    remedy: "nothing is left; add it again if it is wanted",
  };
  return new PluginError("ATTACHMENT_CANCELLED", data, { retryable: true });
}
