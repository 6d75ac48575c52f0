import type { Logger } from "../../core/base/log.ts";

export interface StuckOptions {
  /** Calls to HNS that were given up and have not returned: each keeps a thread of the pool. */
  readonly abandonedCalls: () => number;
  readonly limit: number;
  readonly log: Logger;
  /** Returns soon, when the log has been written or cannot be. */
  readonly lastWords: () => Promise<void>;
  /** Ends the process at once, also while threads are stuck. */
  readonly endProcess: (code: number) => void;
}

/** Exit code of an agent that wants to be started anew; the service manager's recovery actions see to it. */
export const STUCK_EXIT_CODE = 75;

/**
 * Ends the process when HNS has swallowed too many threads: nothing gives them back but a new process. What was under way is in the state
 * and is finished or undone by the next agent.
 */
export async function endWhenStuck({ abandonedCalls, limit, log, lastWords, endProcess }: StuckOptions): Promise<void> {
  const abandoned = abandonedCalls();
  if (abandoned < limit) return;
  log.error("too many calls stuck in hns, ending to be started anew", { abandoned, limit });
  await lastWords();
  endProcess(STUCK_EXIT_CODE);
}
