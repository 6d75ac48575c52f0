import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

/** Whether the agent can serve the next ADD; `reason` says why not. */
export interface Readiness {
  readonly isReady: boolean;
  readonly reason?: string;
}

export interface HttpOptions {
  /** Loopback only: the metrics name networks and pools. */
  readonly port: number;
  readonly registry: Registry;
  readonly readiness: () => Readiness;
}

const HOST = "127.0.0.1";
const REQUEST_MS = 5_000;

/** /metrics, /healthz and /readyz on the loopback address. */
export class AgentHttp {
  readonly #options: HttpOptions;
  readonly #server: Server;

  constructor(options: HttpOptions) {
    this.#options = options;
    this.#server = createServer((request, response) => void this.#answer(request, response));
    this.#server.requestTimeout = REQUEST_MS;
    this.#server.headersTimeout = REQUEST_MS;
  }

  /** Returns the port, which is chosen by the system when the configured one is 0. Throws the system's error when it is taken. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port, HOST, () => resolve((this.#server.address() as AddressInfo).port));
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  async #answer({ method, url }: IncomingMessage, response: ServerResponse): Promise<void> {
    if (method !== "GET" && method !== "HEAD") return send(response, 405, "only GET is answered\n");
    switch (url?.split("?")[0]) {
      case "/metrics":
        return send(response, 200, await this.#options.registry.metrics(), this.#options.registry.contentType);
      case "/healthz":
        return send(response, 200, "ok\n");
      case "/readyz": {
        const { isReady, reason } = this.#options.readiness();
        return send(response, isReady ? 200 : 503, isReady ? "ready\n" : `not ready: ${reason ?? "starting"}\n`);
      }
      default:
        return send(response, 404, "there are /metrics, /healthz and /readyz\n");
    }
  }
}

function send(response: ServerResponse, status: number, body: string, type = "text/plain; charset=utf-8"): void {
  response.writeHead(status, { "content-type": type, "content-length": Buffer.byteLength(body) });
  response.end(body);
}
