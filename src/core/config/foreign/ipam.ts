import { addressAt, type Cidr, cidrSize, findCidr, findIp, formatCidr, formatIp } from "../../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import { type HostLocalPool, RANGE_KEYS, readHostLocal } from "../host-local.ts";
import type { Fault } from "../faults.ts";
import { PRODUCT_TYPE } from "../our-names.ts";
import { isCidr, type Draft, type Place } from "./draft.ts";
import { addRoute, settleGateway } from "./gateway.ts";
import { keepAs, translate, type Rule } from "./rules.ts";

/** IPAM plugins that only work with the plugin they came with, and why. */
const BOUND: ReadonlyMap<string, string> = new Map([
  ["azure-cns", "it is a service of Azure's, which only azure-vnet asks"],
  ["calico-ipam", "it needs Calico's own keys beside ipam"],
]);

const GIVE_RANGE = "give the node's pod range with --cidr, such as --cidr 10.244.3.0/24";

/** The first address that pods may have beside HNS's gateway and the node's endpoint. */
const FIRST_FOR_PODS = 3;

export interface IpamTraits {
  /** The IPAM plugin's gateway, or HNS's, is the pods'; else they have the node's endpoint (.2). */
  readonly isGatewayFromIpam: boolean;
}

/** The `ipam` section, in its three cases: ours, another plugin's that stays, and one that becomes ours. */
export function ipamSection(traits: IpamTraits): Rule {
  return translate("ipam", "see Addresses above", (place, draft) => translateIpam(place, traits, draft));
}

/** As `ipamSection`, for an object that a source implies or leaves out. */
export function translateIpam(place: Place, traits: IpamTraits, draft: Draft): void {
  const { path, value: ipam } = place;
  if (!isJsonObject(ipam)) {
    draft.fault(place, "must be an object", 'write such as {"type": "host-local", "subnet": "10.244.3.0/24"}');
    return;
  }
  const type = findField(ipam, "type") ?? "";
  if (typeof type !== "string") draft.fault({ path: `${path}.type`, value: type }, "must be a text", "write the IPAM plugin's file name");
  else if (type.toLowerCase() === PRODUCT_TYPE) keepAs("ipam", place, draft);
  else if (type === "host-local") translateHostLocal(path, ipam, { draft, traits });
  else if (type !== "" && !BOUND.has(type) && draft.options.ipam === "keep") keepDelegate(place, type, { draft, traits });
  else takeOver(path, ipam, { draft, traits });
}

interface Work {
  readonly draft: Draft;
  readonly traits: IpamTraits;
}

function keepDelegate(place: Place, type: string, { draft, traits }: Work): void {
  draft.set("ipam", place.value);
  draft.note(place.path, "kept", { to: "ipam", text: `${type} is asked as before; it gets the converted configuration on stdin` });
  const { cidr } = draft.options;
  if (cidr !== undefined) draft.add("subnet", cidr, "the range of --cidr");
  if (traits.isGatewayFromIpam) addGatewayMode(draft);
}

function addGatewayMode(draft: Draft): void {
  if (draft.get("gatewayMode") === undefined) draft.add("gatewayMode", "ipam", "the pods' gateway was the IPAM plugin's");
}

function translateHostLocal(path: string, ipam: JsonObject, work: Work): void {
  const { draft, traits } = work;
  const document = withRange(path, canonicalise(ipam), draft);
  const { subnet } = document;
  if (subnet === undefined && document["ranges"] === undefined) draft.faults.push(missingRange(path));
  else if (subnet !== undefined && !isCidr(subnet)) draft.fault({ path: `${path}.subnet`, value: subnet }, "is no network in CIDR form", GIVE_RANGE);
  else if (draft.options.ipam === "ours") takePool(path, document, work);
  else {
    draft.set("ipam", keepStartFree(document, traits, draft));
    draft.note(path, "kept", { to: "ipam", text: "host-local is asked as before; --ipam ours makes its range a pool of this plugin" });
    if (traits.isGatewayFromIpam) addGatewayMode(draft);
  }
}

