import { PluginError } from "../core/base/errors.ts";
import { isJsonObject, type JsonObject } from "../core/cni/json.ts";
import { checkVersion, compareVersions, findVersion } from "../core/cni/version.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import type { Fault } from "../core/config/faults.ts";
import { findForeignPlugin } from "../core/config/foreign/convert.ts";
import { findNetworkFaults, normalise, normaliseDelegated, normaliseHnsAddressed } from "../core/config/normalise.ts";
import { findRole, PRODUCT_TYPE } from "../core/config/our-names.ts";
import type { AttachableConfig, DelegatedConfig, Normalised } from "../core/config/plugin-config.ts";
import { CliError } from "./world.ts";

const OUR_TYPE = PRODUCT_TYPE;

/** One plugin's part of a configuration file. */
export interface ConfPart {
  /** `plugins[0]`, or "" when the file is the part. */
  readonly where: string;
  /** As a runtime passes it to the plugin: with the name and the version of the list. */
  readonly config: JsonObject;
}

/** A configuration or a configuration list, as libcni tells them apart: by the key `plugins`. */
export interface ConfFile {
  readonly document: JsonObject;
  readonly isList: boolean;
  /** Only those of this plugin. */
  readonly parts: readonly ConfPart[];
}

/** Throws CliError when `text` is no JSON object. A byte order mark is passed over. */
export function parseConfFile(text: string, name: string): ConfFile {
  const document = parseJson(text.replace(/^\uFEFF/, ""), name);
  if (!("plugins" in document)) return { document, isList: false, parts: isOurs(document) ? [{ where: "", config: document }] : [] };
  const plugins: readonly unknown[] = Array.isArray(document["plugins"]) ? document["plugins"] : [];
  const parts = plugins.flatMap((plugin, index) => {
    return isJsonObject(plugin) && isOurs(plugin) ? [{ where: `plugins[${index}]`, config: { ...plugin, ...inherited(document) } }] : [];
  });
  return { document, isList: true, parts };
}

/** Everything that is wrong with the file, in the order of its parts. */
export function findFileFaults(file: ConfFile): Fault[] {
  const version = findVersionFault(file);
  const faults = file.parts.flatMap(({ where, config }) =>
    findNetworkFaults(canonicaliseKeys(config, [])).map((fault) => locate(where, fault)),
  );
  const all = [...(version === undefined ? [] : [version]), ...findStructureFaults(file), ...faults];
  return [...new Map(all.map((fault) => [fault.path, fault])).values()];
}

/** A part without faults, as the plugin reads it. */
export function readConfig(config: JsonObject): Normalised<AttachableConfig | DelegatedConfig> {
  switch (findRole(config, [])) {
    case "delegating":
      return normaliseDelegated(config);
    case "hns-addressed":
      return normaliseHnsAddressed(config);
    default:
      return normalise(config);
  }
}

/** Remarks on a file without faults. */
export function findFileWarnings({ parts }: ConfFile): string[] {
  return parts.flatMap(({ where, config }) =>
    readConfig(config).warnings.map((warning) => (where === "" ? warning : `${where}: ${warning}`)),
  );
}

function findStructureFaults({ document, isList, parts }: ConfFile): Fault[] {
  const remedy = `give the plugin's object the type "${OUR_TYPE}"${suggestConversion(document)}`;
  if (!isList)
    return parts.length === 1 ? [] : [{ path: "type", problem: `is not "${OUR_TYPE}": this is no configuration of this plugin`, remedy }];
  if (!Array.isArray(document["plugins"])) return [{ path: "plugins", problem: "is no list", remedy: "list the plugins' objects" }];
  return parts.length > 0 ? [] : [{ path: "plugins", problem: `has no plugin of the type "${OUR_TYPE}"`, remedy }];
}

/** A configuration of a plugin that can be converted has a shorter way. */
function suggestConversion(document: JsonObject): string {
  const plugins: readonly unknown[] = Array.isArray(document["plugins"]) ? document["plugins"] : [document];
  const foreign = plugins.flatMap((plugin) => (isJsonObject(plugin) ? (findForeignPlugin(plugin["type"])?.types[0] ?? []) : []))[0];
  return foreign === undefined ? "" : `; hns-cni config convert translates a configuration of ${foreign}`;
}

/** The version counts for every part, so it is looked at once. */
function findVersionFault({ document, isList }: ConfFile): Fault | undefined {
  const stated = isList ? inherited(document)["cniVersion"] : document["cniVersion"];
  if (stated !== undefined && stated !== null && typeof stated !== "string") return undefined; // the schema says that it is no text
  try {
    checkVersion("ADD", stated ?? "");
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof PluginError)) throw thrown;
    const shown = JSON.stringify(stated ?? "");
    return { path: "cniVersion", problem: `is ${shown}: this plugin does not speak it`, remedy: thrown.data.remedy ?? "" };
  }
}

/** Name and version belong to the list, whatever part they were found in. */
function locate(where: string, fault: Fault): Fault {
  if (where === "" || fault.path === "name" || fault.path === "cniVersion") return fault;
  return { ...fault, path: fault.path === "" ? where : `${where}.${fault.path}` };
}

/** What a runtime puts into each plugin's object: the list's name, and the newest version that the list allows and we speak. */
function inherited(list: JsonObject): JsonObject {
  const versions = [list["cniVersion"], ...(Array.isArray(list["cniVersions"]) ? (list["cniVersions"] as readonly unknown[]) : [])];
  const spoken = versions.filter((version) => typeof version === "string" && findVersion(version) !== undefined) as string[];
  const newest = spoken.sort(compareVersions).at(-1) ?? list["cniVersion"];
  return { ...("name" in list ? { name: list["name"] } : {}), ...(newest === undefined ? {} : { cniVersion: newest }) };
}

function isOurs(plugin: JsonObject): boolean {
  return plugin["type"] === OUR_TYPE;
}

function parseJson(text: string, name: string): JsonObject {
  const next = "correct the file; the plugin reads JSON without comments";
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new CliError(`${name} is no JSON`, { why: thrown instanceof Error ? thrown.message : String(thrown), next });
  }
  if (!isJsonObject(value)) throw new CliError(`${name} is no configuration`, { why: "it holds no JSON object", next });
  return value;
}
