import type { Guid } from "../base/ids.ts";
import type { HostConfig } from "../config/plugin-config.ts";
import { heldBy } from "./held-addresses.ts";
import type { Operation } from "./operation.ts";

/** The endpoint that has an address which HNS refused. */
export interface AddressHolder {
  readonly address: string;
  readonly endpoint: Guid;
  readonly name: string;
  /** It stands for an endpoint of another node. */
  readonly isRemote: boolean;
}

/** The addresses that HNS refused in one ADD, each with the endpoint of the network that has it, as far as HNS tells. */
export class Refusals {
  readonly #operation: Operation<HostConfig>;
  readonly #network: Guid;
  readonly #described: string[] = [];
  /** An explanation must not cost the ADD its time twice. */
  #isAnswering = true;

  constructor(operation: Operation<HostConfig>, network: Guid) {
    this.#operation = operation;
    this.#network = network;
  }

  /** For a message: every address with its holder. */
  get text(): string {
    return this.#described.join(", ");
  }

  /** Logs a refusal. One call, whatever the number of endpoints. Never throws: it only explains an error. */
  async add(addresses: readonly string[], tries: number): Promise<void> {
    this.#operation.events.addressesRefused(addresses.length);
    const holders = await this.#findHolders(addresses);
    this.#operation.log.warn("address refused by HNS as in use", { addresses, tries, holders });
    this.#described.push(...addresses.map((address) => describe(address, holders)));
  }

  async #findHolders(addresses: readonly string[]): Promise<AddressHolder[]> {
    if (!this.#isAnswering) return [];
    const { scan, log } = this.#operation;
    try {
      scan.forget();
      const endpoints = (await scan.listEndpoints()).filter(({ network }) => network === undefined || network === this.#network);
      return endpoints.flatMap((endpoint) => {
        const held = heldBy([endpoint]);
        const { id, name, isRemote } = endpoint;
        return addresses.filter((address) => held.has(address)).map((address) => ({ address, endpoint: id, name, isRemote }));
      });
    } catch (thrown) {
      this.#isAnswering = false;
      log.warn("holder of a refused address not found", { addresses, error: thrown });
      return [];
    }
  }
}

function describe(address: string, holders: readonly AddressHolder[]): string {
  const holder = holders.find((entry) => entry.address === address);
  if (holder === undefined) return `${address} (HNS lists no endpoint with it)`;
  return `${address} (${holder.isRemote ? "remote endpoint" : "endpoint"} "${holder.name}", ${holder.endpoint})`;
}
