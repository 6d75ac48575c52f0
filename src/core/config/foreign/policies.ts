import { findCidr, overlaps } from "../../base/ip.ts";
import { findField, findKey, isJsonObject, type JsonObject } from "../../cni/json.ts";
import type { Draft, Place } from "./draft.ts";
import { isKnownType, toPolicyV2, type PolicyV2 } from "./policy-shapes.ts";
import { addRanges, readNetwork } from "./ranges.ts";
import { translate, type Rule } from "./rules.ts";

const REMEDY = 'write {"name": "EndpointPolicy", "value": {"Type": "...", "Settings": {...}}}';

/** A list of policies under any of its names: `policies`, `AdditionalArgs`, `HcnPolicyArgs`. */
export function policyList(remark: string): Rule {
  return translate("clusterCidrs, serviceCidrs, policies", remark, (place, draft) => {
    if (!Array.isArray(place.value)) {
      draft.fault(place, "must be a list", REMEDY);
      return;
    }
    if (place.value.length === 0) draft.drop(place.path, "empty");
    for (const [index, value] of place.value.entries()) translateEntry({ path: `${place.path}[${index}]`, value }, draft);
  });
}

function translateEntry(place: Place, draft: Draft): void {
  const { path, value: entry } = place;
  if (!isJsonObject(entry)) {
    draft.fault(place, "must be an object", REMEDY);
    return;
  }
  // Old documentation lists the policies themselves, without name and value.
  if (findField(entry, "Type") !== undefined && findField(entry, "Value") === undefined) {
    translatePolicy(path, { path, value: entry }, draft);
    return;
  }
  const name = findField(entry, "Name");
  const refusal = typeof name === "string" ? findRefusal(name) : 'has no name "EndpointPolicy", so it had no effect';
  if (refusal === undefined) {
    noteOthers(place, entry, { known: ["name", "value"], why: "neither plugin knows this key" }, draft);
    translatePolicy(path, { path: `${path}.${findKey(entry, "value") ?? "value"}`, value: findField(entry, "Value") }, draft);
  } else if (typeof name === "string" && /networkpolicy/i.test(name)) draft.decide(path, refusal);
  else draft.drop(path, refusal);
}

function findRefusal(name: string): string | undefined {
  if (name.toLowerCase() === "endpointpolicy") return undefined;
  if (/networkpolicy/i.test(name))
    return "a policy of the HNS network: make the network with it before the first pod; one that exists is used as it is";
  return `"${name.slice(0, 40)}" is no endpoint policy, so it had no effect`;
}

/** Names what stands beside the keys that count. */
function noteOthers({ path }: Place, entry: JsonObject, { known, why }: { known: readonly string[]; why: string }, draft: Draft): void {
  for (const key of Object.keys(entry)) if (!known.includes(key.toLowerCase())) draft.drop(`${path}.${key}`, why);
}

/** `path` is the entry's, `place` the policy's in it. */
function translatePolicy(path: string, place: Place, draft: Draft): void {
  const { value } = place;
  const type = isJsonObject(value) ? findField(value, "Type") : undefined;
  if (!isJsonObject(value) || typeof type !== "string" || type === "") {
    draft.fault(place, "is no policy", REMEDY);
    return;
  }
  const hasSettings = isJsonObject(findField(value, "Settings"));
  if (hasSettings) noteOthers(place, value, { known: ["type", "settings"], why: "HNS v2 reads Type and Settings alone" }, draft);
  const policy = toPolicyV2(type, value);
  if (!claimRange(path, policy, draft)) keepPolicy(path, policy, { isGuessed: !isKnownType(type) && !hasSettings }, draft);
}

/** Whether the policy says no more than which ranges are the cluster's. */
function claimRange(path: string, { Type: type, Settings: settings }: PolicyV2, draft: Draft): boolean {
  if (type === "OutBoundNAT") return claimExceptions(path, settings, draft);
  return type === "SDNRoute" && claimRoute(path, settings, draft);
}

