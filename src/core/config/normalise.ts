import { PluginError } from "../base/errors.ts";
import { addressAt, findCidr } from "../base/ip.ts";
import type { Cidr } from "../base/ip.ts";
import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { readConfiguredPolicies } from "../policy/configured-policies.ts";
import { canonicaliseKeys } from "./canonical-keys.ts";
import { buildConfigError, buildFault, describeSchemaFault } from "./faults.ts";
import type { Fault } from "./faults.ts";
import { findSchemaFaults } from "./generated/validate-plugin.ts";
import type {
  DelegatedConfig,
  DnsConfig,
  HnsAddressedConfig,
  HostConfig,
  LogLevel,
  NetworkConfig,
  Normalised,
  PluginConfig,
  StickyMode,
} from "./plugin-config.ts";
import { buildBandwidth, findBandwidthFaults } from "./bandwidth.ts";
import { findModeWarnings, leavesAddressesToHns } from "./mode-faults.ts";
import { buildModeSettings, type ModeDocument } from "./mode-settings.ts";
import { findModeFacts } from "./modes.ts";
import { findIpamType, findRole, isOurType, type OurNames } from "./our-names.ts";
import { findIpv6Alone } from "./pool-faults.ts";
import { buildPools, buildWarm, type WarmDocument } from "./pool-settings.ts";
import { buildPortMappings, findRuntimeFaults, mergeDns } from "./runtime-config.ts";
import { findConfigWarnings, findIpv6Subnet, findSemanticFaults, findSubnetFaults, readSubnets } from "./semantic-faults.ts";
import { findAliasWarnings, foldAliases } from "./warm-aliases.ts";

/** The default and the upper limit of ipam.reclaimGraceSeconds, as the schema has them. */
const RECLAIM_GRACE_SECONDS = 60;
const MAX_RECLAIM_GRACE_SECONDS = 86_400;

/** The keys DEL reads beside the name; all of them have a default. */
const DELETE_KEYS = ["stateDir", "logLevel", "logFile", "callTimeoutSeconds", "operationTimeoutSeconds"] as const;

/** The part of a valid document that every command reads, defaults filled in. */
interface HostDocument {
  readonly stateDir?: string;
  readonly logLevel: LogLevel;
  readonly logFile?: string;
  readonly callTimeoutSeconds: number;
  readonly operationTimeoutSeconds: number;
  /** Another program's section where that one gives the addresses. */
  readonly ipam?: unknown;
}

/** A document that has passed the schema, defaults filled in. */
interface PluginDocument extends HostDocument, ModeDocument {
  readonly name: string;
  readonly adapter?: string;
  readonly clusterCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  readonly dns: DnsConfig;
  readonly statusFailsOnExhaustion: boolean;
  readonly policies: readonly unknown[];
  readonly subnet?: string;
  readonly ipam: {
    readonly cooldownSeconds: number;
    readonly waitSeconds: number;
    readonly reuseFloorSeconds: number;
    readonly sticky: StickyMode;
    readonly nodeLabels?: Readonly<Record<string, string>>;
    readonly warm?: WarmDocument;
  };
  readonly runtimeConfig: {
    readonly portMappings: readonly unknown[];
    readonly mac?: string;
    readonly dns: { readonly servers: readonly string[]; readonly searches: readonly string[]; readonly options: readonly string[] };
  };
}

/**
 * The configuration in `raw`, a plugin object as the runtime passes it, whose addresses are ours to give. `raw` is not changed.
 * Throws one INVALID_CONFIG that lists every fault with its path, value and remedy. Unknown keys only lead to warnings.
 */
export function normalise(raw: JsonObject, names: OurNames = []): Normalised<PluginConfig> {
  const warnings: string[] = [];
  const document = canonicaliseKeys(raw, warnings);
  warnings.push(...findAliasWarnings(document)); // findFaults replaces the aliases
  const isIpamMissing = leavesAddressesToHns(document);
  const faults = findFaults(document, names);
  const type = findForeignType(document, names);
  if (type !== undefined) faults.push(buildFault("ipam.type", type, "is another plugin"));
  if (isIpamMissing) faults.push(IPAM_MISSING);
  refuseFaults(faults);
  refuseFaults(findIpv6Alone(document["ipam"]));
  const config = buildPluginConfig(document);
  return { config, warnings: [...warnings, ...findConfigWarnings(config, document)] };
}

