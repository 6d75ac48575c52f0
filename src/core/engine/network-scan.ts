import type { Guid } from "../base/ids.ts";
import { type EndpointSummary, parseEndpointList } from "../hcn/documents-v1.ts";
import type { HcnSession } from "../hcn/session.ts";

/** What HNS has under a network's name, asked at most once an operation. */
export class NetworkScan {
  readonly #hcn: HcnSession;
  readonly #name: string;
  #network: Promise<Guid | undefined> | undefined;
  #endpoints: Promise<EndpointSummary[]> | undefined;

  constructor(hcn: HcnSession, name: string) {
    this.#hcn = hcn;
    this.#name = name;
  }

  /** The id of the network; undefined when HNS has none of the name. */
  findNetwork(): Promise<Guid | undefined> {
    this.#network ??= this.#hcn.enumerate("network", { Name: this.#name }).then((ids) => ids[0]);
    return this.#network;
  }

  /** Every endpoint of the node, in one call. */
  listEndpoints(): Promise<EndpointSummary[]> {
    this.#endpoints ??= this.#hcn.callV1({ method: "GET", path: "/endpoints/" }).then(parseEndpointList);
    return this.#endpoints;
  }

  /** What was asked is out of date. */
  forget(): void {
    this.#network = undefined;
    this.#endpoints = undefined;
  }
}
