import type { Clock } from "../../src/core/base/async.ts";

interface Sleeper {
  readonly at: number;
  readonly wake: () => void;
}

export interface FakeClockOptions {
  /** Wall time at the start, milliseconds since 1970. */
  readonly now?: number;
  readonly uptime?: number;
  readonly bootId?: string;
  /** A sleep moves the clock on by itself and returns at once. */
  readonly autoAdvance?: boolean;
}

/** A clock that stands still until a test moves it. */
export class FakeClock implements Clock {
  /** The length of every sleep that was asked for, in order. */
  readonly sleeps: number[] = [];
  readonly #autoAdvance: boolean;
  #now: number;
  #uptime: number;
  #bootId: string;
  #sleepers: Sleeper[] = [];

  constructor(options: FakeClockOptions = {}) {
    this.#now = options.now ?? Date.UTC(2025, 0, 1);
    this.#uptime = options.uptime ?? 1_000_000;
    this.#bootId = options.bootId ?? "boot-1";
    this.#autoAdvance = options.autoAdvance ?? false;
  }

  now(): number {
    return this.#now;
  }

  uptime(): number {
    return this.#uptime;
  }

  bootId(): string {
    return this.#bootId;
  }

  async sleep(ms: number): Promise<void> {
    this.sleeps.push(ms);
    if (this.#autoAdvance) {
      this.#move(ms);
      return;
    }
    await new Promise<void>((wake) => this.#sleepers.push({ at: this.#uptime + ms, wake }));
  }

  /** How many sleeps wait for the clock to be moved. */
  get sleeping(): number {
    return this.#sleepers.length;
  }

  /**
   * Moves wall time and uptime on by `ms`, stopping at every moment at which a sleep ends and letting the woken code run, so
   * that what sleeps again within the span wakes again within it.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#uptime + ms;
    await settle();
    for (let next = this.#nextBefore(end); next !== undefined; next = this.#nextBefore(end)) {
      this.#move(Math.max(0, next - this.#uptime));
      this.#wakeDue();
      await settle();
    }
    this.#move(end - this.#uptime);
  }

  /** Someone sets the wall clock; uptime and sleeps do not feel it. */
  setWallClock(now: number): void {
    this.#now = now;
  }

  setBootId(bootId: string): void {
    this.#bootId = bootId;
  }

  /** The machine starts anew: another boot id, uptime from 0; sleeps of the old boot never end, as their processes are gone. */
  reboot(bootId: string): void {
    this.#bootId = bootId;
    this.#uptime = 0;
    this.#sleepers = [];
  }

  #move(ms: number): void {
    this.#now += ms;
    this.#uptime += ms;
  }

  #nextBefore(end: number): number | undefined {
    const due = this.#sleepers.map((sleeper) => sleeper.at).filter((at) => at <= end);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  #wakeDue(): void {
    const due = this.#sleepers.filter((sleeper) => sleeper.at <= this.#uptime);
    this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.at > this.#uptime);
    for (const sleeper of due) sleeper.wake();
  }
}

/** Lets everything run that is ready to, chains of promises included. */
async function settle(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
}
