import { formatIp } from "../core/base/ip.ts";
import { findField, type JsonObject } from "../core/cni/json.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findFaults } from "../core/config/normalise.ts";
import { findRole } from "../core/config/our-names.ts";
import type { IpamConfig } from "../core/config/plugin-config.ts";
import { type ConfFile, type ConfPart, readConfig } from "./config-file.ts";
import type { CliWorld } from "./world.ts";

/** What a runtime adds on each call is no part of a file. */
const PER_CALL = ["runtimeConfig", "prevResult"];

/** What a plugin's object gets from its list. */
const INHERITED = ["name", "cniVersion"];

/** The document of a file without faults, every part of ours with its defaults filled in: again a configuration, and one that means the same. */
export function buildEffective(world: CliWorld, file: ConfFile): object {
  return rebuild(file, (part) => fillIn(world, part));
}

/** The document of a file without faults, with the keys of our parts in their own spelling. */
export function buildWritten(file: ConfFile): object {
  return rebuild(file, ({ config }) => ({ ...canonicaliseKeys(config, []), ...keptIpam(config) }));
}

/** Another IPAM plugin's section is that plugin's, key by key. */
function keptIpam(config: JsonObject): { ipam?: unknown } {
  return findRole(config, []) === "delegating" ? { ipam: findField(config, "ipam") } : {};
}

function rebuild(file: ConfFile, change: (part: ConfPart) => Record<string, unknown>): object {
  if (!file.isList) return file.parts.map(change)[0] ?? file.document;
  const changed = new Map(file.parts.map((part) => [part.where, without(change(part), INHERITED)]));
  const plugins: readonly unknown[] = Array.isArray(file.document["plugins"]) ? file.document["plugins"] : [];
  return { ...file.document, plugins: plugins.map((plugin, index) => changed.get(`plugins[${index}]`) ?? plugin) };
}

function fillIn(world: CliWorld, { config: raw }: ConfPart): Record<string, unknown> {
  const document = canonicaliseKeys(raw, []);
  findFaults(document); // fills in the schema's defaults
  const { stateDir = world.defaultStateDir, ipam } = readConfig(raw).config;
  return {
    ...without(document, PER_CALL),
    stateDir,
    logFile: document["logFile"] ?? world.joinPath(stateDir, "hns-cni.log"),
    ipam: ipam === undefined ? findField(raw, "ipam") : fillInIpam(document, ipam),
  };
}

function fillInIpam(document: Record<string, unknown>, ipam: IpamConfig): object {
  return {
    ...(document["ipam"] as object),
    blockSize: ipam.pools[0].blockSize,
    ...(isGatewayUsed(document) ? { gateway: formatIp(ipam.pools[0].gateway) } : {}),
  };
}

/** With another mode a gateway would only give rise to a warning. */
function isGatewayUsed(document: Record<string, unknown>): boolean {
  return document["gatewayMode"] === "ipam";
}

function without(document: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}
