import { PluginError } from "../base/errors.ts";
import { cidrSize, findIp, formatCidr, formatIp } from "../base/ip.ts";
import { findField } from "../cni/json.ts";
import { parseAnyResult } from "../cni/result-parsing.ts";
import type { CniRoute } from "../cni/result.ts";
import { canonicaliseKeys, isJsonObject, type JsonObject } from "./canonical-keys.ts";
import { buildConfigError, buildFault, type Fault } from "./faults.ts";
import { type HostLocalPool, RANGE_KEYS, readHostLocal, usesHostLocal } from "./host-local.ts";
import { buildPluginConfig, findFaults, normaliseForDelete } from "./normalise.ts";
import type { HostConfig, Normalised, PluginConfig } from "./plugin-config.ts";

/** The configuration of one call in which another plugin asks for addresses. Of the network it says nothing. */
export interface IpamRoleConfig extends PluginConfig {
  /** Passed on in the result as they are. */
  readonly routes: readonly CniRoute[];
  /** Absolute path of a resolv.conf that is passed on in the result. */
  readonly resolvConf?: string;
}

/** Keys that the plugin has beside `ipam` and this role inside, since all around `ipam` is another plugin's. */
const MOVED_KEYS = ["stateDir", "logLevel", "logFile", "operationTimeoutSeconds", "statusFailsOnExhaustion"] as const;

/** Keys of host-local that the plugin's own schema does not know. */
const FOREIGN_KEYS = ["subnet", "rangeStart", "rangeEnd", "ranges", "routes", "dataDir", "resolvConf"] as const;

const ABSOLUTE = /^([A-Za-z]:[\\/]|\\\\|\/)/;
const OWN_KEYS_REMEDY = "use either cidr or host-local's keys";

/**
 * The configuration in `raw`, another plugin's object as the runtime passed it to that plugin. `ipam` may be written in our keys or in
 * host-local's. Throws one INVALID_CONFIG that lists every fault.
 */
export function normaliseIpamRole(raw: JsonObject): Normalised<IpamRoleConfig> {
  const warnings: string[] = [];
  const ipam = readIpam(raw);
  const faults = [...findRequestFaults(raw), ...findContradictions(ipam)];
  const pool = usesHostLocal(ipam) ? readHostLocal(ipam, faults) : undefined;
  const routes = readRoutes(ipam["routes"], faults);
  const resolvConf = readPath(ipam["resolvConf"], "ipam.resolvConf", faults);
  const document = canonicaliseKeys(buildDocument(raw, ipam, pool), warnings);
  const hidden = usesHostLocal(ipam) ? ["ipam.cidr", "ipam.gateway"] : [];
  faults.push(...findFaults(document).flatMap((fault) => (hidden.includes(fault.path) ? [] : [relocate(fault, ipam)])));
  if (faults.length > 0) throw buildConfigError(faults);
  const config = withPool(buildPluginConfig(document), pool);
  return { config: { ...config, routes, ...(resolvConf !== undefined && { resolvConf }) }, warnings };
}

/** What DEL and GC need: name and state folder. Every other fault of `ipam` is passed over, so that addresses can always be given back. */
export function normaliseIpamRoleForDelete(raw: JsonObject): Normalised<HostConfig> {
  return normaliseForDelete(buildDocument(raw, readIpam(raw), undefined));
}

/** `ipam` with the keys of both languages in their canonical case and nulls left out. */
function readIpam(raw: JsonObject): JsonObject {
  const ipam = findField(raw, "ipam");
  if (!isJsonObject(ipam)) return {};
  const known = [...MOVED_KEYS, ...FOREIGN_KEYS, ...RANGE_KEYS, "type", "cidr"];
  const entries = Object.entries(ipam).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [known.find((name) => name.toLowerCase() === key.toLowerCase()) ?? key, value]));
}