/** OutBoundNAT with nothing but exceptions. */
function claimExceptions(path: string, settings: JsonObject, draft: Draft): boolean {
  const { Exceptions: list, ...others } = settings;
  if (!Array.isArray(list) || list.length === 0 || Object.keys(others).length > 0) return false;
  for (const value of list as readonly unknown[]) {
    const cidr = readNetwork(value);
    if (cidr === undefined)
      draft.fault({ path, value }, "an OutBoundNAT exception must be a network in CIDR form", "write such as 10.244.0.0/16");
    else draft.exceptions.push({ cidr, path });
  }
  return true;
}

/** SDNRoute with NeedEncap. Whether it is a service's is known once all exceptions are. */
function claimRoute(path: string, settings: JsonObject, draft: Draft): boolean {
  const { DestinationPrefix: value, NeedEncap: needEncap, ...others } = settings;
  if (needEncap !== true || Object.keys(others).length > 0) return false;
  const cidr = readNetwork(value);
  if (cidr === undefined) draft.fault({ path, value }, "DestinationPrefix must be a network in CIDR form", "write such as 10.96.0.0/12");
  else draft.routes.push({ cidr, path });
  return true;
}

function keepPolicy(path: string, policy: PolicyV2, { isGuessed }: { isGuessed: boolean }, draft: Draft): void {
  draft.append("policies", { name: "EndpointPolicy", value: policy });
  if (isGuessed)
    draft.note(path, "decide", { to: "policies", text: `put into policies; see whether HNS v2 has these fields for ${policy.Type}` });
  else draft.note(path, "translated", { to: "policies", text: `${policy.Type}, as HNS v2 has it` });
}

/**
 * Says which ranges are the cluster's and which are services': a route whose range is an exception too is a service's, unless pods have
 * addresses of it. Routes to anything else, such as the node's own address, stay policies.
 */
export function settleRanges(draft: Draft): void {
  const exceptions = new Set(draft.exceptions.map(({ cidr }) => cidr));
  const services = new Set(draft.routes.map(({ cidr }) => cidr).filter((cidr) => exceptions.has(cidr) && !holdsPods(cidr, draft)));
  for (const { cidr, path } of draft.routes) {
    if (services.has(cidr)) draft.note(path, "translated", { to: "serviceCidrs", text: `route to ${cidr}, which is an exception too` });
    else keepPolicy(path, { Type: "SDNRoute", Settings: { DestinationPrefix: cidr, NeedEncap: true } }, { isGuessed: false }, draft);
  }
  for (const { cidr, path } of draft.exceptions) {
    const to = services.has(cidr) ? "serviceCidrs" : "clusterCidrs";
    draft.note(path, "translated", { to, text: `${cidr} keeps the pod's address` });
  }
  addRanges("serviceCidrs", [...services], draft);
  addRanges(
    "clusterCidrs",
    [...exceptions].filter((cidr) => !services.has(cidr)),
    draft,
  );
}

/** Whether a network has addresses of the node's pods, or of the cluster's as far as the command names its ranges. */
function holdsPods(text: string, draft: Draft): boolean {
  const cidr = findCidr(text);
  const { cidr: own = "", clusterCidrs = [] } = draft.options;
  const pods = [own, ...clusterCidrs, ...listPools(draft.get("ipam"))].flatMap((range) => findCidr(range) ?? []);
  return cidr !== undefined && pods.some((range) => overlaps(cidr, range));
}

/** The ranges of an ipam section of ours. */
function listPools(ipam: unknown): string[] {
  if (!isJsonObject(ipam)) return [];
  const pools: readonly unknown[] = Array.isArray(ipam["pools"]) ? ipam["pools"] : [];
  return [ipam, ...pools].flatMap((pool) => (isJsonObject(pool) && typeof pool["cidr"] === "string" ? [pool["cidr"]] : []));
}
