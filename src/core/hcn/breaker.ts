import type { Clock } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import type { Logger } from "../base/log.ts";
import type { AroundCall } from "./decorate.ts";

export interface BreakerOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** Calls in a row without an answer after which HNS counts as hanging. */
  readonly limit: number;
  /** How long no call is made then, milliseconds; after that one call at a time tries whether HNS answers again. */
  readonly restMs: number;
}

export type BreakerState = "closed" | "open" | "trying";

/**
 * Keeps calls away from an HNS that hangs: each would cost a thread and its caller's time. A refusal is an answer, and an HNS that is
 * not there fails at once by itself; only calls without an answer count. Handles are closed in any state.
 */
export class Breaker {
  readonly #options: BreakerOptions;
  #unanswered = 0;
  #openedAt: number | undefined;
  #isTrying = false;

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  get state(): BreakerState {
    if (this.#openedAt === undefined) return "closed";
    return this.#isTrying ? "trying" : "open";
  }

  /** Milliseconds until a call is let through again; 0 while calls go through. */
  get restMs(): number {
    if (this.#openedAt === undefined) return 0;
    return Math.max(0, this.#openedAt + this.#options.restMs - this.#options.clock.uptime());
  }

  readonly around: AroundCall = async (name, run) => {
    if (name.startsWith("close ")) return run();
    const isTry = this.#enter();
    try {
      const answer = await run();
      this.#heard();
      return answer;
    } catch (thrown) {
      if (isUnanswered(thrown)) this.#missed(name);
      else if (!isUnasked(thrown)) this.#heard();
      throw thrown;
    } finally {
      if (isTry) this.#isTrying = false;
    }
  };

  /** Whether this call is the one that tries. Throws HNS_TIMEOUT while the breaker is open. */
  #enter(): boolean {
    if (this.#openedAt === undefined) return false;
    if (this.restMs > 0 || this.#isTrying) throw hanging(this.#unanswered, this.restMs);
    this.#isTrying = true;
    return true;
  }

  #heard(): void {
    if (this.#openedAt !== undefined) this.#options.log.info("hns answers again", { unanswered: this.#unanswered });
    this.#unanswered = 0;
    this.#openedAt = undefined;
  }

  #missed(name: string): void {
    this.#unanswered++;
    if (this.#unanswered < this.#options.limit) return;
    if (this.#openedAt === undefined) this.#options.log.error("hns hangs", { call: name, unanswered: this.#unanswered });
    this.#openedAt = this.#options.clock.uptime();
  }
}

function isUnanswered(thrown: unknown): boolean {
  return thrown instanceof PluginError && thrown.code === "HNS_TIMEOUT";
}

/** A call that got no turn tells nothing of HNS. */
function isUnasked(thrown: unknown): boolean {
  return thrown instanceof PluginError && thrown.code === "OPERATION_TIMEOUT";
}

function hanging(calls: number, restMs: number): PluginError {
  const message = `HNS hangs: ${calls} calls in a row had no answer`;
  const remedy = `it is tried again in ${Math.ceil(restMs / 1000)} s; if it stays so, drain the node and restart the hns service`;
  return new PluginError("HNS_TIMEOUT", { message, remedy, existingContainersAffected: false }, { retryable: true });
}
