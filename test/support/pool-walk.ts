import { cidrSize, addressAt, formatIp } from "../../src/core/base/ip.ts";
import { PluginError } from "../../src/core/base/errors.ts";
import {
  type Allocation,
  freeRested,
  quarantineOwned,
  reassignOwned,
  releaseOwned,
  reuseEarly,
  revertAllocation,
  tryAllocate,
} from "../../src/core/ipam/allocator.ts";
import type { PoolSpec } from "../../src/core/ipam/pool.ts";
import { type AddressSet, type Asker, tryAssign } from "../../src/core/ipam/assign.ts";
import { isReserved } from "../../src/core/ipam/blocks.ts";
import { findInconsistencies } from "../../src/core/ipam/consistency.ts";
import { type AddressRecord, type IpamTransaction, podKey } from "../../src/core/ipam/store.ts";
import { FakeClock } from "./fake-clock.ts";

export interface WalkStore {
  transaction<T>(work: (tx: IpamTransaction) => T): T;
  /** Ends the process that has the store open, so to speak, and opens it anew. */
  restart(): void;
}

/** The least rest before an ADD that waits may have an address. */
export const FLOOR_MS = 5_000;
const OWNERS = 40;

interface Rest {
  /** Milliseconds for certain, and what a wall clock set forward may make of them when the machine starts anew. */
  passed: number;
  forward: number;
  /** It goes on from an earlier boot: until the plugin has seen it, the wall clock alone can say how long it has been. */
  isOld: boolean;
}

type Step =
  | "allocate"
  | "release"
  | "crash"
  | "quarantine"
  | "reassign"
  | "revert"
  | "pass"
  | "jump"
  | "restart"
  | "reboot"
  | "sweep"
  | "grow"
  | "shrink"
  | "reuse"
  | "want"
  | "return"
  | "both";

const WEIGHTS: readonly (readonly [Step, number])[] = [
  ["allocate", 30],
  ["release", 24],
  ["crash", 6],
  ["quarantine", 3],
  ["reassign", 3],
  ["revert", 4],
  ["pass", 16],
  ["jump", 2],
  ["restart", 1],
  ["reboot", 1],
  ["sweep", 3],
  ["grow", 2],
  ["shrink", 2],
  ["reuse", 3],
  ["want", 6],
  ["return", 8],
  ["both", 8],
];

class Crash extends Error {}

/**
 * Random steps on one pool, beside a plain record of who has what. Throws, naming seed and step, as soon as an address has two owners, a
 * reserved one is given, one is given before its rest is over (with an ADD that waits: before the floor), or one is lost.
 */
export class PoolWalk {
  readonly counts: Partial<Record<Step, number>> = {};
  readonly clock = new FakeClock({ autoAdvance: true });
  readonly #store: WalkStore;
  readonly #spec: PoolSpec;
  /** A pool of another address family, from which pods get a second address beside one of the first. */
  readonly #second: PoolSpec;
  readonly #random: () => number;
  readonly #usable: number;
  readonly #held = new Map<string, string>();
  readonly #resting = new Map<string, Rest>();
  /** The pod that an address is kept in mind for. */
  readonly #sticky = new Map<string, string>();
  #boots = 1;

  constructor(store: WalkStore, specs: { first: PoolSpec; second: PoolSpec }, random: () => number) {
    this.#store = store;
    this.#spec = specs.first;
    this.#second = specs.second;
    this.#random = random;
    this.#usable = listUsable(specs.first).length;
  }

