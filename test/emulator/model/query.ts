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

/** The fields by which objects can be found; ids are compared case-blind, names exactly. */
export interface Searchable {
  readonly ID: string;
  readonly Name?: string;
  readonly VirtualNetwork?: string;
  readonly VirtualNetworkName?: string;
}

/** Whether an object has every value the filter names; a key the object lacks matches nothing. */
export function matches(filter: Query["filter"], object: Searchable): boolean {
  const values: Record<string, string | undefined> = { ...object };
  return Object.entries(filter).every(([key, wanted]) => {
    const value = values[key];
    if (value === undefined) return false;
    return key === "ID" || key === "VirtualNetwork" ? sameGuid(value, wanted) : value === wanted;
  });
}

function readFilter(filter: JsonObject): Record<string, string> {
  return Object.fromEntries(Object.keys(filter).map((key) => [key, findText(filter, key) ?? ""]));
}
