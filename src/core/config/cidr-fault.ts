import { findAddressWithPrefix, findCidr, formatCidr, networkOf } from "../base/ip.ts";
import { buildFault, type Fault } from "./faults.ts";

/** What is wrong with `text` as a network; undefined when nothing is. */
export function findCidrFault(text: string, path: string): Fault | undefined {
  const parsed = findAddressWithPrefix(text);
  if (parsed === undefined) return buildFault(path, text, "is no network in CIDR form");
  if (findCidr(text) !== undefined) return undefined;
  const network = formatCidr(networkOf(parsed.address, parsed.prefix));
  return buildFault(path, text, "has host bits set", `write the network address, "${network}"`);
}
