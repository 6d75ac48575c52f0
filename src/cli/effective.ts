import { formatIp } from "../core/base/ip.ts";
import { canonicaliseKeys } from "../core/config/canonical-keys.ts";
import { findFaults, normalise } from "../core/config/normalise.ts";
import type { ConfFile, ConfPart } from "./conf-file.ts";
import type { CliWorld } from "./world.ts";

/** The document of a file without faults, every part of ours with its defaults filled in: again a configuration, and one that means the same. */
export function buildEffective(world: CliWorld, file: ConfFile): object {
  if (!file.isList) return file.parts.map((part) => fillIn(world, part))[0] ?? file.document;
  const filled = new Map(file.parts.map((part) => [part.where, withoutInherited(fillIn(world, part))]));
  const plugins: readonly unknown[] = Array.isArray(file.document["plugins"]) ? file.document["plugins"] : [];
  return { ...file.document, plugins: plugins.map((plugin, index) => filled.get(`plugins[${index}]`) ?? plugin) };
}

function fillIn(world: CliWorld, { config: raw }: ConfPart): Record<string, unknown> {
  const document = canonicaliseKeys(raw, []);
  findFaults(document); // fills in the schema's defaults
  const { stateDir = world.defaultStateDir, ipam } = normalise(raw).config;
  // What the runtime adds on each call is no part of a file.
  const { runtimeConfig: _perCall, prevResult: _earlier, ...rest } = document;
  return {
    ...rest,
    stateDir,
    logFile: document["logFile"] ?? world.joinPath(stateDir, "hns-cni.log"),
    ipam: { ...(document["ipam"] as object), blockSize: ipam.blockSize, ...(isGatewayUsed(document) ? { gateway: formatIp(ipam.gateway) } : {}) },
  };
}

/** With another mode a gateway would only give rise to a warning. */
function isGatewayUsed(document: Record<string, unknown>): boolean {
  return document["gatewayMode"] === "ipam";
}

function withoutInherited({ name: _name, cniVersion: _cniVersion, ...rest }: Record<string, unknown>): Record<string, unknown> {
  return rest;
}
