import { formatIp } from "../core/base/ip.ts";
import { findField, type JsonObject } from "../core/cni/json.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findFaults } from "../core/config/normalise.ts";
import { findRole } from "../core/config/our-names.ts";
import type { GatewayMode, IpamConfig } from "../core/config/plugin-config.ts";
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
  const { config } = readConfig(raw);
  const { stateDir = world.defaultStateDir, gatewayMode } = config;
  const ipam = "ipam" in config ? config.ipam : undefined;
  return {
    ...without(document, PER_CALL),
    ...(gatewayMode === undefined ? {} : { gatewayMode }),
    stateDir,
    logFile: document["logFile"] ?? world.joinPath(stateDir, "hns-cni.log"),
    ...(ipam === undefined ? keepIpam(raw) : { ipam: fillInIpam(document, ipam, gatewayMode) }),
  };
}

/** What another plugin reads is left as it is, and where HNS chooses the addresses there is nothing. */
function keepIpam(raw: JsonObject): { ipam?: unknown } {
  const ipam = findField(raw, "ipam");
  return ipam === undefined || ipam === null ? {} : { ipam };
}

function fillInIpam(document: Record<string, unknown>, ipam: IpamConfig, gatewayMode: GatewayMode | undefined): object {
  const written = document["ipam"] as JsonObject;
  const settings = (path: string): object => {
    const pool = ipam.pools.find(({ field = "ipam.cidr" }) => field === path);
    if (pool === undefined) return {};
    return { blockSize: pool.blockSize, ...(gatewayMode === "ipam" ? { gateway: formatIp(pool.gateway) } : {}) };
  };
  const pools: readonly unknown[] = Array.isArray(written["pools"]) ? written["pools"] : [];
  if (pools.length === 0) return { ...written, ...settings("ipam.cidr") };
  return { ...written, pools: pools.map((pool, at) => ({ ...(pool as JsonObject), ...settings(`ipam.pools[${at}].cidr`) })) };
}

function without(document: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}