/** The same as a document of the plugin's own: one schema serves both. */
function buildDocument(raw: JsonObject, ipam: JsonObject, pool: HostLocalPool | undefined): JsonObject {
  const foreign = new Set<string>([...MOVED_KEYS, ...FOREIGN_KEYS]);
  const own = Object.fromEntries(Object.entries(ipam).filter(([key]) => !foreign.has(key)));
  const moved = MOVED_KEYS.filter((key) => ipam[key] !== undefined).map((key): [string, unknown] => [key, ipam[key]]);
  const stateDir = ipam["stateDir"] ?? ipam["dataDir"];
  const range = pool === undefined ? {} : { cidr: formatCidr(pool.cidr), gateway: formatIp(pool.gateway) };
  return {
    name: findField(raw, "name"),
    mode: "l2bridge",
    ...Object.fromEntries(moved),
    ...(stateDir !== undefined && { stateDir }),
    ipam: { ...own, ...range, type: "hns-cni" },
  };
}

/** A fault of a moved key is one of `ipam`, and of `dataDir` where that was written. */
function relocate(fault: Fault, ipam: JsonObject): Fault {
  if (!MOVED_KEYS.some((key) => key === fault.path)) return fault;
  const isAlias = fault.path === "stateDir" && ipam["stateDir"] === undefined;
  return { ...fault, path: `ipam.${isAlias ? "dataDir" : fault.path}` };
}

function findContradictions(ipam: JsonObject): Fault[] {
  if (ipam["cidr"] === undefined || !usesHostLocal(ipam)) return [];
  return [buildFault("ipam.cidr", ipam["cidr"], "host-local's keys name a range as well", OWN_KEYS_REMEDY)];
}

/** Ranges and addresses that the runtime asks for are refused rather than passed over. */
function findRequestFaults(raw: JsonObject): Fault[] {
  const runtime = findObject(raw, "runtimeConfig");
  const wanted = [
    { path: "runtimeConfig.ipRanges", value: runtime["ipRanges"] },
    { path: "runtimeConfig.ips", value: runtime["ips"] },
    { path: "args.cni.ips", value: findObject(findObject(raw, "args"), "cni")["ips"] },
  ];
  const remedy = "leave it out; addresses and ranges by request come with a later version";
  return wanted
    .filter(({ value }) => Array.isArray(value) && value.length > 0)
    .map(({ path, value }) => buildFault(path, value, "cannot be served", remedy));
}

function findObject(object: JsonObject, key: string): JsonObject {
  const value = object[key];
  return isJsonObject(value) ? value : {};
}

function readRoutes(value: unknown, faults: Fault[]): readonly CniRoute[] {
  const remedy = 'write a list of routes, such as [{"dst": "0.0.0.0/0"}]';
  try {
    const { routes } = parseAnyResult({ routes: value }, "1.1.0");
    const bad = routes.findIndex(({ gw }) => gw !== undefined && findIp(gw) === undefined);
    if (bad >= 0) faults.push(buildFault(`ipam.routes[${bad}].gw`, routes[bad]?.gw, "is no IP address", "write the address of a gateway"));
    return routes;
  } catch (thrown) {
    if (!(thrown instanceof PluginError)) throw thrown;
    faults.push({ path: `ipam.${thrown.data.field ?? "routes"}`, problem: "is not as a route has it", remedy });
    return [];
  }
}

function readPath(value: unknown, path: string, faults: Fault[]): string | undefined {
  if (value === undefined || value === "") return undefined;
  if (typeof value === "string" && ABSOLUTE.test(value)) return value;
  faults.push(buildFault(path, value, "is no absolute path", 'write an absolute path, such as "/etc/resolv.conf"'));
  return undefined;
}

/**
 * Early reuse would have to ask HNS whether an endpoint has the address, and this role does not touch HNS. A pool in host-local's
 * words keeps back what host-local does and no more.
 */
function withPool(config: PluginConfig, pool: HostLocalPool | undefined): PluginConfig {
  const ipam = { ...config.ipam, reuseFloorMs: 0 };
  if (pool === undefined) return { ...config, ipam };
  const [own] = ipam.pools;
  const keptBack = [...(own.keptBack ?? []), { first: 0, last: pool.first - 1 }, { first: pool.last + 1, last: cidrSize(pool.cidr) - 1 }];
  return { ...config, ipam: { ...ipam, pools: [{ ...own, gateway: pool.gateway, keptBack, isForOthers: true }] } };
}
