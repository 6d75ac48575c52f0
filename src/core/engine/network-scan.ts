import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { parseEndpoint } from "../hcn/documents.ts";
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

  /** Every endpoint of the node. One call; where HNS refuses the version 1 list, one and three for each endpoint. */
  listEndpoints(): Promise<EndpointSummary[]> {
    this.#endpoints ??= this.#listEndpoints();
    return this.#endpoints;
  }

  async #listEndpoints(): Promise<EndpointSummary[]> {
    try {
      return parseEndpointList(await this.#hcn.callV1({ method: "GET", path: "/endpoints/" }));
    } catch (thrown) {
      if (thrown instanceof PluginError && thrown.code === "HNS_REFUSED") return this.#describeEndpoints();
      throw thrown;
    }
  }

  async #describeEndpoints(): Promise<EndpointSummary[]> {
    const found: EndpointSummary[] = [];
    for (const id of await this.#hcn.enumerate("endpoint", {})) {
      const { name, network, addresses, mac, namespace } = parseEndpoint(await this.#hcn.describe("endpoint", id));
      const { address = "", prefixLength } = addresses[0] ?? {};
      found.push({ id, name, network, address, prefixLength, addresses: addresses.map((entry) => entry.address), mac, namespace });
    }
    return found;
  }

  /** What was asked is out of date. */
  forget(): void {
    this.#network = undefined;
    this.#endpoints = undefined;
  }
}
