import type { Clock } from "../base/async.ts";
import type { ReleaseTime } from "./store.ts";

/** A release time in terms of this boot. A wall clock that went back since then starts the rest anew: never too short. */
export function rebase(clock: Clock, released: ReleaseTime | undefined): ReleaseTime {
  if (released === undefined) return stamp(clock);
  if (released.bootId === clock.bootId()) return released;
  const rested = Math.max(0, clock.now() - released.wallMs);
  return { wallMs: released.wallMs, uptimeMs: clock.uptime() - rested, bootId: clock.bootId() };
}

/** Now, so that a duration from it can be told later, whatever the wall clock does meanwhile. */
export function stamp(clock: Clock): ReleaseTime {
  return { wallMs: clock.now(), uptimeMs: clock.uptime(), bootId: clock.bootId() };
}
