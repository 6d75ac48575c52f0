import { PluginError } from "../base/errors.ts";
import type { Guid } from "../base/ids.ts";
import { type EndpointView, parseEndpoint } from "../hcn/documents.ts";
import { type EndpointSummary, parseEndpointList } from "../hcn/documents-v1.ts";
import { isNotFound } from "../hcn/hresults.ts";
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
      found.push(summarise(parseEndpoint(await this.#hcn.describe("endpoint", id))));
    }
    return found;
  }

  /**
   * As listEndpoints, asked anew and made sure of: what the version 2 enumeration names and the version 1 list lacks is looked at by
   * itself. Two calls, and three for each endpoint that is missing in the list. Throws when HNS does not tell all.
   */
  async listSurely(): Promise<EndpointSummary[]> {
    this.forget();
    const ids = await this.#hcn.enumerate("endpoint", {}); // first: what is made between the two calls is then in the list
    const listed = await this.listEndpoints();
    const known = new Set(listed.map(({ id }) => id));
    const found: EndpointSummary[] = [...listed];
    for (const id of ids) {
      if (known.has(id)) continue;
      try {
        found.push(summarise(parseEndpoint(await this.#hcn.describe("endpoint", id))));
      } catch (thrown) {
        if (!isNotFound(thrown)) throw thrown;
      }
    }
    return found;
  }

  /** What was asked is out of date. */
  forget(): void {
    this.#network = undefined;
    this.#endpoints = undefined;
  }
}

function summarise({ id, name, network, addresses, mac, namespace, isRemote }: EndpointView): EndpointSummary {
  const { address = "", prefixLength } = addresses[0] ?? {};
  return { id, name, network, address, prefixLength, mac, namespace, isRemote };
}
