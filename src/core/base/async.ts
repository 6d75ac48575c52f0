/** Time as the rules need it: wall time for people, uptime for durations that a clock change must not bend. */
export interface Clock {
  /** Milliseconds since 1970, as the wall clock says. */
  now(): number;
  /** Milliseconds since this boot; never goes back within one boot. */
  uptime(): number;
  /** Names this boot; another value means that the machine was started anew. */
  bootId(): string;
  sleep(ms: number): Promise<void>;
}

/** A point in `Clock.uptime()` time by which something must be done. */
export interface Deadline {
  readonly at: number;
}

export function deadlineIn(clock: Clock, ms: number): Deadline {
  return { at: clock.uptime() + ms };
}

/** Milliseconds left, never negative. */
export function remaining(clock: Clock, deadline: Deadline): number {
  return Math.max(0, deadline.at - clock.uptime());
}

export function earlier(left: Deadline, right: Deadline): Deadline {
  return left.at <= right.at ? left : right;
}

/**
 * Calls `attempt` until it gives something else than undefined, sleeping `intervalMs` between tries.
 * @returns the value, or undefined when the deadline passed first (there is always one try)
 */
export async function poll<T>(
  clock: Clock,
  options: { deadline: Deadline; intervalMs: number },
  attempt: () => T | undefined | Promise<T | undefined>,
): Promise<T | undefined> {
  for (;;) {
    const value = await attempt();
    if (value !== undefined) return value;
    const left = remaining(clock, options.deadline);
    if (left <= 0) return undefined;
    await clock.sleep(Math.min(options.intervalMs, left));
  }
}
