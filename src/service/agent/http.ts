import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** What is served at /metrics. */
export interface MetricPage {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** Whether the agent can serve the next ADD; `reason` says why not. */
export interface Readiness {
  readonly isReady: boolean;
  readonly reason?: string;
}

export interface HttpOptions {
  /** Loopback only: the metrics name networks and pools. */
  readonly port: number;
  readonly registry: MetricPage;
  readonly readiness: () => Readiness;
}

interface Answer {
  readonly status: number;
  readonly body: string;
  readonly type?: string;
}

const NOT_ALLOWED: Answer = { status: 405, body: "only GET is answered\n" };
const TEXT = "text/plain; charset=utf-8";
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
    const { status, body, type } = method === "GET" || method === "HEAD" ? await this.#read(url?.split("?")[0]) : NOT_ALLOWED;
    response.writeHead(status, { "content-type": type ?? TEXT, "content-length": Buffer.byteLength(body) });
    response.end(body);
  }

  async #read(path: string | undefined): Promise<Answer> {
    switch (path) {
      case "/metrics":
        return { status: 200, body: await this.#options.registry.metrics(), type: this.#options.registry.contentType };
      case "/healthz":
        return { status: 200, body: "ok\n" };
      case "/readyz": {
        const { isReady, reason } = this.#options.readiness();
        return isReady ? { status: 200, body: "ready\n" } : { status: 503, body: `not ready: ${reason ?? "starting"}\n` };
      }
      default:
        return { status: 404, body: "there are /metrics, /healthz and /readyz\n" };
    }
  }
}