/** As `normalise`, for a configuration whose `ipam.type` names another program. What else is in `ipam` is that program's to judge. */
export function normaliseDelegated(raw: JsonObject, names: OurNames = []): Normalised<DelegatedConfig> {
  const warnings: string[] = [];
  const document = canonicaliseKeys(raw, warnings);
  const faults = findFaults(document, names);
  const type = findForeignType(document, names);
  if (faults.length > 0 || type === undefined)
    throw buildConfigError(faults.length > 0 ? faults : [buildFault("ipam.type", "hns-cni", "is this plugin")]);
  const network = document as unknown as PluginDocument;
  const subnets = readSubnets(network.subnet ?? findIpamSubnet(raw));
  const config = { ...buildNetworkConfig(network), delegate: { type, subnets } };
  return { config, warnings: [...warnings.filter((warning) => !warning.includes(" ipam.")), ...findModeWarnings(config, document)] };
}

/** As `normalise`, for a configuration without addresses: HNS chooses them. */
export function normaliseHnsAddressed(raw: JsonObject, names: OurNames = []): Normalised<HnsAddressedConfig> {
  const warnings: string[] = [];
  const document = canonicaliseKeys(raw, warnings);
  const faults = findFaults(document, names);
  refuseFaults(faults);
  const network = document as unknown as PluginDocument;
  refuseFaults(findIpv6Subnet(network.subnet));
  const subnets = readSubnets(network.subnet).map((cidr) => ({ cidr, gateway: addressAt(cidr, 1) }));
  const config = { ...buildNetworkConfig(network), hnsAddressed: { subnets } };
  return { config, warnings: [...warnings, ...findModeWarnings(config, document)] };
}

/**
 * What DEL needs, whatever else the configuration says: an attachment must be removable after its configuration was broken.
 * A value that is not valid gives way to its default, with a warning. Throws INVALID_CONFIG only for a missing or malformed name.
 */
export function normaliseForDelete(raw: JsonObject): Normalised<HostConfig> {
  const document = canonicaliseKeys(raw, []);
  refuseFaults(findFaults(document).filter(({ path }) => path === "name"));
  const wanted = new Set<string>(DELETE_KEYS);
  const part = Object.fromEntries(Object.entries(canonicaliseKeys(raw, [])).filter(([key]) => wanted.has(key)));
  const faults = dropRepeats(findSchemaFaults(part).map((fault) => describeSchemaFault(fault, part))).filter(({ path }) =>
    wanted.has(path),
  );
  for (const { path } of faults) Reflect.deleteProperty(part, path);
  findSchemaFaults(part); // fills in the defaults of what was taken out; what it still misses, DEL does not read
  const host = { ...part, ipam: document["ipam"] } as unknown as HostDocument;
  const config = buildHostConfig(String(document["name"]), host);
  return { config, warnings: faults.map(({ path, problem }) => `${path} ${problem}; its default is used instead`) };
}

function refuseFaults(faults: readonly Fault[]): void {
  if (faults.length > 0) throw buildConfigError(faults);
}

/** As `findFaults`, for a document whose networks this plugin makes: with what only an IPAM plugin for others could serve. */
export function findNetworkFaults(document: Record<string, unknown>, names: OurNames = []): Fault[] {
  const role = findRole(document, names);
  const faults = findFaults(document, names);
  if (faults.length > 0) return faults;
  if (role === "hns-addressed") return findIpv6Subnet(document["subnet"]);
  return role === "plugin" ? findIpv6Alone(document["ipam"]) : [];
}

/** Every fault of a document in canonical case, into which the schema's defaults are filled. */
export function findFaults(document: Record<string, unknown>, names: OurNames = []): Fault[] {
  const isLeftToHns = leavesAddressesToHns(document); // the schema fills defaults into an empty section
  const aliasFaults = foldAliases(document);
  const schemaFaults = findSchemaFaults(document).map((fault) => describeSchemaFault(fault, document));
  const faults = dropRepeats([
    ...aliasFaults,
    ...schemaFaults,
    ...findSemanticFaults(document),
    ...findRuntimeFaults(document),
    ...findBandwidthFaults(document),
    ...findPolicyFaults(document),
  ]);
  if (isLeftToHns)
    return [
      ...faults.filter(({ path }) => path !== "ipam" && !path.startsWith("ipam.")),
      ...findSubnetFaults(document),
      ...findChoiceFaults(document),
    ];
  return findForeignType(document, names) === undefined ? faults : withoutIpam([...faults, ...findSubnetFaults(document)]);
}

function findPolicyFaults(document: JsonObject): Fault[] {
  const faults: Fault[] = [];
  readConfiguredPolicies(document["policies"], faults);
  return faults;
}

