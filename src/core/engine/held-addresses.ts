import { findIp, formatIp } from "../base/ip.ts";
import type { NetworkScan } from "./network-scan.ts";

/** The addresses that endpoints of the node have now, as we write them. One call to HNS, where it has the version 1 list. */
export async function listHeldAddresses(scan: NetworkScan): Promise<ReadonlySet<string>> {
  scan.forget();
  const endpoints = await scan.listEndpoints();
  const addresses = endpoints.flatMap((endpoint) => endpoint.addresses.map((text) => findIp(text)));
  return new Set(addresses.flatMap((address) => (address === undefined ? [] : [formatIp(address)])));
}
