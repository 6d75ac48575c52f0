/** What callers of an IPAM write down of their addresses, and what it proves. */

/** "asking" comes before the ADD, "got" after it; "giving" before the DEL, "gave" after it. */
export interface LogEntry {
  /** Microseconds of the machine's monotonic clock, the same for all processes. */
  readonly at: number;
  readonly what: "asking" | "got" | "giving" | "gave" | "exhausted" | "failed";
  readonly container: string;
  readonly address?: string;
  /** Of "failed". */
  readonly error?: string;
}

export function now(): number {
  return Number(process.hrtime.bigint() / 1000n);
}

/** Two holders of one address at the same time, as a sentence each. Who never began to give an address back holds it to the end. */
export function findShared(entries: readonly LogEntry[]): string[] {
  const ends = new Map<string, number>();
  for (const { what, container, at } of entries) {
    if (what === "giving") ends.set(container, Math.min(at, ends.get(container) ?? Infinity));
  }
  const holds = entries.flatMap(({ what, container, address, at }) =>
    what === "got" && address !== undefined ? [{ address, container, from: at, to: ends.get(container) ?? Infinity }] : [],
  );
  return [...Map.groupBy(holds, ({ address }) => address)].flatMap(([address, all]) => {
    let last: { container: string; to: number } | undefined;
    return all
      .toSorted((left, right) => left.from - right.from)
      .flatMap((hold) => {
        const before = last;
        if (last === undefined || hold.to > last.to) last = hold;
        return before !== undefined && hold.from < before.to
          ? [`${address} was given to ${hold.container} while ${before.container} had it`]
          : [];
      });
  });
}

/** Containers that asked and of which no DEL has ended. */
export function findOpen(entries: readonly LogEntry[]): string[] {
  const ended = new Set(entries.flatMap(({ what, container }) => (what === "gave" || what === "exhausted" ? [container] : [])));
  return [...new Set(entries.flatMap(({ what, container }) => (what === "asking" && !ended.has(container) ? [container] : [])))];
}

export function count(entries: readonly LogEntry[], what: LogEntry["what"]): number {
  return entries.filter((entry) => entry.what === what).length;
}