/** The section with host-local's keys in their documented case. */
function canonicalise(ipam: JsonObject): JsonObject {
  const known: readonly string[] = [...RANGE_KEYS, "ranges", "routes", "dataDir", "resolvConf", "type"];
  const entries = Object.entries(ipam).map(([key, value]): [string, unknown] => {
    return [known.find((one) => one.toLowerCase() === key.toLowerCase()) ?? key, value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

/** The range that the command names comes before the source's. */
function withRange(path: string, document: JsonObject, draft: Draft): JsonObject {
  const { cidr } = draft.options;
  if (cidr === undefined) return document;
  const replaced = ["subnet", "rangeStart", "rangeEnd", "gateway", "ranges"].filter((key) => document[key] !== undefined);
  for (const key of replaced) draft.drop(`${path}.${key}`, `--cidr ${cidr} was given`);
  return { ...Object.fromEntries(Object.entries(document).filter(([key]) => !replaced.includes(key))), subnet: cidr };
}

/** host-local begins at .1 or .2; .2 is the node's endpoint here, and this plugin refuses it for a pod. */
function keepStartFree(document: JsonObject, traits: IpamTraits, draft: Draft): JsonObject {
  if (traits.isGatewayFromIpam) return document;
  const start = findStart(document);
  if (start !== undefined) {
    noteStart("ipam.rangeStart", draft);
    return { ...document, rangeStart: start };
  }
  const sets: unknown = document["ranges"];
  if (!Array.isArray(sets)) return document;
  const ranges = sets.map((set: unknown, at) => {
    if (!Array.isArray(set)) return set;
    return set.map((range: unknown, index) => {
      const found = isJsonObject(range) ? findStart(range) : undefined;
      if (!isJsonObject(range) || found === undefined) return range;
      noteStart(`ipam.ranges[${at}][${index}].rangeStart`, draft);
      return { ...range, rangeStart: found };
    });
  });
  return { ...document, ranges };
}

/** Where a range of IPv4 without a start is to begin. */
function findStart(range: JsonObject): string | undefined {
  const subnet = findField(range, "subnet");
  const cidr = typeof subnet === "string" ? findCidr(subnet) : undefined;
  if (cidr?.address.family !== 4 || findField(range, "rangeStart") !== undefined) return undefined;
  return formatIp(addressAt(cidr, FIRST_FOR_PODS));
}

function noteStart(path: string, draft: Draft): void {
  draft.note(path, "added", { to: path, text: ".1 is HNS's and .2 the node's endpoint: pods begin behind them" });
}

/** host-local's range as a pool of ours. */
function takePool(path: string, document: JsonObject, { draft, traits }: Work): void {
  const faults: typeof draft.faults = [];
  const pool = readHostLocal(document, faults);
  draft.faults.push(...faults.map((fault) => ({ ...fault, path: fault.path.replace(/^ipam/, path) })));
  if (pool === undefined) return;
  const exclude = findExcluded(pool, traits);
  draft.set("ipam", { type: PRODUCT_TYPE, cidr: formatCidr(pool.cidr), ...(exclude.length > 0 && { exclude }) });
  draft.note(path, "translated", { to: "ipam", text: "host-local's range is a pool of this plugin" });
  if (traits.isGatewayFromIpam) settleGateway({ address: formatIp(pool.gateway), path: `${path}.gateway` }, draft);
  noteHostLocalKeys(path, document, draft);
}

/** The parts of the subnet beside the range, as `ipam.exclude` has them. What is kept back anyway is not named. */
function findExcluded({ cidr, first, last }: HostLocalPool, { isGatewayFromIpam }: IpamTraits): string[] {
  const low = isGatewayFromIpam ? 1 : FIRST_FOR_PODS;
  const end = cidrSize(cidr) - 1;
  const part = (from: number, to: number): string[] => {
    return from > to ? [] : [`${formatIp(addressAt(cidr, from))}-${formatIp(addressAt(cidr, to))}`];
  };
  return [...part(low, first - 1), ...part(last + 1, end - 1)];
}

function noteHostLocalKeys(path: string, document: JsonObject, draft: Draft): void {
  for (const [key, value] of Object.entries(document)) {
    const at = `${path}.${key}`;
    if (key === "dataDir") draft.drop(at, `hns-cni ipam import takes its addresses over: --from host-local`);
    else if (key === "resolvConf") draft.decide(at, "write the name servers into dns");
    else if (key === "routes") translateRoutes({ path: at, value }, undefined, draft);
    else if (!["type", "subnet", "rangeStart", "rangeEnd", "gateway", "ranges"].includes(key))
      draft.drop(at, "neither plugin knows this key");
  }
}

/** The default route is gatewayMode's; the others go on as additionalRoutes. The one at `taken` has been settled. */
function translateRoutes(place: Place, taken: string | undefined, draft: Draft): void {
  const list: readonly unknown[] = Array.isArray(place.value) ? place.value : [place.value];
  if (list.length === 0) draft.drop(place.path, "empty");
  for (const [index, value] of list.entries()) {
    const path = `${place.path}[${index}]`;
    if (path === taken) continue;
    const dst = isJsonObject(value) ? findField(value, "dst") : undefined;
    const gw = isJsonObject(value) ? findField(value, "gw") : undefined;
    if (dst === "0.0.0.0/0" || dst === "::/0") draft.drop(path, "the default route is gatewayMode's");
    else if (dst === undefined && typeof gw === "string") draft.drop(path, "the network's gateway; see gatewayMode");
    else addRoute({ path, value }, draft);
  }
}

/** A section whose addresses HNS gave, or a program that cannot stay. */
function takeOver(path: string, ipam: JsonObject, { draft, traits }: Work): void {
  const type = findField(ipam, "type");
  const subnet = draft.options.cidr ?? findField(ipam, "subnet");
  if (!isCidr(subnet)) {
    const why = typeof type === "string" && type !== "" ? `${type} cannot stay: ${BOUND.get(type) ?? "asked for by --ipam ours"}` : "HNS gave the addresses";
    draft.faults.push({
      path: typeof type === "string" && type !== "" ? `${path}.type` : path,
      problem: `names no range of this node: ${why}`,
      remedy: GIVE_RANGE,
    });
    return;
  }
  draft.set("ipam", { type: PRODUCT_TYPE, cidr: subnet });
  const giver = typeof type === "string" && type !== "" ? type : "HNS";
  draft.note(path, "translated", { to: "ipam", text: `${giver} gave the addresses; this plugin does now, from ${subnet}` });
  const routes = findField(ipam, "routes");
  const gateway = findGateway(routes, `${path}.${findKey(ipam, "routes")}`) ?? defaultGateway(findCidr(subnet), path, traits);
  if (gateway !== undefined) settleGateway(gateway, draft);
  for (const key of Object.keys(ipam)) {
    const lower = key.toLowerCase();
    if (lower === "routes") translateRoutes({ path: `${path}.${key}`, value: routes ?? [] }, gateway?.path, draft);
    else if (lower !== "type" && lower !== "subnet") draft.drop(`${path}.${key}`, `a setting of ${giver}'s`);
  }
  if (draft.options.cidr !== undefined && findField(ipam, "subnet") !== undefined && findField(ipam, "subnet") !== subnet)
    draft.drop(`${path}.subnet`, "--cidr was given");
}

/** The gateway of a default route, or of a route that has nothing else. */
function findGateway(routes: unknown, path: string): { address: string; path: string } | undefined {
  const list: readonly unknown[] = Array.isArray(routes) ? routes : [];
  for (const [index, route] of list.entries()) {
    if (!isJsonObject(route)) continue;
    const gw = findField(route, "gw");
    const dst = findField(route, "dst") ?? "0.0.0.0/0";
    const ip = typeof gw === "string" && dst === "0.0.0.0/0" ? findIp(gw) : undefined;
    if (ip !== undefined) return { address: formatIp(ip), path: `${path}[${index}]` };
  }
  return undefined;
}

function defaultGateway(cidr: Cidr | undefined, path: string, traits: IpamTraits): { address: string; path: string } | undefined {
  return cidr === undefined || !traits.isGatewayFromIpam ? undefined : { address: formatIp(addressAt(cidr, 1)), path };
}

function missingRange(path: string): Fault {
  return { path: `${path}.subnet`, problem: "is missing: the source does not name the node's range", remedy: GIVE_RANGE };
}

function findKey(object: JsonObject, name: string): string {
  return Object.keys(object).find((key) => key.toLowerCase() === name) ?? name;
}
