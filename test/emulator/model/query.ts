import { sameGuid } from "../../../src/core/base/ids.ts";
import { findNumber, findObject, findText, parseObject, type JsonObject } from "./json.ts";

/** A query document, read: which view of the objects it asks for, and the filter. */
export interface Query {
  readonly version: 1 | 2;
  readonly filter: Readonly<Record<string, string>>;
}

/** Reads `{"SchemaVersion":{..},"Flags":0,"Filter":"<JSON text>"}`; an absent or empty text asks for everything. */
export function parseQuery(text: string | null): Query {
  if (text === null || text === "") return { version: 2, filter: {} };
  const query = parseObject(text);
  findNumber(query, "Flags");
  const schema = findObject(query, "SchemaVersion") ?? {};
  const filterText = findText(query, "Filter") ?? "";
  return { version: findNumber(schema, "Major") === 1 ? 1 : 2, filter: filterText === "" ? {} : readFilter(parseObject(filterText)) };
}

/** The fields by which objects can be found. Addresses and ids are compared in any case, other values exactly. */
export interface Searchable {
  readonly ID: string;
  readonly Name?: string;
  readonly Type?: string;
  readonly VirtualNetwork?: string;
  readonly VirtualNetworkName?: string;
  readonly HostComputeNetwork?: string;
  readonly HostComputeNamespace?: string;
  readonly IPAddress?: string;
  readonly MacAddress?: string;
}

const IDS = ["id", "virtualnetwork", "hostcomputenetwork", "hostcomputenamespace"];
const CASE_BLIND = ["type", "macaddress", "ipaddress"];

/** Whether an object has every value the filter names; a key the object lacks matches nothing. Keys are read in any case. */
export function matches(filter: Query["filter"], object: Searchable): boolean {
  const values = new Map(Object.entries(object).map(([key, value]) => [key.toLowerCase(), String(value)]));
  return Object.entries(filter).every(([key, wanted]) => {
    const name = key.toLowerCase();
    const value = values.get(name);
    if (value === undefined) return false;
    if (IDS.includes(name)) return sameGuid(value, wanted);
    return CASE_BLIND.includes(name) ? value.toLowerCase() === wanted.toLowerCase() : value === wanted;
  });
}

function readFilter(filter: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.keys(filter).map((key) => [key, findText(filter, key) ?? ""]));
}
