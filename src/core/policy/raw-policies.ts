/** Policies that users write into the configuration themselves. */
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { describeFault, type Fault } from "../base/fault.ts";
import type { PolicyDocument } from "../hcn/documents.ts";
import { describePolicyKey, isGeneralNat, isRepeatable, textFamily } from "./policy-keys.ts";
import { samePolicy, textIn } from "./policy-settings.ts";
import type { ReadContext } from "./raw-policy-fields.ts";
import { readShape } from "./raw-policy-shape.ts";
import { findPolicyType, type PolicyOwner, policyTypes } from "./raw-policy-types.ts";

/** A user's policy as HNS is to get it, and where it stands in the configuration. */
export interface RawPolicy {
  readonly path: string;
  readonly document: PolicyDocument;
}

export interface ReadOptions {
  /** Ids of address sets that the network has anyway; rules may name them in the place of addresses. */
  readonly sets?: readonly string[];
  /** Entries without a wrapper are another's and passed over: for a list that endpoint and network policies share. */
  readonly onlyWrapped?: boolean;
}

/** The names that wrap policies in the reference plugins' `policies` and `AdditionalArgs`, in lower case. */
const WRAPPERS: Readonly<Record<string, PolicyOwner>> = {
  endpointpolicy: "endpoint",
  networkpolicy: "network",
  subnetpolicy: "subnet",
};

const WRAPPER_NAMES: Readonly<Record<PolicyOwner, string>> = {
  endpoint: "EndpointPolicy",
  network: "NetworkPolicy",
  subnet: "SubnetPolicy",
};

/**
 * The endpoint policies in `list`, as any of: `{"Type":..,"Settings":{..}}` (version 2), `{"Type":.., <settings>}` (version 1), and either
 * as `value` beside `"name":"EndpointPolicy"`. Keys in any case. Entries wrapped for another owner are passed over. Adds to `faults` whatever
 * HNS would refuse or this product does not know, and leaves such entries out. An absent or null list is empty.
 */
export function readPolicies(list: unknown, path: string, faults: Fault[], options: ReadOptions = {}): RawPolicy[] {
  return readOwned("endpoint", list, { path, faults, options });
}

/** As `readPolicies`, of network policies. Address sets in the list may be named in it. */
export function readNetworkPolicies(list: unknown, path: string, faults: Fault[], options: ReadOptions = {}): RawPolicy[] {
  return readOwned("network", list, { path, faults, options });
}

/** As `readPolicies`, of the policies of a network's subnets (VLAN and VSID), wrapped as SubnetPolicy. */
export function readSubnetPolicies(list: unknown, path: string, faults: Fault[], options: ReadOptions = {}): RawPolicy[] {
  return readOwned("subnet", list, { path, faults, options });
}

interface Reading {
  readonly path: string;
  readonly faults: Fault[];
  readonly options: ReadOptions;
}

function readOwned(owner: PolicyOwner, list: unknown, { path, faults, options }: Reading): RawPolicy[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list)) {
    faults.push(describeFault(path, list, "must be a list of policies", "write a list; see docs/policies.md"));
    return [];
  }
  const bodies = list.flatMap((raw: unknown, index) => unwrap(owner, raw, { path: `${path}[${index}]`, faults, options }));
  const sets = new Set([...(options.sets ?? []), ...bodies.flatMap(({ body }) => findSetId(body))]);
  const policies = bodies.flatMap((entry) => readBody(owner, entry, { faults, sets }));
  faults.push(...findConflicts(policies));
  return policies;
}

interface Entry {
  readonly path: string;
  readonly body: JsonObject;
}

/** The policy itself, without its wrapper; nothing when it is another owner's. */
function unwrap(owner: PolicyOwner, raw: unknown, { path, faults, options }: Reading): Entry[] {
  if (!isJsonObject(raw)) {
    faults.push(describeFault(path, raw, "must be an object", `write {"Type": ..., "Settings": {...}}; see docs/policies.md`));
    return [];
  }
  const name = pick(raw, "name");
  if (pick(raw, "type") !== undefined || name === undefined) return options.onlyWrapped === true ? [] : [{ path, body: raw }];
  const wrapped = typeof name === "string" ? WRAPPERS[name.toLowerCase()] : undefined;
  if (wrapped === undefined) {
    faults.push(describeFault(`${path}.name`, name, "names no kind of policy", "write EndpointPolicy, NetworkPolicy or SubnetPolicy"));
    return [];
  }
  if (wrapped !== owner) return [];
  const body = pick(raw, "value");
  if (isJsonObject(body)) return [{ path: `${path}.value`, body }];
  faults.push(describeFault(`${path}.value`, body, "must be an object", `write {"Type": ..., "Settings": {...}}; see docs/policies.md`));
  return [];
}

