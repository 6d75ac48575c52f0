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
  /** Names this run of HNS; "" when it cannot be told. */
  readonly hnsStart: () => string;
  /** How often that is asked, milliseconds. */
  readonly pollMs: () => number;
  /** Is told when another run of HNS was found. */
  readonly onStart: () => void;
  readonly pass: (options: PassOptions) => Promise<ReconcileReport>;
  readonly onReport: (report: ReconcileReport) => void;
}

/** How often it is seen what is due, milliseconds. */
const TICK_MS = 2_000;
/** A look after a start that was cut short is made again after this time, milliseconds. */
const RETRY_MS = 10_000;

/** Looks at HNS now, whenever HNS was started anew, and at intervals; never twice at a time. */
export class ReconcileLoop {
  readonly #options: ReconcileLoopOptions;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isRunning = false;
  #isClosed = false;
  #lastAt = Number.NEGATIVE_INFINITY;
  #polledAt = Number.NEGATIVE_INFINITY;
  #lastStart = "";
  /** HNS said that it was started anew before that could be seen. */
  #isTold = false;
  /** The next look reads every endpoint back. */
  #wantsFull = true;

  constructor(options: ReconcileLoopOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = setInterval(() => this.#tick(), Math.min(TICK_MS, this.#options.intervalMs, this.#options.pollMs()));
    this.#tick();
  }

  /** Returns once a look under way is over, which begins nothing more. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#isClosed = true;
    await this.#running;
  }

  /** Asks now whether HNS was started anew, and looks in full if so. */
  poll(): void {
    this.#polledAt = Number.NEGATIVE_INFINITY;
    this.#tick();
  }

  /** HNS has said that it was started anew: looks in full now, or right after a look under way. */
  hnsRestarted(): void {
    const before = this.#lastStart;
    this.#polledAt = Number.NEGATIVE_INFINITY;
    this.#askStart();
    if (this.#lastStart === before) {
      // The service manager or what is remembered of it lags behind; what it tells later is no further start.
      this.#isTold = true;
      this.#options.log.warn("hns was started anew");
      this.#polledAt = Number.NEGATIVE_INFINITY;
    }
    this.#wantsNow();
    this.#tick();
  }

  /** One look that only says what it would do. */
  async plan(): Promise<ReconcileReport> {
    await this.#running;
    return this.#options.pass({ dryRun: true, isFull: true, isEnding: () => this.#isClosed });
  }

  #tick(): void {
    const { clock, intervalMs } = this.#options;
    if (this.#isRunning || this.#isClosed) return;
    this.#askStart();
    if (clock.uptime() - this.#lastAt < (this.#wantsFull ? Math.min(RETRY_MS, intervalMs) : intervalMs)) return;
    this.#lastAt = clock.uptime();
    this.#isRunning = true;
    this.#running = this.#look().finally(() => {
      this.#isRunning = false;
      if (this.#lastAt === Number.NEGATIVE_INFINITY) this.#tick();
    });
  }

  #askStart(): void {
    const { clock, hnsStart, log, pollMs, onStart } = this.#options;
    if (clock.uptime() - this.#polledAt < pollMs()) return;
    this.#polledAt = clock.uptime();
    const start = this.#read(hnsStart);
    if (start === "" || start === this.#lastStart) return;
    const isFirst = this.#lastStart === "";
    this.#lastStart = start;
    this.#wantsNow();
    if (isFirst) return;
    log[this.#isTold ? "debug" : "warn"]("hns was started anew", { hnsStart: start });
    this.#isTold = false;
    onStart();
  }

  #wantsNow(): void {
    this.#wantsFull = true;
    this.#lastAt = Number.NEGATIVE_INFINITY;
  }

  async #look(): Promise<void> {
    const { dryRun, pass, onReport, log } = this.#options;
    const isFull = this.#wantsFull;
    this.#wantsFull = false;
    try {
      const report = await pass({ dryRun, isFull, isEnding: () => this.#isClosed });
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
