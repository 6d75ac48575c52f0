import { createServer, type Server, type Socket } from "node:net";
import type { LogFields, Logger } from "../../core/base/log.ts";
import { type RpcHandler, type RpcLimits, ServerConnection } from "./connection.ts";
import { listenAt } from "./listen.ts";

/** A call may take a little longer than the shim waits, so that the shim's own deadline is what usually ends it. */
export const DEFAULT_LIMITS: RpcLimits = { connections: 64, requestMs: 10_000, callMs: 110_000, lingerMs: 5_000 };

export interface RpcServerOptions {
  /** A Unix socket's path or `\\.\pipe\NAME`. */
  readonly path: string;
  readonly handler: RpcHandler;
  readonly limits?: Partial<RpcLimits>;
  /** The protocol version to speak; default PROTOCOL_VERSION. */
  readonly version?: number;
}

/** Serves calls over a pipe, one call a connection. Nothing that a client does or leaves undone reaches other clients. */
export class RpcServer {
  readonly #options: RpcServerOptions;
  readonly #limits: RpcLimits;
  readonly #log: Logger;
  readonly #server: Server;
  readonly #connections = new Set<ServerConnection>();
  #calls = 0;
  #closing: Promise<void> | undefined;
  #endDrain: () => void = () => undefined;

  constructor(options: RpcServerOptions, { log }: { readonly log: Logger }) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#log = log;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = 2 * this.#limits.connections;
    this.#server.on("drop", () => log.warn("connection cut: too many", { limit: this.#server.maxConnections }));
  }

  /** Listens; aborting `signal` later closes the server at once. Throws IO_FAILURE when another server answers at the path. */
  async start(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await listenAt(this.#server, this.#options.path);
    // One connection that fails to be accepted is no reason to end.
    this.#server.on("error", (error) => this.#log.warn("connection not accepted", { error }));
    const stop = (): void => void this.close({ drainMs: 0 });
    signal?.addEventListener("abort", stop, { once: true });
    if (signal?.aborted === true) await this.close({ drainMs: 0 });
    else this.#log.info("listening", { path: this.#options.path });
  }

  /**
   * Takes no further call, lets those under way finish for `drainMs`, then cuts what is left; 0 also hurries an end that is under way. Meanwhile new callers are told "closing": were
   * the place empty already, they would start an engine of their own beside this one. Idempotent.
   */
  close({ drainMs }: { readonly drainMs: number }): Promise<void> {
    if (this.#closing === undefined) this.#closing = this.#drain(drainMs);
    else if (drainMs === 0) this.#endDrain();
    return this.#closing;
  }

  async #drain(drainMs: number): Promise<void> {
    if (drainMs > 0 && this.#connections.size > 0) await this.#waitUntilEmpty(drainMs);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#cutAll();
    await closed;
  }

  #waitUntilEmpty(drainMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, drainMs);
      this.#endDrain = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #cutAll(): void {
    for (const connection of this.#connections) connection.cut();
  }

  #accept(socket: Socket): void {
    const refusal = this.#closing !== undefined ? "closing" : this.#calls >= this.#limits.connections ? "busy" : undefined;
    const isCall = refusal === undefined;
    if (isCall) this.#calls += 1;
    else this.#log.warn("call refused", { reason: refusal });
    const { handler, version } = this.#options;
    const connection = new ServerConnection(socket, {
      handler,
      limits: this.#limits,
      ...(version === undefined ? {} : { version }),
      report: (message: string, fields: LogFields) => this.#log.warn(message, fields),
      onEnd: () => {
        if (isCall) this.#calls -= 1;
        this.#connections.delete(connection);
        if (this.#connections.size === 0) this.#endDrain();
      },
    });
    this.#connections.add(connection);
    if (refusal === undefined) connection.serve();
    else connection.refuse(refusal);
  }
}
