import { findCidr } from "../base/ip.ts";
import { isJsonObject, type JsonObject } from "../cni/json.ts";
import { showValue } from "../base/fault.ts";
import { buildFault, type Fault } from "./faults.ts";

/** What VPC resource controller for Windows takes for the target of the two that is not set. */
const AWS_IPS = 1;
const AWS_MINIMUM = 3;

const IP_TARGETS = ["WARM_IP_TARGET", "MINIMUM_IP_TARGET"] as const;
const BLOCK_TARGETS = ["WARM_ENI_TARGET", "WARM_PREFIX_TARGET"] as const;
const AZURE = ["batchSize", "requestThresholdPercent", "releaseThresholdPercent", "maxIPCount"] as const;
const ALIASES: readonly string[] = [...IP_TARGETS, ...BLOCK_TARGETS, "IP_COOLDOWN_PERIOD", ...AZURE];

/** The number a setting is to have, and the key that says so. `key` is a path below ipam. */
interface Wish {
  readonly key: string;
  readonly value: number;
  readonly from: string;
  /** As written there, when that is in another unit. */
  readonly written?: number;
  /** Gives way to another key that says the same. */
  readonly isDefault?: boolean;
}

/**
 * Replaces the names that other products have for the same numbers by ours, in a document in canonical case whose defaults are not yet
 * filled in. AWS: WARM_IP_TARGET, MINIMUM_IP_TARGET, WARM_ENI_TARGET, WARM_PREFIX_TARGET, IP_COOLDOWN_PERIOD; Azure: batchSize,
 * requestThresholdPercent, releaseThresholdPercent, maxIPCount. Returns what is no number, and what contradicts itself.
 */
export function foldAliases(document: Record<string, unknown>): Fault[] {
  const ipam = document["ipam"];
  if (!isJsonObject(ipam)) return [];
  const own = ALIASES.every((name) => ipam[name] === undefined);
  if (own) return findContradictions(ipam["warm"]);
  const { numbers, faults } = readNumbers(ipam);
  const wishes = [...awsWishes(numbers), ...azureWishes(numbers, ipam, faults)];
  const folded: Record<string, unknown> = Object.fromEntries(Object.entries(ipam).filter(([name]) => !ALIASES.includes(name)));
  const warm: Record<string, unknown> = isJsonObject(ipam["warm"]) ? { ...ipam["warm"] } : {};
  for (const wish of wishes) faults.push(...fulfil(wish, wish.key.startsWith("warm.") ? warm : folded));
  if (Object.keys(warm).length > 0) folded["warm"] = warm;
  document["ipam"] = folded;
  return [...faults, ...findContradictions(warm)];
}

/** Remarks on aliases that count for nothing beside others, as where they come from. */
export function findAliasWarnings(document: JsonObject): string[] {
  const ipam = isJsonObject(document["ipam"]) ? document["ipam"] : {};
  const ruling = IP_TARGETS.find((name) => ipam[name] !== undefined);
  if (ruling === undefined) return [];
  return BLOCK_TARGETS.filter((name) => ipam[name] !== undefined).map((name) => `ipam.${name} is ignored: ipam.${ruling} is set`);
}

/** Whole numbers; texts of digits too, as environment variables and config maps have them. */
function readNumbers(ipam: JsonObject): { numbers: Map<string, number>; faults: Fault[] } {
  const numbers = new Map<string, number>();
  const faults: Fault[] = [];
  for (const name of ALIASES) {
    const value = ipam[name];
    if (value === undefined) continue;
    const number = typeof value === "string" && /^\d+$/.test(value) ? Number(value) : value;
    if (typeof number === "number" && Number.isSafeInteger(number) && number >= 0) numbers.set(name, number);
    else faults.push(buildFault(`ipam.${name}`, value, "is no whole number from 0 on"));
  }
  return { numbers, faults };
}

