import { isJsonObject, type JsonObject } from "../../cni/json.ts";
import { findKey } from "../canonical-keys.ts";
import { PLUGIN_KEYS } from "../generated/plugin-shape.ts";
import type { Draft, Place } from "./draft.ts";

/** What happens to one key. `becomes` and `remark` are what docs/drop-in.md says of it. */
export interface Rule {
  /** The key of the result; "" when there is none. */
  readonly becomes: string;
  readonly remark: string;
  readonly apply: (place: Place, draft: Draft) => void;
  /** The keys of the object below, for the documentation. */
  readonly keys?: Table;
}

/** The keys of an object, in the spelling of their documentation; they are matched in any case, as Go does it. */
export type Table = Readonly<Record<string, Rule>>;

/** Keys of the result that the program is to read, whether or not this build's schema has them. */
export const OWN_KEYS: readonly string[] = [
  "mode",
  "subnet",
  "vsid",
  "vxlanPort",
  "endpointMacPrefix",
  "ipMasq",
  "policies",
  "additionalRoutes",
  "optionalFlags",
];

/** The same key, the same value. */
export function keep(key: string, remark = ""): Rule {
  return { becomes: key, remark, apply: (place, draft) => keepAs(key, place, draft) };
}

/** The same value under another key. */
export function rename(key: string, remark = ""): Rule {
  return { becomes: key, remark, apply: ({ path, value }, draft) => draft.put(path, "renamed", { to: key, value, text: remark }) };
}

/** Without effect here. */
export function drop(remark: string): Rule {
  return { becomes: "", remark, apply: ({ path }, draft) => draft.drop(path, remark) };
}

/** Without effect here, and somebody has to look at it unless it is switched off (false, 0, "" or an empty list). */
export function decide(remark: string): Rule {
  const apply = ({ path, value }: Place, draft: Draft): void => {
    if (isOff(value)) draft.drop(path, "switched off");
    else draft.decide(path, remark);
  };
  return { becomes: "", remark: `${remark} (needs your decision)`, apply };
}

/** Said in other words. `apply` notes what it did. */
export function translate(becomes: string, remark: string, apply: Rule["apply"]): Rule {
  return { becomes, remark, apply };
}

/** An object whose keys are gone through one by one. */
export function within(becomes: string, keys: Table, remark = ""): Rule {
  const apply = (place: Place, draft: Draft): void => {
    if (isJsonObject(place.value) && Object.keys(place.value).length === 0) draft.drop(place.path, "empty");
    else if (isJsonObject(place.value)) applyTable(place.value, { path: place.path, keys }, draft);
    else draft.fault(place, "must be an object", "write an object, or leave the key out");
  };
  return { becomes, remark, apply, keys };
}

/** A key of an object of the result, such as `dns.search`. */
export function keepBelow(key: string, child: string, remark = ""): Rule {
  const becomes = `${key}.${child}`;
  const apply = (place: Place, draft: Draft): void => {
    draft.setBelow(key, child, place.value);
    draft.note(place.path, "kept", { to: becomes, text: remark });
  };
  return { becomes, remark, apply };
}

export function keepAs(key: string, { path, value }: Place, draft: Draft): void {
  draft.put(path, "kept", { to: key, value });
}

/** Goes through the keys of `object`. What the table does not have is kept where it is a key of this plugin, else dropped by name. */
export function applyTable(object: JsonObject, { path, keys }: { path: string; keys: Table }, draft: Draft): void {
  const rules = new Map(Object.entries(keys).map(([key, rule]) => [key.toLowerCase(), rule]));
  const last = new Map(Object.keys(object).map((key) => [key.toLowerCase(), key]));
  for (const [key, value] of Object.entries(object)) {
    const place = { path: path === "" ? key : `${path}.${key}`, value };
    const counts = last.get(key.toLowerCase());
    if (counts !== key) draft.drop(place.path, `given again as ${counts ?? key}; the last one counts`);
    else if (value === null) draft.drop(place.path, "null is absent");
    else (rules.get(key.toLowerCase()) ?? findOwnRule(key, path)).apply(place, draft);
  }
}

const UNKNOWN = drop("neither plugin knows this key");

/** A key of this plugin that already stands in the source, or one of the specification's. */
function findOwnRule(key: string, path: string): Rule {
  const isTop = path === "" || /^plugins\[\d+\]$/.test(path);
  if (!isTop) return UNKNOWN;
  if (key.startsWith("cni.dev/")) return keep(key);
  const lower = key.toLowerCase();
  const own = findKey(PLUGIN_KEYS[""] ?? [], key) ?? OWN_KEYS.find((one) => one.toLowerCase() === lower);
  return own === undefined ? UNKNOWN : keep(own);
}

function isOff(value: unknown): boolean {
  return value === false || value === 0 || value === "" || (Array.isArray(value) && value.length === 0);
}
