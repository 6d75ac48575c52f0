import { findField, isJsonObject, type JsonObject } from "../../cni/json.ts";
import { findKey } from "../canonical-keys.ts";
import type { Fault } from "../faults.ts";
import { PLUGIN_KEYS } from "../generated/plugin-shape.ts";
import { isOurType } from "../our-names.ts";
import { AZURE_VNET } from "./azure-vnet.ts";
import { ANTREA, CALICO } from "./calico.ts";
import { type ConvertOptions, Draft, type Note } from "./draft.ts";
import { FLANNEL } from "./flannel.ts";
import { settleGateway } from "./gateway.ts";
import { translateIpam } from "./ipam.ts";
import type { ForeignPlugin } from "./plugin.ts";
import { settleRanges } from "./policies.ts";
import { addRanges, readNetwork } from "./ranges.ts";
import { WIN_BRIDGE, WIN_OVERLAY } from "./reference-plugins.ts";
import { applyTable } from "./rules.ts";
import { SDN_PLUGINS } from "./sdn-plugins.ts";
import { VPC_BRIDGE } from "./vpc-bridge.ts";

/** Every plugin whose configurations can be converted, in the order of the documentation. */
export const FOREIGN_PLUGINS: readonly ForeignPlugin[] = [
  WIN_BRIDGE,
  WIN_OVERLAY,
  ...SDN_PLUGINS,
  AZURE_VNET,
  VPC_BRIDGE,
  FLANNEL,
  CALICO,
  ANTREA,
];

export interface Conversion {
  /** The converted document; not to be used when there are faults. */
  readonly document: JsonObject;
  /** What became of each key of the source. */
  readonly notes: readonly Note[];
  readonly faults: readonly Fault[];
  /** Keys of the result that this build's schema does not have: the plugin would pass over them. */
  readonly unread: readonly string[];
}

/** The plugin that `type` names, by its file name in any case, with or without .exe. */
export function findForeignPlugin(type: unknown): ForeignPlugin | undefined {
  if (typeof type !== "string") return undefined;
  const name = type.toLowerCase().replace(/\.exe$/, "");
  return FOREIGN_PLUGINS.find(({ types }) => types.includes(name));
}

/**
 * Translates a configuration, or the plugins of a list that are known, into this plugin's language. Never throws. `source` is not changed.
 * Unless no plugin is known, every key of the source is in the notes or in the faults.
 */
export function convertDocument(source: JsonObject, options: ConvertOptions): Conversion {
  return findField(source, "plugins") === undefined ? convertPlugin(source, "", options) : convertList(source, options);
}

function convertList(source: JsonObject, options: ConvertOptions): Conversion {
  const plugins = findField(source, "plugins");
  if (!Array.isArray(plugins)) return refuse({ path: "plugins", problem: "is no list", remedy: "list the plugins' objects" });
  const notes = keptWhole(source).filter(({ path }) => path.toLowerCase() !== "plugins");
  const parts = plugins.map((plugin: unknown, index) => convertElement(plugin, `plugins[${index}]`, options));
  const converted = parts.filter(({ isConverted }) => isConverted);
  const faults = parts.flatMap((part) => part.faults);
  if (converted.length === 0) faults.push(unknownPlugin("plugins"));
  const entries = Object.entries(source).map(([key, value]): [string, unknown] =>
    key.toLowerCase() === "plugins" && value !== null ? [key, parts.map(({ document }) => document)] : [key, value],
  );
  return {
    document: Object.fromEntries(entries),
    notes: [...notes, ...parts.flatMap((part) => part.notes)],
    faults,
    unread: [...new Set(parts.flatMap(({ unread }) => unread))],
  };
}

interface Element extends Omit<Conversion, "document"> {
  readonly document: unknown;
  readonly isConverted: boolean;
}

function convertElement(plugin: unknown, path: string, options: ConvertOptions): Element {
  if (isJsonObject(plugin) && findForeignPlugin(findField(plugin, "type")) !== undefined) {
    return { ...convertPlugin(plugin, path, options), isConverted: true };
  }
  const text = isJsonObject(plugin) && isOurType(plugin["type"], []) ? "it is this plugin's already" : "another plugin's object";
  return { document: plugin, notes: [{ path, verdict: "kept", to: path, text }], faults: [], unread: [], isConverted: false };
}

function convertPlugin(source: JsonObject, path: string, options: ConvertOptions): Conversion {
  const plugin = findForeignPlugin(findField(source, "type"));
  if (plugin === undefined) return refuse(unknownPlugin("type"));
  const draft = new Draft(source, path, options);
  applyTable(source, { path, keys: plugin.keys }, draft);
  settle(plugin, source, draft);
  const document = inOrder(draft.entries());
  const known = PLUGIN_KEYS[""] ?? [];
  const unread = Object.keys(document).filter((key) => findKey(known, key) === undefined && !key.startsWith("cni.dev/"));
  return { document, notes: draft.notes, faults: draft.faults, unread };
}

function settle(plugin: ForeignPlugin, source: JsonObject, draft: Draft): void {
  if (draft.get("mode") === undefined && draft.faults.every((fault) => fault.path !== draft.below("mode")))
    draft.add("mode", plugin.mode, `what ${plugin.types[0]} makes of it`);
  if (findField(source, "ipam") === undefined || plugin.impliedIpam !== undefined)
    translateIpam({ path: draft.below("ipam"), value: plugin.impliedIpam ?? {} }, plugin, draft);
  plugin.finish?.(source, draft);
  if (draft.gateway !== undefined) settleGateway(draft.gateway, draft);
  addRanges(
    "clusterCidrs",
    (draft.options.clusterCidrs ?? []).flatMap((text) => readNetwork(text) ?? []),
    draft,
  );
  settleRanges(draft);
  if (draft.get("loopbackDSR") === undefined)
    draft.add("loopbackDSR", false, `off, as ${plugin.types[0]} has it; leave it out to let pods reach themselves through a Service`);
}

/** The keys as people write them; what is not listed comes before `ipam`. */
const ORDER = ["cniVersion", "name", "type", "mode", "adapter", "subnet", "vsid", "vxlanPort", "endpointMacPrefix"];
const MIDDLE = [
  "clusterCidrs",
  "serviceCidrs",
  "ipMasq",
  "gatewayMode",
  "policies",
  "additionalRoutes",
  "optionalFlags",
  "loopbackDSR",
  "dns",
];

function inOrder(entries: readonly (readonly [string, unknown])[]): JsonObject {
  const first = [...ORDER, ...MIDDLE, "capabilities"];
  const rank = (key: string): number =>
    key === "ipam" ? Number.MAX_SAFE_INTEGER : first.includes(key) ? first.indexOf(key) : first.length;
  return Object.fromEntries([...entries].sort(([left], [right]) => rank(left) - rank(right)));
}

function keptWhole(source: JsonObject): Note[] {
  return Object.keys(source).map((key) => ({ path: key, verdict: "kept", to: key, text: "" }));
}

function unknownPlugin(path: string): Fault {
  const known = FOREIGN_PLUGINS.map(({ types }) => types[0]).join(", ");
  return { path, problem: "names no plugin that can be converted", remedy: `convert a configuration of ${known}` };
}

function refuse(fault: Fault): Conversion {
  return { document: {}, notes: [], faults: [fault], unread: [] };
}