  async run(steps: number, verifyEvery: number): Promise<void> {
    for (let step = 1; step <= steps; step++) {
      const name = this.#pick();
      this.counts[name] = (this.counts[name] ?? 0) + 1;
      try {
        await this.#steps[name](`pod-${this.#below(OWNERS)}`);
        if (step % verifyEvery === 0) this.#verify();
      } catch (thrown) {
        throw new Error(`step ${step} (${name}): ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
      }
    }
    await this.#drain();
  }

  readonly #steps: Readonly<Record<Step, (owner: string) => void | Promise<void>>> = {
    allocate: (owner) => this.#allocate(owner),
    release: (owner) => this.#release(owner),
    crash: (owner) => this.#crash(owner),
    quarantine: (owner) => this.#store.transaction((tx) => quarantineOwned(tx, owner)),
    reassign: (owner) => void this.#store.transaction((tx) => reassignOwned(tx, owner)),
    revert: (owner) => this.#revert(owner),
    pass: () => this.#pass(this.#below(4) === 0 ? this.#spec.cooldownMs : this.#below(4_000)),
    jump: () => this.#jump(this.#below(120_000) - 60_000),
    restart: () => this.#store.restart(),
    reboot: () => this.#reboot(),
    sweep: () => this.#store.transaction((tx) => freeRested(tx, this.clock, this.#spec)),
    grow: () => {
      for (let count = this.#below(this.#usable); count > 0; count--) this.#allocate(`pod-${this.#below(OWNERS)}`);
    },
    shrink: () => {
      for (let count = this.#below(OWNERS); count > 0; count--) this.#release(`pod-${count}`);
    },
    reuse: (owner) => this.#reuse(owner),
    want: (owner) => this.#want(owner),
    return: (owner) => this.#return(owner),
    both: (owner) => this.#both(owner),
  };

  #allocate(owner: string): void {
    const taken = this.#store.transaction((tx) => tryAllocate(tx, this.clock, this.#spec, owner));
    if (taken !== undefined) this.#give(taken.address, owner, this.#spec.cooldownMs);
    else this.#expectNone(this.#spec);
  }

  /** Whoever is told that there is none must be right. */
  #expectNone(spec: PoolSpec): void {
    const usable = listUsable(spec);
    const [held, resting] = [usable.filter((address) => this.#held.has(address)), usable.filter((address) => this.#resting.has(address))];
    if (held.length + resting.length === usable.length) return;
    throw new Error(`none is free in ${spec.id}, and ${held.length} are held and ${resting.length} rest of ${usable.length}`);
  }

  /** An ADD that asks for one address, of those that pods can have: it gets that one or none. */
  #want(owner: string): void {
    const usable = listUsable(this.#spec);
    const wanted = usable[this.#below(usable.length)] ?? "";
    const [holder, isResting] = [this.#held.get(wanted), this.#resting.has(wanted)];
    try {
      const taken = this.#assign({ owner }, [{ pools: [this.#spec], wanted }]);
      if (holder !== undefined) throw new Error(`${wanted} was given although ${holder} has it`);
      if (taken === undefined && !isResting) throw new Error(`${wanted} was not given although nobody has it`);
      if (taken !== undefined) this.#give(wanted, owner, this.#spec.cooldownMs);
    } catch (thrown) {
      if (!isConflict(thrown) || holder === undefined) throw thrown;
    }
  }

  /** The pod of a StatefulSet comes: it gets the address back that it had, if that is free, else any. */
  #return(owner: string): void {
    const pod = { namespace: "shop", name: `db-${this.#below(6)}` };
    const holder = { containerId: owner, ifname: "eth0", pod, isSticky: true };
    const known = this.#store
      .transaction((tx) => tx.listSticky(podKey(pod)))
      .filter(({ state, address }) => state === "free" && !isReserved(this.#spec, address));
    const asker = { owner: { id: owner, holder }, sticky: { pod: podKey(pod), ifname: "eth0", isWaiting: false } };
    const taken = this.#assign(asker, [{ pools: [this.#spec] }]);
    if (taken === undefined) this.#expectNone(this.#spec);
    for (const { address } of taken ?? []) {
      this.#give(address, owner, this.#spec.cooldownMs);
      const isOwn = known.some((record) => record.address === address) || this.#wasSticky(address, podKey(pod));
      if (known.length > 0 && !isOwn) throw new Error(`${podKey(pod)} got ${address} although ${known[0]?.address} was its own`);
      this.#sticky.set(address, podKey(pod));
    }
  }

  /** An address that rested long enough counts as free too. */
  #wasSticky(address: string, pod: string): boolean {
    return this.#sticky.get(address) === pod;
  }

  /** A pod with two families gets both addresses or none. */
  #both(owner: string): void {
    const taken = this.#assign({ owner }, [{ pools: [this.#spec] }, { pools: [this.#second] }]);
    if (taken === undefined) {
      const isFull = [this.#spec, this.#second].some((spec) =>
        listUsable(spec).every((address) => this.#held.has(address) || this.#resting.has(address)),
      );
      if (!isFull) throw new Error("a pod got nothing although both pools have a free address");
      return;
    }
    if (taken.length !== 2) throw new Error(`a pod got ${taken.length} addresses of 2`);
    for (const { address, pool } of taken)
      this.#give(address, owner, this.#spec.cooldownMs, pool === this.#spec.id ? this.#spec : this.#second);
  }

  #assign(asker: Asker, sets: readonly AddressSet[]): readonly Allocation[] | undefined {
    const assignment = this.#store.transaction((tx) => tryAssign(tx, this.clock, asker, { sets }));
    return "taken" in assignment ? assignment.taken : undefined;
  }

  /** What an ADD does that waits: only when there is none. */
  #reuse(owner: string): void {
    const taken = this.#store.transaction((tx) => {
      const free = tryAllocate(tx, this.clock, this.#spec, owner);
      const reuse = { spec: this.#spec, owner, floorMs: FLOOR_MS, held: new Set<string>() };
      return free === undefined ? { early: reuseEarly(tx, this.clock, reuse) } : { free };
    });
    if (taken.free !== undefined) this.#give(taken.free.address, owner, this.#spec.cooldownMs);
    if (taken.early !== undefined) this.#give(taken.early.address, owner, FLOOR_MS);
  }

  #give(address: string, owner: string, restMs: number, spec = this.#spec): void {
    this.#sticky.delete(address);
    if (isReserved(spec, address)) throw new Error(`${address} is reserved`);
    const before = this.#held.get(address);
    if (before !== undefined) throw new Error(`${address} is given to ${owner} while ${before} has it`);
    const rest = this.#resting.get(address);
    if (rest !== undefined && rest.passed < restMs) throw new Error(`${address} has rested ${rest.passed} ms of ${restMs}`);
    this.#resting.delete(address);
    this.#held.set(address, owner);
  }

  #release(owner: string): void {
    const released = this.#store.transaction((tx) => releaseOwned(tx, this.clock, owner));
    const wanted = [...this.#held].filter(([, holder]) => holder === owner).map(([address]) => address);
    if ([...released].sort().join() !== wanted.sort().join())
      throw new Error(`${owner} gave back ${released.join()} and had ${wanted.join()}`);
    for (const address of released) {
      this.#held.delete(address);
      this.#resting.set(address, { passed: 0, forward: 0, isOld: false });
    }
  }

  /** The process dies within a transaction: nothing of it remains. */
  #crash(owner: string): void {
    try {
      this.#store.transaction((tx) => {
        releaseOwned(tx, this.clock, owner);
        tryAllocate(tx, this.clock, this.#spec, owner);
        throw new Crash();
      });
    } catch (thrown) {
      if (!(thrown instanceof Crash)) throw thrown;
    }
  }

  /** An ADD that fails puts back what it took: the address need not rest, and one that rested goes on as it was. */
  #revert(owner: string): void {
    this.#store.transaction((tx) => {
      const taken = tryAllocate(tx, this.clock, this.#spec, owner);
      if (taken !== undefined) revertAllocation(tx, taken);
    });
  }

  async #pass(ms: number): Promise<void> {
    await this.clock.sleep(ms);
    for (const rest of this.#resting.values()) rest.passed += ms;
  }

  #jump(ms: number): void {
    this.clock.setWallClock(this.clock.now() + ms);
    for (const rest of this.#resting.values()) {
      if (rest.isOld) rest.passed += Math.max(0, ms);
      else rest.forward += Math.max(0, ms);
    }
  }

  /** Over a reboot a clock set forward cannot be told from time that passed. */
  #reboot(): void {
    this.#boots += 1;
    this.clock.reboot(`boot-${(this.#boots * 7) % 10}-${this.#boots}`);
    for (const rest of this.#resting.values()) {
      rest.passed += rest.forward;
      rest.forward = 0;
      rest.isOld = true;
    }
    this.#store.restart();
  }

  #verify(): void {
    this.#store.transaction((tx) => {
      const findings = findInconsistencies(tx);
      if (findings.length > 0) throw new Error(findings.map(({ subject, problem }) => `${subject} ${problem}`).join("; "));
      const rows = [this.#spec, this.#second].flatMap(({ id }) => tx.listAddresses(id));
      for (const row of rows) this.#verifyRow(row);
      const known = new Set(rows.map(({ address }) => address));
      const forgotten = [...this.#held.keys()].find((address) => !known.has(address));
      if (forgotten !== undefined) throw new Error(`${forgotten} is held and has no record`);
    });
  }

  #verifyRow({ address, state, owner }: AddressRecord): void {
    const isHeld = state === "assigned" || state === "quarantined";
    if (this.#held.get(address) !== (isHeld ? owner : undefined)) throw new Error(`${address} is ${state} of ${owner}`);
    const rested = this.#resting.get(address)?.passed ?? this.#spec.cooldownMs;
    if (state === "free" && rested < this.#spec.cooldownMs) throw new Error(`${address} counts as free and rests`);
  }

  /** In the end everything can be given back and, after its rest, be had again: none was lost. */
  async #drain(): Promise<void> {
    for (let owner = 0; owner < OWNERS; owner++) this.#release(`pod-${owner}`);
    for (let round = 0; round < 3 + this.#usable / 8; round++) {
      this.#store.transaction((tx) => freeRested(tx, this.clock, this.#spec));
      this.#store.transaction((tx) => freeRested(tx, this.clock, this.#second));
      await this.#pass(this.#spec.cooldownMs);
    }
    for (let count = 0; count < this.#usable; count++) this.#allocate("last");
    if (this.#held.size !== this.#usable) throw new Error(`${this.#held.size} of ${this.#usable} addresses could be had in the end`);
    const others = listUsable(this.#second);
    for (const wanted of others)
      this.#assign({ owner: "last" }, [{ pools: [this.#second], wanted }])?.forEach(({ address }) => this.#held.set(address, "last"));
    if (this.#held.size !== this.#usable + others.length) throw new Error("addresses of the second pool could not be had in the end");
    this.#verify();
  }

  #pick(): Step {
    const total = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);
    let at = this.#below(total);
    for (const [step, weight] of WEIGHTS) {
      if (at < weight) return step;
      at -= weight;
    }
    return "pass";
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

function isConflict(thrown: unknown): boolean {
  return thrown instanceof PluginError && thrown.code === "ADDRESS_CONFLICT";
}

/** The addresses of the pool that pods can have. */
function listUsable(spec: PoolSpec): string[] {
  const known = USABLE.get(spec);
  if (known !== undefined) return known;
  const size = cidrSize(spec.cidr);
  const found = Array.from({ length: size }, (_, offset) => formatIp(addressAt(spec.cidr, offset))).filter(
    (address) => !isReserved(spec, address),
  );
  USABLE.set(spec, found);
  return found;
}

const USABLE = new WeakMap<PoolSpec, string[]>();
