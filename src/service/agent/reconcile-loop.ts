import type { Clock } from "../../core/base/async.ts";
import type { Logger } from "../../core/base/log.ts";
import type { PassOptions } from "../../core/engine/reconcile/reconciler.ts";
import type { ReconcileReport } from "../../core/engine/reconcile/report.ts";

export interface ReconcileLoopOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly intervalMs: number;
  /** Every look only says what it would do. */
  readonly dryRun: boolean;
  readonly hnsStart: () => string;
  readonly pass: (options: PassOptions) => Promise<ReconcileReport>;
  readonly onReport: (report: ReconcileReport) => void;
}

/** How often it is asked whether HNS was started anew, milliseconds. */
const POLL_MS = 2_000;
/** A look after a start that was cut short is made again after this time, milliseconds. */
const RETRY_MS = 10_000;

/** Looks at HNS now, whenever HNS was started anew, and at intervals; never twice at a time. */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isRunning = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #lastStart = "";
  /** The next look reads every endpoint back. */
  #wantsFull = true;

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), Math.min(POLL_MS, this.#options.intervalMs));
    this.#tick();
  }

  /** Returns once a look under way is over. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  /** One look that only says what it would do. */
  async plan(): Promise<ReconcileReport> {
    await this.#running;
    return this.#options.pass({ dryRun: true, isFull: true });
  }

  #tick(): void {
    const { clock, hnsStart, intervalMs, log } = this.#options;
    if (this.#isRunning) return;
    const start = this.#read(hnsStart);
    if (start !== "" && start !== this.#lastStart) {
      if (this.#lastStart !== "") log.warn("hns was started anew", { hnsStart: start });
      this.#lastStart = start;
      this.#wantsFull = true;
      this.#lastAt = Number.NEGATIVE_INFINITY;
    }
    if (clock.uptime() - this.#lastAt < (this.#wantsFull ? Math.min(RETRY_MS, intervalMs) : intervalMs)) return;
    this.#lastAt = clock.uptime();
    this.#isRunning = true;
    this.#running = this.#look().finally(() => (this.#isRunning = false));
  }

  async #look(): Promise<void> {
    const { dryRun, pass, onReport, log } = this.#options;
    const isFull = this.#wantsFull;
    this.#wantsFull = false;
    try {
      const report = await pass({ dryRun, isFull });
      const isCutShort = report.entries.some(({ action, outcome }) => action === "look" && outcome === "failed");
      this.#wantsFull ||= isFull && isCutShort;
      onReport(report);
    } catch (thrown) {
      this.#wantsFull ||= isFull;
      log.error("look at hns failed", { error: thrown });
    }
  }

  #read(hnsStart: () => string): string {
    try {
      return hnsStart();
    } catch {
      return "";
    }
  }
}
