import type { Clock } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import type { Logger } from "../../core/base/log.ts";
import type { HnsNotification } from "../../host/ffi/service-callback.ts";

/** HNS's service callback, see host/ffi/service-callback.ts. */
export interface HnsCallback {
  /** In the place of an earlier registration. Throws PluginError; HNS_TIMEOUT when HNS hangs. */
  register(deadlineMs: number): Promise<void>;
  /** Never throws for what HNS answers. */
  unregister(deadlineMs: number): Promise<void>;
}

export interface HnsWatchOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly open: (onNotification: (notification: HnsNotification) => void) => HnsCallback;
  /** Is called when a registration stands: HNS is `back` after it went away or was not there, or may have been started anew unseen before. */
  readonly onStanding: (how: "back" | "first") => void;
}

/** A registration, or the end of one, takes HNS a moment; what takes longer hangs. Milliseconds. */
const CALL_MS = 10_000;
const CLOSE_MS = 5_000;
/** Waits between tries to register with an HNS that is not there, milliseconds: the last one from then on. */
const WAITS_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const;
/** A registration that stood for less counts as a failed try: an HNS that comes and goes is not asked all the time. Milliseconds. */
const STOOD_MS = 10_000;
/** Of a notification's data in the log, characters. */
const DATA_LENGTH = 500;

/**
 * Is registered with HNS's callback as long as HNS is there, and tells when HNS has come back. Who relies on it must ask from time to time all
 * the same: while nothing `isStanding`, and in case HNS says nothing.
 */
export class HnsWatch {
  readonly #options: HnsWatchOptions;
  readonly #callback: HnsCallback;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #state: "waiting" | "registering" | "standing" | "hanging" | "closed" = "waiting";
  /** HNS went away or was not there, and nobody has been told that it is back. */
  #isLost = false;
  /** HNS went away while it was being asked. */
  #isVoid = false;
  #failures = 0;
  #stoodSince = 0;

  constructor(options: HnsWatchOptions) {
    this.#options = options;
    this.#callback = options.open((notification) => this.#hear(notification));
  }

  /** Whether HNS would tell that it goes away. */
  get isStanding(): boolean {
    return this.#state === "standing";
  }

  start(): void {
    this.#register();
  }

  /** HNS was found to have been started anew: one that hung at the registration is asked again. */
  hnsStarted(): void {
    if (this.#state === "hanging") this.#register();
  }

  /** Ends the registration; returns in time also when HNS hangs. */
  async close(): Promise<void> {
    if (this.#state === "closed") return;
    clearTimeout(this.#timer);
    this.#state = "closed";
    await this.#within(CLOSE_MS, this.#running);
    await this.#callback.unregister(CLOSE_MS).catch(() => undefined);
  }

  #register(): void {
    this.#state = "registering";
    this.#isVoid = false;
    this.#running = this.#callback.register(CALL_MS).then(
      () => this.#registered(),
      (thrown: unknown) => this.#failed(thrown),
    );
  }

  #registered(): void {
    if (this.#state === "closed") return;
    if (this.#isVoid) {
      this.#retry();
      return;
    }
    const { clock, log, onStanding } = this.#options;
    this.#state = "standing";
    this.#stoodSince = clock.uptime();
    log.info("hns callback registered");
    const isBack = this.#isLost;
    this.#isLost = false;
    onStanding(isBack ? "back" : "first");
  }

  #failed(thrown: unknown): void {
    if (this.#state === "closed") return;
    const { log } = this.#options;
    this.#isLost = true;
    if (thrown instanceof PluginError && thrown.code === "HNS_TIMEOUT") {
      // Each further try could cost a thread; an HNS that was started anew gives this one back.
      this.#state = "hanging";
      log.warn("hns hangs at its callback, its starts are polled", { error: thrown });
      return;
    }
    if (this.#failures <= 1) log.warn("hns callback not registered, its starts are polled", { error: thrown });
    this.#retry();
  }

  #retry(): void {
    this.#state = "waiting";
    const wait = WAITS_MS[Math.min(this.#failures, WAITS_MS.length - 1)] ?? 0;
    this.#failures++;
    this.#timer = setTimeout(() => this.#register(), wait);
  }

  #hear({ isDisconnect, name, data }: HnsNotification): void {
    const { clock, log } = this.#options;
    if (!isDisconnect) {
      log.debug("hns notification", { name, data: data.slice(0, DATA_LENGTH) });
      return;
    }
    this.#isLost = true;
    this.#isVoid = true;
    if (this.#state !== "standing") return;
    log.warn("hns went away");
    if (clock.uptime() - this.#stoodSince >= STOOD_MS) this.#failures = 0;
    this.#retry();
  }

  async #within(ms: number, work: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)));
    await Promise.race([work, timeout]).finally(() => clearTimeout(timer));
  }
}
