import fc from "fast-check";
import {
  type Allocation,
  allocateAddress,
  freeRested,
  quarantineOwned,
  reassignOwned,
  releaseOwned,
  revertAllocation,
} from "../../../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../../../src/core/ipam/pool.ts";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { buildSpec, COOLDOWN_MS, PoolKit } from "./pool-kit.ts";

const OWNERS = ["a", "b", "c", "d", "e"];
const SPECS: readonly PoolSpec[] = [buildSpec("10.244.3.0/28", 29), buildSpec("10.244.3.0/29", 29), buildSpec("10.244.3.0/27", 28)];

/** What a reader who knows nothing of blocks expects of the pool: who has which address, and since when a released one rests. */
class Reference {
  readonly usable: ReadonlySet<string>;
  /** Address → owner, and whether the owner's hold is a quarantine. */
  readonly held = new Map<string, { owner: string; isQuarantined: boolean }>();
  /** Address → milliseconds it rested for certain: clock jumps over a reboot may count more. */
  readonly resting = new Map<string, number>();

  constructor(spec: PoolSpec) {
    const last = (offset: number): string => `10.244.3.${offset}`;
    const size = 2 ** (32 - spec.cidr.prefix);
    this.usable = new Set(
      Array.from({ length: size }, (_, offset) => offset)
        .filter((offset) => !spec.reserved.includes(offset))
        .map(last),
    );
  }

  ofOwner(owner: string): string[] {
    return [...this.held]
      .filter(([, hold]) => hold.owner === owner)
      .map(([address]) => address)
      .sort();
  }

  take(address: string, owner: string): void {
    expect(this.usable.has(address)).toBe(true); // reserved ones are never handed out
    expect(this.held.get(address)).toBeUndefined(); // one owner an address
    expect(this.resting.get(address) ?? COOLDOWN_MS).toBeGreaterThanOrEqual(COOLDOWN_MS);
    this.resting.delete(address);
    this.held.set(address, { owner, isQuarantined: false });
  }

  /** How many addresses nobody has and that may still rest. */
  get resters(): number {
    return this.resting.size;
  }

  pass(ms: number): void {
    for (const [address, rested] of this.resting) this.resting.set(address, rested + ms);
  }
}

class Run {
  readonly kit = new PoolKit();
  readonly reference: Reference;
  readonly spec: PoolSpec;
  #last: { allocation: Allocation; owner: string; rested: number | undefined } | undefined;
  #boots = 1;

  constructor(spec: PoolSpec) {
    this.spec = spec;
    this.reference = new Reference(spec);
  }

  allocate(owner: string): void {
    this.#last = undefined;
    let allocation: Allocation;
    try {
      allocation = this.kit.run((tx) => allocateAddress(tx, this.kit.clock, this.spec, owner));
    } catch (thrown) {
      if (!(thrown instanceof PluginError) || thrown.code !== "ADDRESS_EXHAUSTED") throw thrown;
      // None is lost: it only fails while every address is held or may still rest.
      expect(this.reference.held.size + this.reference.resters).toBe(this.reference.usable.size);
      return;
    }
    const rested = this.reference.resting.get(allocation.address);
    this.reference.take(allocation.address, owner);
    this.#last = { allocation, owner, rested };
  }

  release(owner: string): void {
    const released = this.kit.run((tx) => releaseOwned(tx, this.kit.clock, owner));
    expect([...released].sort()).toEqual(this.reference.ofOwner(owner));
    for (const address of released) {
      this.reference.held.delete(address);
      this.reference.resting.set(address, 0);
    }
    this.#last = undefined;
  }

  revertLast(): void {
    const last = this.#last;
    if (last === undefined || this.reference.held.get(last.allocation.address)?.owner !== last.owner) return;
    this.kit.run((tx) => revertAllocation(tx, last.allocation));
    this.reference.held.delete(last.allocation.address);
    if (last.rested !== undefined) this.reference.resting.set(last.allocation.address, last.rested);
    this.#last = undefined;
  }

  quarantine(owner: string): void {
    this.kit.run((tx) => quarantineOwned(tx, owner));
    for (const hold of this.reference.held.values()) if (hold.owner === owner) hold.isQuarantined = true;
    this.#last = undefined;
  }

