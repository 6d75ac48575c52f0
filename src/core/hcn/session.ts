import { type Clock, type Deadline, remaining } from "../base/async.ts";
import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import type { Logger } from "../base/log.ts";
import type { HcnBackend, HcnCallOptions, HcnFilter, HcnHandle, HcnKind } from "./backend.ts";

export interface HcnSessionOptions {
  readonly backend: HcnBackend;
  readonly clock: Clock;
  readonly log: Logger;
  /** Longest wait for one call, milliseconds. */
  readonly callTimeoutMs: number;
  /** When the whole operation must be over. */
  readonly deadline: Deadline;
}

/** A handle is closed even when the operation's time is over; this is how long that may take at least. */
const CLOSE_FLOOR_MS = 2_000;

/**
 * HNS within one operation: every call gets the shorter of its own deadline and what the operation has left, may wait for its turn as long as that, is
 * logged with its time, and handles are closed on every path.
 */
export class HcnSession {
  readonly #options: HcnSessionOptions;

  constructor(options: HcnSessionOptions) {
    this.#options = options;
  }

  enumerate(kind: HcnKind, filter: HcnFilter): Promise<Guid[]> {
    return this.#call(`enumerate ${kind}`, filter, (options) => this.#options.backend.enumerate(kind, filter, options));
  }

  open(kind: HcnKind, id: Guid): Promise<HcnHandle> {
    return this.#call(`open ${kind}`, { id }, (options) => this.#options.backend.open(kind, id, options));
  }

  createNetwork(id: Guid, document: object): Promise<HcnHandle> {
    return this.#call("create network", { id }, (options) => this.#options.backend.createNetwork(id, document, options));
  }

  createEndpoint(network: HcnHandle, id: Guid, document: object): Promise<HcnHandle> {
    return this.#call("create endpoint", { id }, (options) => this.#options.backend.createEndpoint(network, id, document, options));
  }

  query(handle: HcnHandle): Promise<unknown> {
    return this.#call(`query ${handle.kind}`, {}, (options) => this.#options.backend.query(handle, options));
  }

  modify(handle: HcnHandle, request: object): Promise<void> {
    return this.#call(`modify ${handle.kind}`, {}, (options) => this.#options.backend.modify(handle, request, options));
  }

  delete(kind: HcnKind, id: Guid): Promise<void> {
    return this.#call(`delete ${kind}`, { id }, (options) => this.#options.backend.delete(kind, id, options));
  }

  callV1(request: Parameters<HcnBackend["callV1"]>[0]): Promise<unknown> {
    const { method, path } = request;
    return this.#call(`${method} ${path}`, {}, (options) => this.#options.backend.callV1(request, options));
  }

  /** Closes a handle. A close that fails is logged and not thrown: the work it ends has its own outcome. */
  async close(handle: HcnHandle): Promise<void> {
    try {
      const { backend, clock, callTimeoutMs, deadline } = this.#options;
      const deadlineMs = Math.min(callTimeoutMs, Math.max(remaining(clock, deadline), CLOSE_FLOOR_MS));
      await backend.close(handle, { deadlineMs });
    } catch (thrown) {
      this.#options.log.warn("handle not closed", { kind: handle.kind, error: thrown });
    }
  }

  /** Opens an object, gives its handle to `work`, and closes it whatever happens. */
  async withHandle<T>(handle: Promise<HcnHandle>, work: (handle: HcnHandle) => Promise<T>): Promise<T> {
    const opened = await handle;
    try {
      return await work(opened);
    } finally {
      await this.close(opened);
    }
  }

  /** The properties of one object. Three calls. */
  describe(kind: HcnKind, id: Guid): Promise<unknown> {
    return this.withHandle(this.open(kind, id), (handle) => this.query(handle));
  }

  async #call<T>(name: string, fields: object, run: (options: HcnCallOptions) => Promise<T>): Promise<T> {
    const { clock, log, callTimeoutMs, deadline } = this.#options;
    const left = remaining(clock, deadline);
    if (left <= 0) throw outOfTime(name);
    const start = clock.uptime();
    try {
      const answer = await run({ deadlineMs: Math.min(callTimeoutMs, left), waitMs: left });
      log.debug("hcn call", { call: name, ...fields, ms: clock.uptime() - start });
      return answer;
    } catch (thrown) {
      log.debug("hcn call failed", { call: name, ...fields, ms: clock.uptime() - start, error: thrown });
      throw thrown;
    }
  }
}

function outOfTime(name: string): PluginError {
  const data = { message: `no time left for "${name}"`, remedy: "HNS is slow: see the log for the time of each call; try again" };
  return new PluginError("OPERATION_TIMEOUT", data, { retryable: true });
}
