import { PluginError } from "../base/errors.ts";
import { findMac, type Mac } from "../base/ids.ts";
import { findAddressWithPrefix, findIp } from "../base/ip.ts";
import { type CniArguments, podOf } from "../cni/arguments.ts";
import { findField, isJsonObject, type JsonObject } from "../cni/json.ts";
import { buildConfigError, buildFault, type Fault } from "./faults.ts";
import type { NetworkConfig, Normalised, WantedAddress } from "./plugin-config.ts";

const ANNOTATIONS = "io.kubernetes.cri.pod-annotations";
const OUR_ADDRESSES = "hns-cni.io/ip-addresses";
const OUR_MAC = "hns-cni.io/mac-address";
const CALICO_ADDRESSES = "cni.projectcalico.org/ipAddrs";

const ADDRESS_REMEDY = 'write addresses, such as "10.244.3.20", with or without a prefix length';
const MAC_REMEDY = 'write a unicast MAC address, such as "00-15-5D-00-00-01"';

/** The configuration of an ADD with what the runtime tells of its pod. Throws one INVALID_CONFIG for what is no address, INVALID_ENVIRONMENT in CNI_ARGS. */
export function withRequest<C extends NetworkConfig>(read: Normalised<C>, raw: JsonObject, args: CniArguments): Normalised<C> {
  const faults: Fault[] = [];
  const pod = podOf(args);
  const request = { ...(pod !== undefined && { pod }), addresses: readAddresses(raw, args, faults) };
  const mac = readMac(raw, args, faults);
  if (faults.length > 0) throw buildConfigError(faults);
  return { ...read, config: { ...read.config, request, ...(mac !== undefined && { mac }) } };
}

/** As withRequest, where another program gives the addresses, and hears itself which ones are asked for. */
export function withRequestedMac<C extends NetworkConfig>(read: Normalised<C>, raw: JsonObject, args: CniArguments): Normalised<C> {
  const faults: Fault[] = [];
  const mac = readMac(raw, args, faults);
  if (faults.length > 0) throw buildConfigError(faults);
  return { ...read, config: { ...read.config, ...(mac !== undefined && { mac }) } };
}

/** Refuses ranges that the runtime asks for: the subnets of an HNS network are settled when it is made. */
export function refuseRanges(raw: JsonObject): void {
  const ranges = at(raw, "runtimeConfig", "ipRanges");
  if (!Array.isArray(ranges) || ranges.length === 0) return;
  throw buildConfigError([buildFault("runtimeConfig.ipRanges", ranges, "cannot be served by a network of this plugin's own")]);
}

/** Of the places where addresses are asked for the first one counts that names any; the rest are passed over. */
function readAddresses(raw: JsonObject, args: CniArguments, faults: Fault[]): WantedAddress[] {
  const places: readonly (readonly [from: string, value: unknown])[] = [
    ["runtimeConfig.ips", at(raw, "runtimeConfig", "ips")],
    ["args.cni.ips", at(raw, "args", "cni", "ips")],
    ["CNI_ARGS IP", args.ips],
    [OUR_ADDRESSES, splitList(annotation(raw, OUR_ADDRESSES))],
    [CALICO_ADDRESSES, splitList(annotation(raw, CALICO_ADDRESSES))],
  ];
  const [from, value] = places.find(([, list]) => list !== undefined && !(Array.isArray(list) && list.length === 0)) ?? [];
  if (from === undefined || from === "CNI_ARGS IP") return (args.ips ?? []).map((address) => ({ address, from: "CNI_ARGS" }));
  if (!Array.isArray(value)) {
    faults.push(buildFault(from, value, "must be a list of addresses", ADDRESS_REMEDY));
    return [];
  }
  return value.flatMap((text: unknown, index) => readAddress(text, `${from}[${index}]`, faults));
}

function readAddress(text: unknown, from: string, faults: Fault[]): WantedAddress[] {
  const address = typeof text === "string" ? (findIp(text.trim()) ?? findAddressWithPrefix(text.trim())?.address) : undefined;
  if (address === undefined) faults.push(buildFault(from, text, "is no IP address", ADDRESS_REMEDY));
  return address === undefined ? [] : [{ address, from }];
}

/** Of the places where a MAC address is asked for the first one counts. */
function readMac(raw: JsonObject, args: CniArguments, faults: Fault[]): Mac | undefined {
  const places: readonly (readonly [from: string, value: unknown])[] = [
    ["runtimeConfig.mac", at(raw, "runtimeConfig", "mac")],
    ["args.cni.mac", at(raw, "args", "cni", "mac")],
    ["CNI_ARGS MAC", args.mac],
    [OUR_MAC, annotation(raw, OUR_MAC)],
  ];
  const [from, value] = places.find(([, text]) => text !== undefined && text !== "") ?? [];
  if (from === undefined) return undefined;
  const mac = typeof value === "string" ? findMac(value) : undefined;
  const problem = findMacProblem(mac);
  if (problem !== undefined && from === "CNI_ARGS MAC") throw wrongArgument(args.mac, problem);
  if (problem !== undefined) faults.push(buildFault(from, value, problem, MAC_REMEDY));
  return mac;
}

function wrongArgument(mac: string | undefined, problem: string): PluginError {
  return new PluginError("INVALID_ENVIRONMENT", {
    message: `CNI_ARGS: MAC=${mac ?? ""} ${problem}`,
    remedy: MAC_REMEDY,
    field: "CNI_ARGS",
  });
}

/** What is wrong with a MAC address for an endpoint: a card must not have an address of a group, nor none. */
export function findMacProblem(mac: Mac | undefined): string | undefined {
  if (mac === undefined) return "is no MAC address";
  if (/^[0:]+$/.test(mac)) return "is the MAC address of nobody";
  return Number.parseInt(mac.slice(0, 2), 16) % 2 === 1 ? "is a MAC address of a group" : undefined;
}

/** A list as JSON or with commas; what is no such JSON stays as it is, and is told as a fault. */
function splitList(text: unknown): unknown {
  if (typeof text !== "string" || text.trim() === "") return undefined;
  if (!text.trim().startsWith("[")) return text.split(",");
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function annotation(raw: JsonObject, name: string): unknown {
  const annotations = at(raw, "runtimeConfig", ANNOTATIONS);
  return isJsonObject(annotations) ? annotations[name] : undefined;
}

/** The value below these keys, in any case; undefined where one is missing or null. */
function at(raw: JsonObject, ...keys: readonly string[]): unknown {
  return keys.reduce<unknown>((value, key) => (isJsonObject(value) ? findField(value, key) : undefined), raw);
}