function awsWishes(numbers: ReadonlyMap<string, number>): Wish[] {
  const wish = (key: string, from: string): Wish[] => {
    const value = numbers.get(from);
    return value === undefined ? [] : [{ key, value, from }];
  };
  const hasIpTargets = IP_TARGETS.some((name) => numbers.has(name));
  const ips = wish("warm.ips", "WARM_IP_TARGET");
  const minimum = wish("warm.minimum", "MINIMUM_IP_TARGET");
  const missing = [
    ...(ips.length > 0 ? [] : [{ key: "warm.ips", value: AWS_IPS, from: "MINIMUM_IP_TARGET", isDefault: true }]),
    ...(minimum.length > 0 ? [] : [{ key: "warm.minimum", value: AWS_MINIMUM, from: "WARM_IP_TARGET", isDefault: true }]),
  ];
  return [
    ...(hasIpTargets ? [...ips, ...minimum, ...missing] : BLOCK_TARGETS.flatMap((name) => wish("warm.blocks", name))),
    ...wish("cooldownSeconds", "IP_COOLDOWN_PERIOD"),
  ];
}

function azureWishes(numbers: ReadonlyMap<string, number>, ipam: JsonObject, faults: Fault[]): Wish[] {
  const wishes: Wish[] = [];
  const batch = numbers.get("batchSize");
  if (batch !== undefined) {
    if (Number.isInteger(Math.log2(batch)))
      wishes.push({ key: "blockSize", value: 32 - Math.log2(batch), from: "batchSize", written: batch });
    else faults.push(buildFault("ipam.batchSize", batch, "blocks have a power of two of addresses", "write a power of two, such as 16"));
  }
  const request = numbers.get("requestThresholdPercent");
  if (request !== undefined) {
    const value = Math.floor(((batch ?? blockAddresses(ipam)) * request) / 100 + 0.5);
    wishes.push({ key: "warm.ips", value, from: "requestThresholdPercent", written: request });
  }
  faults.push(...findThresholdFaults(request ?? 0, numbers.get("releaseThresholdPercent")));
  const max = numbers.get("maxIPCount");
  return max === undefined ? wishes : [...wishes, { key: "warm.max", value: max, from: "maxIPCount" }];
}

function findThresholdFaults(request: number, release: number | undefined): Fault[] {
  const least = request + 100;
  if (release === undefined || release >= least) return [];
  const problem = `contradicts ipam.requestThresholdPercent ${request}: blocks would be taken and given back in turn`;
  return [buildFault("ipam.releaseThresholdPercent", release, problem, `write at least ${least}, or leave it out`)];
}

function blockAddresses(ipam: JsonObject): number {
  const size = ipam["blockSize"];
  const cidr = typeof ipam["cidr"] === "string" ? findCidr(ipam["cidr"]) : undefined;
  return 2 ** (32 - (typeof size === "number" ? size : Math.max(26, cidr?.prefix ?? 26)));
}

/** Puts the number where it belongs; a fault when another key wants another one there. */
function fulfil({ key, value, from, written = value, isDefault = false }: Wish, into: Record<string, unknown>): Fault[] {
  const name = key.replace("warm.", "");
  const present = into[name];
  if (present === undefined) into[name] = value;
  if (present === undefined || present === value || isDefault) return [];
  const remedy = `write the number once, as ipam.${key}`;
  return [buildFault(`ipam.${from}`, written, `contradicts ipam.${key}, which is ${showValue(present)} and would be ${value}`, remedy)];
}

/** Targets that cannot hold together. */
function findContradictions(warm: unknown): Fault[] {
  if (!isJsonObject(warm)) return [];
  const { ips, minimum, blocks, max } = warm;
  const faults: Fault[] = [];
  const addresses = ips !== undefined ? "ips" : "minimum";
  if (blocks !== undefined && warm[addresses] !== undefined) {
    const problem = `contradicts ipam.warm.${addresses}: both say how much is kept at hand`;
    faults.push(buildFault("ipam.warm.blocks", blocks, problem, "keep either blocks, or ips and minimum"));
  }
  for (const [name, value] of [
    ["ips", ips],
    ["minimum", minimum],
  ] as const) {
    if (typeof value !== "number" || typeof max !== "number" || value <= max) continue;
    faults.push(buildFault(`ipam.warm.${name}`, value, `contradicts ipam.warm.max ${max}`, `write at most ${max}, or raise ipam.warm.max`));
  }
  return faults;
}
