import { deadlineIn, earlier, remaining } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { type Allocation, exhausted, findReusable, reuseEarly, type Reuse, tryAllocate } from "../ipam/allocator.ts";
import { isHeldByOther } from "./lease.ts";
import type { Operation } from "./operation.ts";
import { poolSpec } from "./pool-spec.ts";
import type { StateTransaction, WaiterRecord } from "./store.ts";

const POLL_MS = 50;

/**
 * The line for the addresses of a pool, as one ADD stands in it. ADDs get addresses in order of arrival over all processes; the first
 * may take one that has rested for `ipam.reuseFloorSeconds` only, when no endpoint of HNS has it.
 */
export class AddressLine {
  readonly #operation: Operation;
  readonly #owner: Guid;
  #place: number | undefined;

  constructor(operation: Operation, owner: Guid) {
    this.#operation = operation;
    this.#owner = owner;
  }

  /** An address, when it is this ADD's turn and one is free; else undefined, and this ADD has a place in the line. */
  tryTake(tx: StateTransaction): Allocation | undefined {
    const { machine, config } = this.#operation;
    if (tx.findAttachment(this.#owner)?.isCancelled === true) throw cancelled();
    const spec = poolSpec(config);
    for (const waiter of this.#ahead(tx)) {
      if (!this.#lives(waiter)) tx.removeWaiter(waiter.place);
    }
    const allocation = this.#isFirst(tx) ? tryAllocate(tx, machine.clock, spec, this.#owner) : undefined;
    if (allocation === undefined) this.#place ??= tx.addWaiter({ pool: spec.id, ...machine.processes.self() });
    return allocation;
  }

  /**
   * Waits for an address, at the longest `ipam.waitSeconds`. Throws ADDRESS_EXHAUSTED with the counts, ATTACHMENT_CANCELLED when a
   * DEL for the same attachment came meanwhile.
   */
  async wait(): Promise<Allocation> {
    const { store, machine, config, log } = this.#operation;
    const { clock } = machine;
    const deadline = earlier(deadlineIn(clock, config.ipam.waitMs), this.#operation.deadline);
    const start = clock.uptime();
    log.info("waiting for an address", { pool: poolSpec(config).id });
    try {
      for (;;) {
        const allocation = (await this.#tryReuse()) ?? store.transaction((tx) => this.tryTake(tx));
        if (allocation !== undefined) {
          log.info("waited for an address", { address: allocation.address, ms: clock.uptime() - start });
          return allocation;
        }
        const left = remaining(clock, deadline);
        if (left <= 0) throw store.read((tx) => exhausted(tx, poolSpec(config)));
        await clock.sleep(Math.min(POLL_MS, left));
      }
    } finally {
      this.#operation.events.addressWaited(clock.uptime() - start);
      this.#leave();
    }
  }

  /** An address that still rests, for the first in line alone. HNS is asked only when there is such an address. */
  async #tryReuse(): Promise<Allocation | undefined> {
    const { store, machine, scan, log } = this.#operation;
    const hasOne = store.read((tx) => this.#isFirst(tx) && findReusable(tx, machine.clock, this.#reuse(new Set())) !== undefined);
    if (!hasOne) return undefined;
    scan.forget();
    const held = new Set((await scan.listEndpoints()).map((endpoint) => endpoint.address));
    const allocation = store.transaction((tx) => (this.#isFirst(tx) ? reuseEarly(tx, machine.clock, this.#reuse(held)) : undefined));
    if (allocation !== undefined) log.warn("address given out before its rest was over", { address: allocation.address });
    return allocation;
  }

  #reuse(held: ReadonlySet<string>): Reuse {
    const { config } = this.#operation;
    return { spec: poolSpec(config), owner: this.#owner, floorMs: config.ipam.reuseFloorMs, held };
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

  #isFirst(tx: StateTransaction): boolean {
    return this.#ahead(tx).every((waiter) => !this.#lives(waiter));
  }

  #ahead(tx: StateTransaction): WaiterRecord[] {
    const waiters = tx.listWaiters(poolSpec(this.#operation.config).id);
    return waiters.filter(({ place }) => this.#place === undefined || place < this.#place);
  }

  #lives(waiter: WaiterRecord): boolean {
    return isHeldByOther(this.#operation.leaseOptions, { ...waiter, attachment: this.#owner, expiresAt: Infinity });
  }
}

function cancelled(): PluginError {
  const data = {
    message: "a DEL for the same attachment came while this ADD waited for an address",
    remedy: "nothing is left; add it again if it is wanted",
  };
  return new PluginError("ATTACHMENT_CANCELLED", data, { retryable: true });
}
