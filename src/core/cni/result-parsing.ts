import { PluginError } from "../base/errors.ts";
import { findField, isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { EMPTY_DNS, findFamily } from "./result.ts";
import type { CniDns, CniInterface, CniIp, CniResult, CniRoute } from "./result.ts";
import type { CniVersion } from "./version.ts";

/**
 * The result in `document`, which is in the form of `version`. Keys are matched in any case, null means absent.
 * From 0.1.0 and 0.2.0, ip4 comes before ip6 and their routes are merged.
 * Throws MALFORMED_JSON, naming the field, when a field has another type than the specification gives it.
 */
export function parseAnyResult(document: unknown, version: CniVersion): CniResult {
  const object = readObject(document, "the result");
  const dns = parseDns(findField(object, "dns"));
  if (version === "0.1.0" || version === "0.2.0") return { interfaces: [], ...parseTwoFamilies(object), dns };
  return {
    interfaces: readList(object, "interfaces", parseInterface),
    ips: readList(object, "ips", parseIpEntry),
    routes: readList(object, "routes", parseRoute),
    dns,
  };
}

function parseTwoFamilies(object: JsonObject): Pick<CniResult, "ips" | "routes"> {
  const entries = ["ip4", "ip6"].flatMap((key) => {
    const value = findField(object, key);
    return value === undefined ? [] : [{ key, entry: readObject(value, key) }];
  });
  return {
    ips: entries.map(({ key, entry }) => ({
      address: readAddress(entry, "ip", key),
      ...optional("gateway", readText(entry, "gateway", key)),
    })),
    routes: entries.flatMap(({ entry }) => readList(entry, "routes", parseRoute)),
  };
}

function parseInterface(value: unknown, path: string): CniInterface {
  const entry = readObject(value, path);
  return {
    name: readText(entry, "name", path) ?? "",
    ...optional("mac", readText(entry, "mac", path)),
    ...optional("mtu", readInteger(entry, "mtu", path)),
    ...optional("sandbox", readText(entry, "sandbox", path)),
    ...optional("socketPath", readText(entry, "socketPath", path)),
    ...optional("pciId", readText(entry, "pciID", path)),
  };
}

function parseIpEntry(value: unknown, path: string): CniIp {
  const entry = readObject(value, path);
  return {
    address: readAddress(entry, "address", path),
    ...optional("gateway", readText(entry, "gateway", path)),
    ...optional("interface", readInteger(entry, "interface", path)),
  };
}

function parseRoute(value: unknown, path: string): CniRoute {
  const entry = readObject(value, path);
  return {
    dst: readAddress(entry, "dst", path),
    ...optional("gw", readText(entry, "gw", path)),
    ...optional("mtu", readInteger(entry, "mtu", path)),
    ...optional("advmss", readInteger(entry, "advmss", path)),
    ...optional("priority", readInteger(entry, "priority", path)),
    ...optional("table", readInteger(entry, "table", path)),
    ...optional("scope", readInteger(entry, "scope", path)),
  };
}

function parseDns(value: unknown): CniDns {
  if (value === undefined) return EMPTY_DNS;
  const entry = readObject(value, "dns");
  const texts = (key: string): string[] => readList(entry, key, (item, path) => readString(item, `dns.${path}`));
  return {
    nameservers: texts("nameservers"),
    ...optional("domain", readText(entry, "domain", "dns")),
    search: texts("search"),
    options: texts("options"),
  };
}

function readList<T>(object: JsonObject, key: string, parse: (item: unknown, path: string) => T): T[] {
  const value = findField(object, key);
  if (value === undefined) return [];
  if (!Array.isArray(value)) throw parsingError(key, "no list");
  return value.map((item, index) => parse(item, `${key}[${index}]`));
}

function readObject(value: unknown, path: string): JsonObject {
  if (!isJsonObject(value)) throw parsingError(path, "no object");
  return value;
}

function readAddress(object: JsonObject, key: string, path: string): string {
  const address = readText(object, key, path) ?? "";
  if (findFamily(address) === undefined || !address.includes("/")) throw parsingError(`${path}.${key}`, "no address with prefix");
  return address;
}

/** Empty texts count as absent: Go writes them for fields that were never set. */
function readText(object: JsonObject, key: string, path: string): string | undefined {
  const value = findField(object, key);
  if (value === undefined || value === "") return undefined;
  return readString(value, `${path}.${key}`);
}

function readString(value: unknown, path: string): string {
  if (typeof value !== "string") throw parsingError(path, "no text");
  return value;
}

function readInteger(object: JsonObject, key: string, path: string): number | undefined {
  const value = findField(object, key);
  if (value === undefined) return undefined;
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw parsingError(`${path}.${key}`, "no whole number");
  return value;
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

function parsingError(path: string, problem: string): PluginError {
  return new PluginError("MALFORMED_JSON", {
    message: `cannot read the CNI result: ${path} is ${problem}`,
    remedy: "pass the result of the plugin before this one unchanged",
    field: path,
  });
}
