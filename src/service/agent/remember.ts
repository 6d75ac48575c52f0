import type { CniHandlers } from "../../core/cni/dispatch.ts";
import { rememberRequest } from "../../core/engine/request-memory.ts";
import type { StateStore } from "../../core/engine/store.ts";

export interface RememberOptions {
  readonly nodeName: string;
  /** The name by which the runtime called this program. */
  readonly program: string;
  /** Is told what is to be written once the ADD stands, before it is answered. */
  readonly onAdd: (remember: (store: StateStore) => void) => void;
}

/** The handlers, with each ADD kept for the reconciler. A DEL forgets it with the attachment. */
export function rememberAdds(handlers: CniHandlers, { nodeName, program, onAdd }: RememberOptions): CniHandlers {
  return {
    ...handlers,
    add: (request) => {
      const { networkName: network, containerId, ifname, rawConfig } = request;
      const call = { key: { network, containerId, ifname }, nodeName, rawConfig, program };
      onAdd((store) => store.transaction((tx) => rememberRequest(tx, call)));
      return handlers.add(request);
    },
  };
}
