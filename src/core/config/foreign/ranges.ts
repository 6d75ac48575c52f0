import { findAddressWithPrefix, findCidr, findIp, formatCidr, networkOf, width } from "../../base/ip.ts";
import type { Draft, Place, RangeClaim } from "./draft.ts";
import { translate, type Rule } from "./rules.ts";

/** The remedy where nobody says which range the node has. */
export const GIVE_RANGE = "give the node's pod range with --cidr, such as --cidr 10.244.3.0/24";

export type RangeKey = "clusterCidrs" | "serviceCidrs";

/** One network in canonical form; a single address is a network of its own, host bits are cut off. Undefined when it is neither. */
export function readNetwork(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  const text = value.trim();
  const single = findIp(text);
  if (single !== undefined) return formatCidr(networkOf(single, width(single.family)));
  const parsed = findAddressWithPrefix(text);
  return parsed === undefined ? undefined : formatCidr(networkOf(parsed.address, parsed.prefix));
}

/** A list of texts, or one text with commas, as networks. Faults go into the draft; what is left comes back. */
export function readNetworks(place: Place, draft: Draft): RangeClaim[] {
  const remedy = 'write networks in CIDR form, such as "10.244.0.0/16"';
  if (typeof place.value === "string") {
    const texts = place.value.split(",").filter((text) => text.trim() !== "");
    return texts.flatMap((value) => readClaim({ path: place.path, value }, draft, remedy));
  }
  if (Array.isArray(place.value)) {
    return place.value.flatMap((value: unknown, index) => readClaim({ path: `${place.path}[${index}]`, value }, draft, remedy));
  }
  draft.fault(place, "must be a list of networks", remedy);
  return [];
}

function readClaim(place: Place, draft: Draft, remedy: string): RangeClaim[] {
  const cidr = readNetwork(place.value);
  if (cidr === undefined) draft.fault(place, "is no network in CIDR form", remedy);
  return cidr === undefined ? [] : [{ cidr, path: place.path }];
}

/** A network, several with commas, or a list of them, for one of our lists. */
export function rangeList(key: RangeKey, remark: string): Rule {
  return translate(key, remark, (place, draft) => {
    const cidrs = readNetworks(place, draft).map(({ cidr }) => cidr);
    addRanges(key, cidrs, draft);
    if (cidrs.length === 0) draft.drop(place.path, "empty means none");
    else draft.note(place.path, "translated", { to: key, text: cidrs.join(", ") });
  });
}

/** Adds networks to a list that the source may have filled already. */
export function addRanges(key: RangeKey, cidrs: readonly string[], draft: Draft): void {
  const before = draft.get(key);
  const known: readonly unknown[] = Array.isArray(before) ? before : [];
  const fresh = [...new Set(cidrs)].filter((cidr) => !known.includes(cidr));
  if (fresh.length > 0) draft.append(key, ...fresh);
}

/** Whether `value` is a network as this plugin wants it. */
export function isCidr(value: unknown): value is string {
  return typeof value === "string" && findCidr(value) !== undefined;
}