  reassign(owner: string): void {
    const addresses = this.kit.run((tx) => reassignOwned(tx, owner));
    expect([...addresses].sort()).toEqual(this.reference.ofOwner(owner));
    for (const hold of this.reference.held.values()) if (hold.owner === owner) hold.isQuarantined = false;
  }

  async pass(ms: number): Promise<void> {
    await this.kit.clock.advance(ms);
    this.reference.pass(ms);
  }

  /** Back only: over a reboot a clock set forward cannot be told from time that passed. */
  setClockBack(ms: number): void {
    this.kit.clock.setWallClock(this.kit.clock.now() - ms);
  }

  reboot(): void {
    this.#boots += 1;
    this.kit.clock.reboot(`boot-${(this.#boots * 7) % 10}-${this.#boots}`);
  }

  sweep(): void {
    this.kit.run((tx) => freeRested(tx, this.kit.clock, this.spec));
  }

  /** The tables and the reference tell the same story. */
  verify(): void {
    const rows = this.kit.rows("addresses");
    const stored = rows.filter(({ state }) => state === "assigned" || state === "quarantined");
    const wanted = [...this.reference.held].map(([address, { owner, isQuarantined }]) => [
      address,
      owner,
      isQuarantined ? "quarantined" : "assigned",
    ]);
    expect(stored.map(({ address, owner, state }) => [address, owner, state]).sort()).toEqual(wanted.sort());
    for (const block of this.kit.rows("blocks")) {
      const inUse = rows.filter((row) => row["block"] === block["cidr"] && row["state"] !== "free");
      expect(inUse).toHaveLength(Number(block["held"]));
      expect(block["held"]).toBeLessThanOrEqual(Number(block["usable"]));
    }
    for (const { state, address, owner } of rows.filter((row) => row["state"] === "free")) {
      expect([state, owner, this.reference.held.has(String(address))]).toEqual(["free", "", false]);
    }
  }
}

type Step = (run: Run) => void | Promise<void>;

const owner = fc.constantFrom(...OWNERS);
const spans = fc.constantFrom(1, 9_999, 10_000, COOLDOWN_MS - 1, COOLDOWN_MS, 10 * COOLDOWN_MS);

function describeStep(name: string, step: Step): { name: string; step: Step; toString(): string } {
  return { name, step, toString: () => name };
}

const step = fc.oneof(
  { weight: 6, arbitrary: owner.map((who) => describeStep(`allocate(${who})`, (run) => run.allocate(who))) },
  { weight: 3, arbitrary: owner.map((who) => describeStep(`release(${who})`, (run) => run.release(who))) },
  { weight: 2, arbitrary: fc.constant(describeStep("revertLast", (run) => run.revertLast())) },
  { weight: 1, arbitrary: owner.map((who) => describeStep(`quarantine(${who})`, (run) => run.quarantine(who))) },
  { weight: 1, arbitrary: owner.map((who) => describeStep(`reassign(${who})`, (run) => run.reassign(who))) },
  { weight: 3, arbitrary: spans.map((ms) => describeStep(`pass(${ms})`, (run) => run.pass(ms))) },
  { weight: 1, arbitrary: spans.map((ms) => describeStep(`setClockBack(${ms})`, (run) => run.setClockBack(ms))) },
  { weight: 1, arbitrary: fc.constant(describeStep("reboot", (run) => run.reboot())) },
  { weight: 1, arbitrary: fc.constant(describeStep("sweep", (run) => run.sweep())) },
);

test("promise 6: no address has two owners, none is lost, reserved ones are never given, and released ones rest", async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...SPECS), fc.array(step, { minLength: 5, maxLength: 60 }), async (spec, steps) => {
      const run = new Run(spec);
      for (const { step: take } of steps) {
        await take(run);
        run.verify();
      }
      // In the end, everything can be given back and, after its rest, handed out again.
      for (const who of OWNERS) run.release(who);
      await run.pass(COOLDOWN_MS);
      run.sweep();
      run.sweep();
      await run.pass(COOLDOWN_MS);
      for (let count = 0; count < run.reference.usable.size; count++) run.allocate("z");
      expect(run.reference.ofOwner("z")).toHaveLength(run.reference.usable.size);
      run.verify();
      run.kit.store.close();
    }),
    { numRuns: 150 },
  );
});
