import { addressAt, type Cidr, cidrSize, findCidr, findIp, formatCidr, formatIp, offsetIn } from "../../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import { PLUGIN_KEYS } from "../generated/plugin-shape.ts";
import type { Draft, Place } from "./draft.ts";
import type { IpamTraits } from "./gateway.ts";
import { GIVE_RANGE, isCidr } from "./ranges.ts";

/** The first address that pods may have beside HNS's gateway and the node's endpoint. */
export const FIRST_FOR_PODS = 3;

/** A range as a pool of this plugin has it. */
export interface Pool {
  readonly cidr: string;
  /** What of `cidr` lies beside the range; addresses that are kept back anyway are not named. */
  readonly exclude: readonly string[];
  /** host-local's gateway, its default included. */
  readonly gateway: string;
}

interface RangePlace {
  readonly path: string;
  readonly raw: JsonObject;
}

/** Whether this build's configuration has several pools. */
export function hasPools(): boolean {
  return (PLUGIN_KEYS["ipam"] ?? []).includes("pools");
}

/** The ranges of a host-local section whose keys are in their documented case; what cannot be a pool goes into the draft's faults. */
export function readPools(path: string, ipam: JsonObject, { traits, draft }: { traits: IpamTraits; draft: Draft }): Pool[] {
  const before = draft.faults.length;
  const sets = [...(ipam["subnet"] === undefined ? [] : [[{ path, raw: ipam }]]), ...findSets(path, ipam["ranges"], draft)];
  const pools = sets.flat().flatMap((place) => readPool(place, traits, draft));
  if (draft.faults.length === before) refuseSets({ path: `${path}.ranges`, value: ipam["ranges"] }, sets, draft);
  return draft.faults.length === before ? pools : [];
}

/** `ranges`: each set gives a pod one address. */
function findSets(path: string, sets: unknown, draft: Draft): RangePlace[][] {
  if (sets === undefined) return [];
  const remedy = 'write a list of lists of ranges, such as [[{"subnet": "10.244.3.0/24"}]]';
  if (!Array.isArray(sets)) {
    draft.fault({ path: `${path}.ranges`, value: sets }, "must be a list", remedy);
    return [];
  }
  return sets.map((set: unknown, at) => {
    const list: readonly unknown[] = Array.isArray(set) ? set : [];
    const objects = list.filter(isJsonObject);
    if (list.length === 0 || objects.length < list.length)
      draft.fault({ path: `${path}.ranges[${at}]`, value: set }, "must be a list of ranges that is not empty", remedy);
    return objects.map((raw, index) => ({ path: `${path}.ranges[${at}][${index}]`, raw }));
  });
}

/** A pod gets one address of each family, so no two sets may have the same. */
function refuseSets(place: Place, sets: readonly (readonly RangePlace[])[], draft: Draft): void {
  const families = sets.map((set) => set.map(({ raw }) => (String(findField(raw, "subnet")).includes(":") ? 6 : 4)));
  const kinds = families.map((set) => set[0]);
  if (families.some((set) => new Set(set).size > 1) || new Set(kinds).size < kinds.length)
    draft.fault(place, "gives a pod two addresses of one family", "leave one set for each address family; subnet is one of its own");
  else if (!hasPools() && sets.flat().length > 1)
    draft.fault(place, "names several ranges, and this version has one", "leave one range, or keep host-local");
}

function readPool({ path, raw }: RangePlace, traits: IpamTraits, draft: Draft): Pool[] {
  const subnet = findField(raw, "subnet");
  const cidr = isCidr(subnet) ? findCidr(subnet) : undefined;
  if (cidr === undefined) {
    draft.fault({ path: `${path}.subnet`, value: subnet }, "is no network in CIDR form", GIVE_RANGE);
    return [];
  }
  const gateway = findField(raw, "gateway");
  const ip = typeof gateway === "string" && gateway !== "" ? findIp(gateway) : addressAt(cidr, 1);
  if (ip === undefined)
    draft.fault({ path: `${path}.gateway`, value: gateway }, "is no IP address", "write the address of the pods' gateway");
  const exclude = findExcluded(cidr, { path, raw }, { traits, draft });
  return ip === undefined ? [] : [{ cidr: formatCidr(cidr), exclude, gateway: formatIp(ip) }];
}

function findExcluded(cidr: Cidr, { path, raw }: RangePlace, { traits, draft }: { traits: IpamTraits; draft: Draft }): string[] {
  if (cidr.address.family === 6) {
    for (const key of ["rangeStart", "rangeEnd"])
      if (findField(raw, key) !== undefined) draft.decide(`${path}.${key}`, "write the rest of the IPv6 range into exclude of its pool");
    return [];
  }
  const end = cidrSize(cidr) - 1;
  const readOffset = (key: string, fallback: number): number => {
    const text = findField(raw, key);
    if (text === undefined || text === "") return fallback;
    const address = typeof text === "string" ? findIp(text) : undefined;
    const offset = address === undefined ? undefined : offsetIn(cidr, address);
    if (offset === undefined)
      draft.fault({ path: `${path}.${key}`, value: text }, `is no address of ${formatCidr(cidr)}`, "write an address of the subnet");
    return offset ?? fallback;
  };
  const low = traits.isGatewayFromIpam ? 1 : FIRST_FOR_PODS;
  const [first, last] = [readOffset("rangeStart", 1), readOffset("rangeEnd", end - 1)];
  if (first > last)
    draft.fault(
      { path: `${path}.rangeStart`, value: findField(raw, "rangeStart") },
      "lies behind rangeEnd",
      "write a start that is not above rangeEnd",
    );
  return [...formatPart(cidr, low, first - 1), ...formatPart(cidr, last + 1, end - 1)];
}

function formatPart(cidr: Cidr, from: number, to: number): string[] {
  return from > to ? [] : [`${formatIp(addressAt(cidr, from))}-${formatIp(addressAt(cidr, to))}`];
}