function readBody(owner: PolicyOwner, { path, body }: Entry, context: ReadContext): RawPolicy[] {
  const text = pick(body, "type");
  const type = typeof text === "string" ? findPolicyType(owner, text) : undefined;
  if (type === undefined) {
    context.faults.push(describeUnknown(owner, text, `${path}.Type`));
    return [];
  }
  const settings = pick(body, "settings");
  const isFlat = settings === undefined;
  if (!isFlat && !isJsonObject(settings)) {
    context.faults.push(describeFault(`${path}.Settings`, settings, "must be an object", "write an object; see docs/policies.md"));
    return [];
  }
  const faults: Fault[] = [];
  const fields = isFlat ? Object.fromEntries(Object.entries(body).filter(([key]) => !/^(type|settings)$/i.test(key))) : settings;
  const read = readShape(type.shape, fields, isFlat ? path : `${path}.Settings`, { ...context, faults });
  const extra = isFlat ? [] : Object.keys(body).filter((key) => !/^(type|settings)$/i.test(key));
  for (const key of extra)
    faults.push({ path: `${path}.${key}`, problem: "stands beside Settings", remedy: "move it into Settings or remove it" });
  context.faults.push(...faults);
  return faults.length > 0 ? [] : [{ path, document: { Type: type.name, Settings: read } }];
}

function describeUnknown(owner: PolicyOwner, type: unknown, path: string): Fault {
  const known = Object.keys(policyTypes(owner)).join(", ");
  if (type === undefined) return { path, problem: "is missing", remedy: `name one of ${known}` };
  const other = (["endpoint", "network", "subnet"] as const).find(
    (one) => typeof type === "string" && findPolicyType(one, type) !== undefined,
  );
  if (other === undefined) return describeFault(path, type, `is no policy of ${owner}s`, `use one of ${known}`);
  const remedy = `move it to the ${other}'s policies, or wrap it as ${WRAPPER_NAMES[other]}`;
  return describeFault(path, type, `is a policy of ${other}s, not of ${owner}s`, remedy);
}

/** Of some policies an owner has one, or one for each key; two that differ contradict each other, as do two virtual IPs of a family. */
function findConflicts(policies: readonly RawPolicy[]): Fault[] {
  return policies.flatMap(({ path, document }, index) => {
    const claim = findClaim(document);
    const earlier = policies.slice(0, index).find((other) => claim !== undefined && contradicts(other.document, document, claim));
    if (claim === undefined || earlier === undefined) return [];
    return [{ path, problem: `contradicts ${earlier.path}: both are ${claim}`, remedy: "keep one of them" }];
  });
}

function contradicts(left: PolicyDocument, right: PolicyDocument, claim: string): boolean {
  if (findClaim(left) !== claim) return false;
  return isGeneralNat(left) ? textIn(left, "VirtualIP") !== textIn(right, "VirtualIP") : !samePolicy(left, right);
}

/** What a policy alone may say; undefined for those that stand side by side. */
function findClaim(document: PolicyDocument): string | undefined {
  if (!isRepeatable(document)) return describePolicyKey(document);
  const virtualIp = isGeneralNat(document) ? textIn(document, "VirtualIP") : "";
  return virtualIp === "" ? undefined : `OutBoundNAT with an IPv${textFamily(virtualIp)} VirtualIP`;
}

function findSetId(body: JsonObject): string[] {
  const type = pick(body, "type");
  if (typeof type !== "string" || type.toLowerCase() !== "setpolicy") return [];
  const settings = pick(body, "settings");
  const id = pick(isJsonObject(settings) ? settings : body, "id");
  return typeof id === "string" ? [id] : [];
}

/** A field by its name in any case; null counts as absent. */
function pick(object: JsonObject, name: string): unknown {
  const key = Object.keys(object).find((candidate) => candidate.toLowerCase() === name);
  return key === undefined ? undefined : (object[key] ?? undefined);
}
