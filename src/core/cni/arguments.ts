import { PluginError } from "../base/errors.ts";
import { findMac } from "../base/ids.ts";
import type { Mac } from "../base/ids.ts";
import { findAddressWithPrefix, findIp } from "../base/ip.ts";
import type { IpAddress } from "../base/ip.ts";

/** What CNI_ARGS says about the pod. Empty values count as absent. */
export interface CniArguments {
  readonly podNamespace?: string;
  readonly podName?: string;
  readonly podUid?: string;
  readonly podSandboxId?: string;
  readonly ips?: readonly IpAddress[];
  readonly mac?: Mac;
}

/** A pod as Kubernetes names it. */
export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid?: string;
}

const KNOWN_KEYS = new Set([
  "K8S_POD_NAMESPACE",
  "K8S_POD_NAME",
  "K8S_POD_UID",
  "K8S_POD_INFRA_CONTAINER_ID",
  "IP",
  "MAC",
  "IgnoreUnknown",
]);

/**
 * CNI_ARGS, `KEY=value;KEY=value` in any order. Nothing is trimmed, keys are case-sensitive, the last of equal keys wins.
 * Throws INVALID_ENVIRONMENT for a pair without exactly one `=` (so also for a trailing `;`), for an unknown key
 * unless IgnoreUnknown is 1 or true, and for an IP or MAC that is none.
 */
export function parseArguments(text: string): CniArguments {
  const pairs = parsePairs(text);
  const unknown = [...pairs.keys()].filter((key) => !KNOWN_KEYS.has(key));
  if (unknown.length > 0 && !parseBoolean(pairs.get("IgnoreUnknown"))) {
    throw argumentsError(`unknown keys ${JSON.stringify(unknown)}`, "remove them or add IgnoreUnknown=1");
  }
  return {
    ...optional("podNamespace", pairs.get("K8S_POD_NAMESPACE")),
    ...optional("podName", pairs.get("K8S_POD_NAME")),
    ...optional("podUid", pairs.get("K8S_POD_UID")),
    ...optional("podSandboxId", pairs.get("K8S_POD_INFRA_CONTAINER_ID")),
    ...optional("ips", parseValue(pairs, "IP", findAddresses)),
    ...optional("mac", parseValue(pairs, "MAC", findMac)),
  };
}

/** The pod that the runtime names; undefined where it names none. */
export function podOf({ podNamespace, podName, podUid }: CniArguments): PodIdentity | undefined {
  if (podNamespace === undefined || podName === undefined) return undefined;
  return { namespace: podNamespace, name: podName, ...(podUid !== undefined && { uid: podUid }) };
}

/** An address with or without a prefix length, or several with commas between; undefined when one is none. */
function findAddresses(text: string): IpAddress[] | undefined {
  const found = text.split(",").map((part) => findIp(part) ?? findAddressWithPrefix(part)?.address);
  return found.some((address) => address === undefined) ? undefined : found.filter((address) => address !== undefined);
}

function optional<K extends keyof CniArguments>(key: K, value: CniArguments[K] | undefined): Partial<Pick<CniArguments, K>> {
  return value === undefined || value === "" ? {} : ({ [key]: value } as Partial<Pick<CniArguments, K>>);
}

function parsePairs(text: string): Map<string, string> {
  const pairs = new Map<string, string>();
  if (text === "") return pairs;
  for (const pair of text.split(";")) {
    const parts = pair.split("=");
    const [key, value] = parts;
    if (parts.length !== 2 || key === undefined || value === undefined) {
      throw argumentsError(`invalid pair ${JSON.stringify(pair)}`, "write KEY=value pairs with ; between them and none at the end");
    }
    pairs.set(key, value);
  }
  // An IgnoreUnknown that is no truth value is a fault even when every key is known.
  parseBoolean(pairs.get("IgnoreUnknown"));
  return pairs;
}

function parseBoolean(text: string | undefined): boolean {
  const value = (text ?? "false").toLowerCase();
  if (value === "1" || value === "true") return true;
  if (value === "0" || value === "false") return false;
  throw argumentsError(`IgnoreUnknown=${JSON.stringify(text)} is no truth value`, "write 1, 0, true or false");
}

function parseValue<T>(pairs: ReadonlyMap<string, string>, key: string, find: (text: string) => T | undefined): T | undefined {
  const text = pairs.get(key) ?? "";
  if (text === "") return undefined;
  const value = find(text);
  if (value === undefined) throw argumentsError(`${key}=${JSON.stringify(text)} is no ${key} address`, "correct it or leave it out");
  return value;
}

function argumentsError(problem: string, remedy: string): PluginError {
  return new PluginError("INVALID_ENVIRONMENT", { message: `CNI_ARGS: ${problem}`, remedy, field: "CNI_ARGS" });
}
