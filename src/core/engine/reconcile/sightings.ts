import type { Clock } from "../../base/async.ts";

/**
 * What was found wrong, and since when. Only what one look after another finds wrong, for the grace time, is acted upon: HNS can be slow
 * to tell, and a call under way looks like one that broke off.
 */
export class Sightings {
  readonly #clock: Clock;
  readonly #graceMs: number;
  #before = new Map<string, number>();
  #now = new Map<string, number>();

  constructor(clock: Clock, graceMs: number) {
    this.#clock = clock;
    this.#graceMs = graceMs;
  }

  /** A new look: what the one before did not see counts as never seen. */
  begin(): void {
    this.#before = this.#now;
    this.#now = new Map();
  }

  /** A look that was given up tells nothing of what it did not get to. */
  giveUp(): void {
    for (const [key, since] of this.#before) if (!this.#now.has(key)) this.#now.set(key, since);
  }

  /** Whether it was seen by earlier looks too, for long enough. */
  see(key: string): boolean {
    const since = this.#before.get(key);
    this.#now.set(key, since ?? this.#clock.uptime());
    return since !== undefined && this.#clock.uptime() - since >= this.#graceMs;
  }
}
