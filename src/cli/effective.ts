import { formatIp } from "../core/base/ip.ts";
import { findField, type JsonObject } from "../core/cni/json.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findFaults } from "../core/config/normalise.ts";
import type { GatewayMode, IpamConfig } from "../core/config/plugin-config.ts";
import { type ConfFile, type ConfPart, readConfig } from "./conf-file.ts";
import type { CliWorld } from "./world.ts";

/** What a runtime adds on each call is no part of a file. */
const PER_CALL = ["runtimeConfig", "prevResult"];

/** What a plugin's object gets from its list. */
const INHERITED = ["name", "cniVersion"];

/** The document of a file without faults, every part of ours with its defaults filled in: again a configuration, and one that means the same. */
export function buildEffective(world: CliWorld, file: ConfFile): object {
  if (!file.isList) return file.parts.map((part) => fillIn(world, part))[0] ?? file.document;
  const filled = new Map(file.parts.map((part) => [part.where, without(fillIn(world, part), INHERITED)]));
  const plugins: readonly unknown[] = Array.isArray(file.document["plugins"]) ? file.document["plugins"] : [];
  return { ...file.document, plugins: plugins.map((plugin, index) => filled.get(`plugins[${index}]`) ?? plugin) };
}

function fillIn(world: CliWorld, { config: raw }: ConfPart): Record<string, unknown> {
  const document = canonicaliseKeys(raw, []);
  findFaults(document); // fills in the schema's defaults
  const { stateDir = world.defaultStateDir, ipam, gatewayMode } = readConfig(raw).config;
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
  return {
    ...(document["ipam"] as object),
    blockSize: ipam.pools[0].blockSize,
    // With another mode a gateway would only give rise to a warning.
    ...(gatewayMode === "ipam" ? { gateway: formatIp(ipam.pools[0].gateway) } : {}),
  };
}

function without(document: Record<string, unknown>, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).filter(([key]) => !keys.includes(key)));
}
