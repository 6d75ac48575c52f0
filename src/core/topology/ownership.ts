import type { Guid } from "../base/ids.ts";
import type { NetworkView } from "../hcn/documents.ts";
import type { StateStore } from "../engine/store.ts";

/** ours: this plugin made it · adopted: somebody else made it and this plugin uses it · foreign: neither · unknown: there is no state. */
export type Owner = "ours" | "adopted" | "foreign" | "unknown";

/** The attachment that an endpoint belongs to. */
export interface Pod {
  readonly containerId: string;
  readonly ifname: string;
}

/** What the node's state says of HNS's objects. */
export interface Ownership {
  /** Networks that this plugin uses, by id. */
  readonly networks: ReadonlyMap<Guid, Exclude<Owner, "foreign" | "unknown">>;
  /** Attachments, by their endpoint. */
  readonly pods: ReadonlyMap<Guid, Pod>;
}

/** What the state knows of `networks`. Throws STATE_FAILURE when it cannot be read. */
export function readOwnership(store: StateStore, networks: readonly Pick<NetworkView, "id" | "name">[]): Ownership {
  return store.read((tx) => {
    const owners = new Map<Guid, "ours" | "adopted">();
    const pods = new Map<Guid, Pod>();
    for (const { id, name } of networks) {
      const record = tx.findNetwork(name);
      if (record?.id === id) owners.set(id, record.isOurs ? "ours" : "adopted");
      for (const { endpoint, containerId, ifname, phase } of tx.listAttachments({ network: name })) {
        if (phase !== "gone") pods.set(endpoint, { containerId, ifname });
      }
    }
    return { networks: owners, pods };
  });
}
