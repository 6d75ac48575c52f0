import { readFileSync, statSync, writeFileSync } from "node:fs";

/** When a file's structure was last found whole, on both clocks, milliseconds. */
export interface CheckTime {
  readonly wall: number;
  /** Since boot. */
  readonly uptime: number;
}

/** A file of this size or less is checked whenever it is opened: that takes about a millisecond. */
export const ALWAYS_CHECKED_BYTES = 256 * 1024;

/** How long a check of a larger file holds, milliseconds. */
const HOLDS_MS = 10 * 60_000;

/** How far apart two readings of the boot's time may lie, milliseconds: clocks are read one after the other, and are adjusted now and then. */
const BOOT_TOLERANCE_MS = 2_000;

/** What of a file changes whenever anybody writes to it or puts another in its place; undefined where there is none. */
export function identify(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(" ");
}

export function isLarge(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > ALWAYS_CHECKED_BYTES;
}

/**
 * When the file was last found whole, if that still holds: since then nobody but this program wrote to it, the machine did not boot, and not too
 * much time went by. Undefined when it has to be looked at again; also where the clocks or the stamp itself leave a doubt.
 */
export function findCheck(path: string, now: CheckTime): CheckTime | undefined {
  const stamp = readStamp(path);
  const identity = identify(path);
  if (stamp === undefined || identity === undefined || stamp.identity !== identity) return undefined;
  const { wall, uptime } = stamp;
  const age = now.uptime - uptime;
  const isSameBoot = Math.abs(now.wall - now.uptime - (wall - uptime)) <= BOOT_TOLERANCE_MS;
  return isSameBoot && age >= 0 && age <= HOLDS_MS ? { wall, uptime } : undefined;
}

/** Notes that the file as it is now has the structure that was checked at `check`. What cannot be noted is checked again. */
export function writeStamp(path: string, check: CheckTime): void {
  try {
    const identity = identify(path);
    writeFileSync(stampPath(path), JSON.stringify({ identity, ...check }));
  } catch {
    // a stamp of an earlier file does not fit this one
  }
}

function stampPath(path: string): string {
  return `${path}-checked`;
}

function readStamp(path: string): (CheckTime & { identity: string }) | undefined {
  try {
    const { identity, wall, uptime } = JSON.parse(readFileSync(stampPath(path), "utf8")) as Record<string, unknown>;
    if (typeof identity !== "string" || typeof wall !== "number" || typeof uptime !== "number") return undefined;
    return { identity, wall, uptime };
  } catch {
    return undefined;
  }
}
