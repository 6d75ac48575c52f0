import { PluginError } from "../base/errors.ts";
import type { HcnKind } from "../hcn/backend.ts";
import { isNotFound } from "../hcn/hresults.ts";
import type { HcnSession } from "../hcn/session.ts";

/** Everything that HNS holds, as HNS wrote it. */
export interface NodeDocuments {
  readonly networks: readonly unknown[];
  readonly endpoints: readonly unknown[];
  readonly namespaces: readonly unknown[];
  readonly loadBalancers: readonly unknown[];
  readonly sdnRoutes: readonly unknown[];
  /** The version 1 list of endpoints, which alone tells what the host itself uses; undefined where HNS refuses it. */
  readonly endpointsV1: unknown;
  /** What HNS would not tell; each a sentence. */
  readonly warnings: readonly string[];
}

/**
 * Reads the node from HNS: three calls an object and six more. What goes away while it is read is left out. Throws what the session
 * throws; only what some versions of Windows lack (load balancers, routes, the version 1 list) becomes a warning.
 */
export async function readNode(hcn: HcnSession): Promise<NodeDocuments> {
  const warnings: string[] = [];
  const optional = async <T>(what: string, absent: T, read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (thrown) {
      if (!isRefused(thrown)) throw thrown;
      warnings.push(`HNS did not tell its ${what}: ${thrown.message}`);
      return absent;
    }
  };
  return {
    networks: await describeAll(hcn, "network"),
    endpoints: await describeAll(hcn, "endpoint"),
    namespaces: await describeAll(hcn, "namespace"),
    loadBalancers: await optional("load balancers", [], () => describeAll(hcn, "loadBalancer")),
    sdnRoutes: await optional("routes", [], () => describeAll(hcn, "sdnRoute")),
    endpointsV1: await optional("version 1 endpoints", undefined, () => hcn.callV1({ method: "GET", path: "/endpoints/" })),
    warnings,
  };
}

async function describeAll(hcn: HcnSession, kind: HcnKind): Promise<unknown[]> {
  const found: unknown[] = [];
  for (const id of await hcn.enumerate(kind, {})) {
    try {
      found.push(await hcn.describe(kind, id));
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  }
  return found;
}

/** HNS answered with an error, or this Windows does not export the function: then there is no HRESULT. */
function isRefused(thrown: unknown): thrown is PluginError {
  if (!(thrown instanceof PluginError)) return false;
  return thrown.code === "HNS_REFUSED" || (thrown.code === "HNS_UNAVAILABLE" && thrown.data.hresult === undefined);
}
