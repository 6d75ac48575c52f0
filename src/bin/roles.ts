import { appendResult, requireFreeInterface } from "../core/cni/chained-result.ts";
import type { CniHandlers } from "../core/cni/dispatch.ts";
import type { CniRequest } from "../core/cni/request.ts";
import type { ConfigReader } from "../core/config/config-reader.ts";
import { findRole, type OurNames } from "../core/config/our-names.ts";
import { buildDelegatingHandlers, type OpenDelegate } from "./delegating-handlers.ts";
import { buildHandlers, type RunOperation } from "./handlers.ts";
import { buildHnsAddressedHandlers } from "./hns-addressed-handlers.ts";
import { buildIpamHandlers } from "./ipam-handlers.ts";

export interface RoleOptions {
  readonly run: RunOperation;
  /** Names by which configurations may call this program, beside the product's own. */
  readonly names: OurNames;
  readonly readText: (path: string) => string;
  readonly openDelegate: OpenDelegate;
  /** One that remembers, for a program that stays. */
  readonly reader?: ConfigReader;
}

/** As a plugin after others: ADD answers with their result too. For another plugin's IPAM that one does it. */
function inChain(handlers: CniHandlers): CniHandlers {
  return {
    ...handlers,
    add: async (request) => {
      requireFreeInterface(request);
      return appendResult(request.prevResult, await handlers.add(request));
    },
  };
}

/** The handlers for each call by what the configuration makes of this program. */
export function buildRoleHandlers(options: RoleOptions): CniHandlers {
  const plugin = inChain(buildHandlers(options.run, options.names, options.reader));
  const hnsAddressed = inChain(buildHnsAddressedHandlers(options.run, options.names));
  const delegating = inChain(buildDelegatingHandlers(options));
  const ipam = buildIpamHandlers(options.run, options.readText);
  const choose = ({ rawConfig }: CniRequest): CniHandlers => {
    switch (findRole(rawConfig, options.names)) {
      case "ipam":
        return ipam;
      case "delegating":
        return delegating;
      case "hns-addressed":
        return hnsAddressed;
      case "plugin":
        return plugin;
    }
  };
  return {
    add: (request) => choose(request).add(request),
    del: (request) => choose(request).del(request),
    check: (request) => choose(request).check(request),
    gc: (request) => choose(request).gc(request),
    status: (request) => choose(request).status(request),
  };
}
