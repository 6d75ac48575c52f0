import { addressAt, findCidr, formatIp } from "../../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Fault } from "../faults.ts";
import { PRODUCT_TYPE } from "../our-names.ts";
import type { Draft } from "./draft.ts";
import { addGatewayMode, settleGateway, translateRoutes, type IpamTraits, type IpamWork } from "./gateway.ts";
import { FIRST_FOR_PODS, type Pool, readPools } from "./host-local-ranges.ts";
import { GIVE_RANGE, isCidr } from "./ranges.ts";

/** The keys of one range. */
const RANGE_KEYS = ["subnet", "rangeStart", "rangeEnd", "gateway"];

/** host-local's section: it stays, or its range becomes a pool of this plugin. */
export function translateHostLocal(path: string, ipam: JsonObject, work: IpamWork): void {
  const { draft, traits } = work;
  const document = withRange(path, canonicalise(ipam), draft);
  const { subnet } = document;
  if (subnet === undefined && document["ranges"] === undefined) draft.faults.push(missingRange(path));
  else if (subnet !== undefined && !isCidr(subnet))
    draft.fault({ path: `${path}.subnet`, value: subnet }, "is no network in CIDR form", GIVE_RANGE);
  else if (draft.options.ipam === "ours") takePool(path, document, work);
  else {
    draft.set("ipam", keepStartFree(document, traits, draft));
    draft.note(path, "kept", { to: "ipam", text: "host-local is asked as before; --ipam ours makes its range a pool of this plugin" });
    if (traits.isGatewayFromIpam) addGatewayMode(draft);
  }
}

/** The section with host-local's keys in their documented case. */
function canonicalise(ipam: JsonObject): JsonObject {
  const known = [...RANGE_KEYS, "ranges", "routes", "dataDir", "resolvConf", "type"];
  const entries = Object.entries(ipam).map(([key, value]): [string, unknown] => {
    return [known.find((one) => one.toLowerCase() === key.toLowerCase()) ?? key, value];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

/** The range that the command names comes before the source's. */
function withRange(path: string, document: JsonObject, draft: Draft): JsonObject {
  const { cidr } = draft.options;
  if (cidr === undefined) return document;
  const replaced = [...RANGE_KEYS, "ranges"].filter((key) => document[key] !== undefined);
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

/** host-local's ranges as pools of ours. */
function takePool(path: string, document: JsonObject, { draft, traits }: IpamWork): void {
  const pools = readPools(path, document, { traits, draft });
  const [first] = pools;
  if (first === undefined) return;
  const documents = pools.map(({ cidr, exclude }) => ({ cidr, ...(exclude.length > 0 && { exclude }) }));
  draft.set("ipam", { type: PRODUCT_TYPE, ...(pools.length === 1 ? documents[0] : { pools: documents }) });
  const text = pools.length === 1 ? "host-local's range is a pool of this plugin" : "host-local's ranges are pools of this plugin";
  draft.note(path, "translated", { to: "ipam", text });
  if (traits.isGatewayFromIpam && pools.length === 1) settleGateway({ address: first.gateway, path: `${path}.gateway` }, draft);
  else if (traits.isGatewayFromIpam) addPoolGateways(pools, draft);
  noteHostLocalKeys(path, document, draft);
}

function addPoolGateways(pools: readonly Pool[], draft: Draft): void {
  addGatewayMode(draft);
  const documents = pools.map(({ cidr, exclude, gateway }) => ({ cidr, ...(exclude.length > 0 && { exclude }), gateway }));
  draft.set("ipam", { type: PRODUCT_TYPE, pools: documents });
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

function missingRange(path: string): Fault {
  return { path: `${path}.subnet`, problem: "is missing: the source does not name the node's range", remedy: GIVE_RANGE };
}
