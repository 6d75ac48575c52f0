import { type Clock, type Deadline, poll } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import type { LeaseHolder, LeaseRecord, StateStore, StateTransaction } from "./store.ts";

/** What a lease needs to know of the machine. */
export interface ProcessTable {
  self(): LeaseHolder;
  /** Whether the process of the holder still runs; true when that cannot be told. */
  isAlive(holder: LeaseHolder): boolean;
}

/** Stands between the start time of a process and the number of a call within it, which is a holder of its own. */
const CALL_MARK = "#";

/** One of several holders within a process. */
export function holderOfCall(owner: LeaseHolder, call: number): LeaseHolder {
  return { ...owner, startedAt: `${owner.startedAt}${CALL_MARK}${call}` };
}

/** The start time of the process that a holder is, or is a call of: whoever looks from another process knows no calls. */
export function processStart({ startedAt }: Pick<LeaseHolder, "startedAt">): string {
  return startedAt.split(CALL_MARK, 1)[0] ?? "";
}

export interface LeaseOptions {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly processes: ProcessTable;
  /** How long a holder that hangs may keep others out, in milliseconds. */
  readonly ttlMs: number;
  readonly deadline: Deadline;
}

const POLL_MS = 20;

/**
 * Takes the attachment for this process, waiting for one that works on it now. A holder that died, rebooted or overran its time is
 * followed at once. `onTaken` runs in the transaction that takes the lease, so what it reads cannot change before the caller acts.
 * Throws ATTACHMENT_BUSY when the deadline passes first.
 */
export async function takeLease<T>(options: LeaseOptions, attachment: Guid, onTaken: (tx: StateTransaction) => T): Promise<T> {
  const { store, clock, deadline } = options;
  const taken = await poll(clock, { deadline, intervalMs: POLL_MS }, () => tryTake(options, attachment, onTaken));
  if (taken !== undefined) return taken.value;
  const holder = store.read((tx) => tx.findLease(attachment));
  const message = `another process (pid ${holder?.pid ?? "unknown"}) still works on this attachment`;
  throw new PluginError("ATTACHMENT_BUSY", { message, remedy: "try again once it has ended" }, { retryable: true });
}

function tryTake<T>(options: LeaseOptions, attachment: Guid, onTaken: (tx: StateTransaction) => T): { value: T } | undefined {
  return options.store.transaction((tx) => {
    const current = tx.findLease(attachment);
    if (current !== undefined && isHeldByOther(options, current)) return undefined;
    tx.putLease({ attachment, ...options.processes.self(), expiresAt: options.clock.uptime() + options.ttlMs });
    return { value: onTaken(tx) };
  });
}

/** Forgets the leases of processes that died before they had written anything else. */
export function removeDeadLeases(tx: StateTransaction, options: Pick<LeaseOptions, "clock" | "processes">): void {
  const self = options.processes.self();
  for (const lease of tx.listLeases()) {
    if (!isHeldByOther(options, lease) && !ownsLease(tx, lease.attachment, self)) tx.removeLease(lease.attachment);
  }
}

/** Whether the lease is alive and not this process's own. */
export function isHeldByOther(options: Pick<LeaseOptions, "clock" | "processes">, lease: LeaseRecord): boolean {
  const { clock, processes } = options;
  if (lease.bootId !== clock.bootId() || lease.expiresAt <= clock.uptime()) return false;
  const self = processes.self();
  if (lease.pid === self.pid && lease.startedAt === self.startedAt) return false;
  return processes.isAlive(lease);
}

/** Whether `holder` still has the lease: false once it expired and somebody followed. */
export function ownsLease(tx: StateTransaction, attachment: Guid, self: LeaseHolder): boolean {
  const lease = tx.findLease(attachment);
  return lease?.pid === self.pid && lease.startedAt === self.startedAt && lease.bootId === self.bootId;
}
