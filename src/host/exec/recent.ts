import { monotonicMs } from "./time.ts";

/** Asks `read` when what is known is older than `maxAgeMs`: a program that stays must see changes, and a call asks several times. */
export function recent<T>(maxAgeMs: number, read: () => T, now: () => number = monotonicMs): () => T {
  let known: { readonly value: T; readonly at: number } | undefined;
  return () => {
    if (known === undefined || now() - known.at > maxAgeMs) known = { value: read(), at: now() };
    return known.value;
  };
}

/** How long the run of HNS that was last seen counts as the current one, milliseconds. */
export const HNS_START_AGE_MS = 1_000;
