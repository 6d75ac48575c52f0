import { PluginError } from "../base/errors.ts";
import { cidrSize, findIp, formatCidr } from "../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { parseAnyResult } from "../cni/result-parsing.ts";
import type { CniRoute } from "../cni/result.ts";
import { canonicaliseKeys } from "./canonical-keys.ts";
import { buildConfigError, buildFault, type Fault } from "./faults.ts";
import { RANGE_KEYS, readHostLocal, usesHostLocal } from "./host-local.ts";
import { type HostLocalPool, listPools, outsideParts, type HostLocalSet } from "./host-local-sets.ts";
import { buildPluginConfig, findFaults, normaliseForDelete } from "./normalise.ts";
import type { HostConfig, Normalised, PluginConfig, PoolConfig } from "./plugin-config.ts";
import { SPELLINGS } from "./pool-groups.ts";

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

/**
 * The configuration in `raw`, another plugin's object as the runtime passed it to that plugin. `ipam` may be written in our keys or in
 * host-local's. Throws one INVALID_CONFIG that lists every fault.
 */
export function normaliseIpamRole(raw: JsonObject): Normalised<IpamRoleConfig> {
  const warnings: string[] = [];
  const ipam = readIpam(raw);
  const ipRanges = findField(findObject(raw, "runtimeConfig"), "ipRanges");
  const own = SPELLINGS.find((key) => ipam[key] !== undefined);
  const faults = findContradictions(ipam, own);
  const isHostLocal = usesHostLocal(ipam, ipRanges);
  const sets = isHostLocal ? readHostLocal(ipam, ipRanges, faults) : [];
  const routes = readRoutes(ipam["routes"], faults);
  const resolvConf = readPath(ipam["resolvConf"], "ipam.resolvConf", faults);
  const pools = listPools(sets);
  const document = canonicaliseKeys(buildDocument(raw, ipam, own === undefined ? pools : []), warnings);
  const isHidden = ({ path }: Fault): boolean => isHostLocal && own === undefined && /^ipam\.(cidrs?|gateway)\b/.test(path);
  faults.push(
    ...findFaults(document).flatMap((fault) => (isHidden(fault) ? [] : [relocate(fault, ipam)])),
    ...findVersionFaults(raw, sets),
  );
  if (faults.length > 0) throw buildConfigError(faults);
  const config = withPools(buildPluginConfig(document), pools, own !== undefined);
  return { config: { ...config, routes, ...(resolvConf !== undefined && { resolvConf }) }, warnings };
}

/** What DEL and GC need: name and state folder. Every other fault of `ipam` is passed over, so that addresses can always be given back. */
export function normaliseIpamRoleForDelete(raw: JsonObject): Normalised<HostConfig> {
  return normaliseForDelete(buildDocument(raw, readIpam(raw), []));
}

/** `ipam` with the keys of both languages in their canonical case and nulls left out. */
function readIpam(raw: JsonObject): JsonObject {
  const ipam = findField(raw, "ipam");
  if (!isJsonObject(ipam)) return {};
  const known = [...MOVED_KEYS, ...FOREIGN_KEYS, ...RANGE_KEYS, ...SPELLINGS, "type"];
  const entries = Object.entries(ipam).filter(([, value]) => value !== null);
  return Object.fromEntries(entries.map(([key, value]) => [known.find((name) => name.toLowerCase() === key.toLowerCase()) ?? key, value]));
}

/** The same as a document of the plugin's own: one schema serves both. */
function buildDocument(raw: JsonObject, ipam: JsonObject, pools: readonly HostLocalPool[]): JsonObject {
  const foreign = new Set<string>([...MOVED_KEYS, ...FOREIGN_KEYS]);
  const own = Object.fromEntries(Object.entries(ipam).filter(([key]) => !foreign.has(key)));
  const moved = MOVED_KEYS.filter((key) => ipam[key] !== undefined).map((key): [string, unknown] => [key, ipam[key]]);
  const stateDir = ipam["stateDir"] ?? ipam["dataDir"];
  // The gateway may lie outside of the subnet, and ours may not: it is put in afterwards.
  const ranges = pools.length === 0 ? {} : { cidrs: [...new Set(pools.map(({ cidr }) => formatCidr(cidr)))], gateway: undefined };
  return {
    name: findField(raw, "name"),
    mode: "l2bridge",
    ...Object.fromEntries(moved),
    ...(stateDir !== undefined && { stateDir }),
    ipam: { ...own, ...ranges, type: "hns-cni" },
  };
}

/** A fault of a moved key is one of `ipam`, and of `dataDir` where that was written. */
function relocate(fault: Fault, ipam: JsonObject): Fault {
  if (!MOVED_KEYS.some((key) => key === fault.path)) return fault;
  const isAlias = fault.path === "stateDir" && ipam["stateDir"] === undefined;
  return { ...fault, path: `ipam.${isAlias ? "dataDir" : fault.path}` };
}

function findContradictions(ipam: JsonObject, own: (typeof SPELLINGS)[number] | undefined): Fault[] {
  if (own === undefined || !usesHostLocal(ipam, undefined)) return [];
  return [buildFault(`ipam.${own}`, ipam[own], "host-local's keys name a range as well", `use either ${own} or host-local's keys`)];
}

/** Results of before version 0.3.0 hold one address of each family. */
function findVersionFaults(raw: JsonObject, sets: readonly HostLocalSet[]): Fault[] {
  const version = findField(raw, "cniVersion");
  const families = sets.map((set) => set[0]?.cidr.address.family);
  if (typeof version !== "string" || !/^0\.[12]\./.test(version) || new Set(families).size === families.length) return [];
  const remedy = "write one set for each address family, or set cniVersion to 0.3.0 or later";
  return [buildFault("cniVersion", version, "holds one address of each address family, and the sets of ranges give more", remedy)];
}

function findObject(object: JsonObject, key: string): JsonObject {
  const value = findField(object, key);
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
 * Early reuse would have to ask HNS whether an endpoint has the address, and this role does not touch HNS. Pools in host-local's words keep
 * back what host-local does and no more, and come before our own.
 */
function withPools(config: PluginConfig, pools: readonly HostLocalPool[], hasOwn: boolean): PluginConfig {
  const own = config.ipam.pools;
  const built = pools.map((pool) => buildPool(pool, pools, hasOwn ? undefined : own));
  const [first = own[0], ...others] = hasOwn ? [...built, ...own] : built;
  return { ...config, ipam: { ...config.ipam, reuseFloorMs: 0, pools: [first, ...others] } };
}

/** `own` are the pools that our keys make of the subnets: they have the block size, and what our keys keep back. */
function buildPool(pool: HostLocalPool, all: readonly HostLocalPool[], own: readonly PoolConfig[] | undefined): PoolConfig {
  const { cidr, gateway, set, parts, path, isShared } = pool;
  const base = own?.find((candidate) => formatCidr(candidate.cidr) === formatCidr(cidr));
  const gateways = all.filter((other) => other.set === set).map((other) => other.gateway);
  const keptBack = [...(base?.keptBack ?? []), ...outsideParts(pool, cidrSize(cidr), gateways)];
  const usual = Math.max(cidr.address.family === 4 ? 26 : 122, cidr.prefix);
  const part = isShared ? { part: ` ${parts.map(({ first, last }) => `${first}-${last}`).join(",")}` } : {};
  return { cidr, blockSize: base?.blockSize ?? usual, gateway, keptBack, isForOthers: true, set, field: `${path}.subnet`, ...part };
}