/** One value can fail two rules of the schema, and a rule of ours beside: the first says enough. */
function dropRepeats(faults: readonly Fault[]): Fault[] {
  const byPath = new Map<string, Fault>();
  for (const fault of faults) if (!byPath.has(fault.path)) byPath.set(fault.path, fault);
  return [...byPath.values()];
}

/** When the addresses are to come from another plugin, its own section is its own business. */
function withoutIpam(faults: Fault[]): Fault[] {
  return faults.filter(({ path }) => path === "ipam.type" || !path.startsWith("ipam."));
}

const IPAM_MISSING: Fault = {
  path: "ipam",
  problem: "is missing",
  remedy: 'write an object, such as {"type": "hns-cni", "cidr": "10.244.3.0/24"}',
};

/** Not every kind of network lets HNS choose the addresses. */
function findChoiceFaults(document: JsonObject): Fault[] {
  return findModeFacts(document["mode"])?.canHnsChoose === false ? [IPAM_MISSING] : [];
}

/** `ipam.type` where it names another program; undefined where it is ours, missing or malformed. */
function findForeignType(document: JsonObject, names: OurNames): string | undefined {
  const type = findIpamType(document);
  return type === undefined || isOurType(type, names) ? undefined : type;
}

/** The subnet that many IPAM plugins have in their section, where it can be one of HNS. */
function findIpamSubnet(raw: JsonObject): string | undefined {
  const ipam = findField(raw, "ipam");
  const subnet = isJsonObject(ipam) ? findField(ipam, "subnet") : undefined;
  return typeof subnet === "string" && findSubnetFaults({ subnet }).length === 0 ? subnet : undefined;
}

/** The configuration of a document in which findFaults has found none and filled in the defaults. */
export function buildPluginConfig(document: Readonly<Record<string, unknown>>): PluginConfig {
  return buildConfig(document as unknown as PluginDocument);
}

function buildConfig(document: PluginDocument): PluginConfig {
  const { cooldownSeconds, waitSeconds, reuseFloorSeconds, sticky, nodeLabels, warm } = document.ipam;
  return {
    ...buildNetworkConfig(document),
    ipam: {
      pools: buildPools({ ...document.ipam }),
      cooldownMs: cooldownSeconds * 1000,
      waitMs: waitSeconds * 1000,
      reuseFloorMs: reuseFloorSeconds * 1000,
      sticky,
      ...(nodeLabels === undefined ? {} : { nodeLabels }),
      ...(warm === undefined ? {} : { warm: buildWarm(warm) }),
    },
  };
}

function buildNetworkConfig(document: PluginDocument): NetworkConfig {
  const bandwidth = buildBandwidth({ ...document });
  return {
    ...buildHostConfig(document.name, document),
    ...buildModeSettings(document, document.runtimeConfig.mac),
    ...(document.adapter === undefined ? {} : { adapter: document.adapter }),
    clusterCidrs: document.clusterCidrs.map(parseCidr),
    serviceCidrs: document.serviceCidrs.map(parseCidr),
    dns: mergeDns(document.dns, document.runtimeConfig.dns),
    statusFailsOnExhaustion: document.statusFailsOnExhaustion,
    portMappings: buildPortMappings(document.runtimeConfig.portMappings),
    ...(bandwidth === undefined ? {} : { bandwidth }),
    policies: readConfiguredPolicies(document.policies, []),
  };
}

function buildHostConfig(networkName: string, document: HostDocument): HostConfig {
  const { stateDir, logLevel, logFile, callTimeoutSeconds, operationTimeoutSeconds, ipam } = document;
  return {
    networkName,
    ...(stateDir === undefined ? {} : { stateDir }),
    logLevel,
    ...(logFile === undefined ? {} : { logFile }),
    callTimeoutMs: callTimeoutSeconds * 1000,
    operationTimeoutMs: operationTimeoutSeconds * 1000,
    reclaimGraceMs: readReclaimGrace(ipam) * 1000,
  };
}

/** In seconds. DEL and GC must work whatever the section holds, and the section may be another program's. */
function readReclaimGrace(ipam: unknown): number {
  const value = isJsonObject(ipam) ? ipam["reclaimGraceSeconds"] : undefined;
  return typeof value === "number" && value >= 0 && value <= MAX_RECLAIM_GRACE_SECONDS ? value : RECLAIM_GRACE_SECONDS;
}

function parseCidr(text: string): Cidr {
  const cidr = findCidr(text);
  if (cidr === undefined)
    throw new PluginError("INTERNAL", { message: `${text} passed validation but is no CIDR`, remedy: "report this with the log file" });
  return cidr;
}
