import { findIp, formatIp } from "../base/ip.ts";
import type { EndpointSummary } from "../hcn/documents-v1.ts";
import type { NetworkScan } from "./network-scan.ts";

/** The addresses that endpoints of the node have now, as we write them. One call to HNS, where it has the version 1 list. */
export async function listHeldAddresses(scan: NetworkScan): Promise<ReadonlySet<string>> {
  scan.forget();
  return heldBy(await scan.listEndpoints());
}

/** The addresses of both families that the endpoints have, as we write them. */
export function heldBy(endpoints: readonly EndpointSummary[]): ReadonlySet<string> {
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses.map((text) => findIp(text)));
  return new Set(addresses.flatMap((address) => (address === undefined ? [] : [formatIp(address)])));
}
