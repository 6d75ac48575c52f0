import { FAULT_KINDS, HOST_CALL, type FaultKind, type FaultSpec } from "./model/faults.ts";
import { VERSION_PRESETS } from "./model/features.ts";
import { EXPORTS } from "./model/exports.ts";
import type { BudgetSpec } from "./model/call-budget.ts";
import { buildObject, findNumber, findText, type JsonObject } from "./model/json.ts";
import { DISTRIBUTIONS, type LatencySpec } from "./model/latency.ts";
import type { Packet } from "./model/acl.ts";
import { defaultSettings, type Settings } from "./model/world.ts";

/** Settings that take one of a few words. */
const WORDS: Readonly<Record<string, readonly string[]>> = {
  detachedNamespace: ["zero", "empty", "absent"],
  managementIp: ["adapter", "link-local", "link-local-first", "none"],
  gatewayAnswers: ["always", "without-switch", "never"],
  dhcp: ["lease", "silent"],
};

/** `{"call","kind","nth"?,"match"?,"hresult"?,"ms"?}`. */
export function readFault(fault: JsonObject): FaultSpec {
  const call = findText(fault, "call") ?? "";
  const kind = FAULT_KINDS.find((known) => known === findText(fault, "kind"));
  if (kind === undefined) throw new Error(`a fault's kind is one of ${FAULT_KINDS.join(", ")}`);
  if (call !== HOST_CALL) requireExport(call);
  return { call, kind, ...readFaultDetails(fault, kind) };
}

function readFaultDetails(fault: JsonObject, kind: FaultKind): Omit<FaultSpec, "call" | "kind"> {
  const nth = findNumber(fault, "nth");
  const match = findText(fault, "match");
  const hresult = findNumber(fault, "hresult");
  const ms = findNumber(fault, "ms");
  if (kind.startsWith("fail") && hresult === undefined) throw new Error("this fault needs an hresult");
  if (["late", "delay"].includes(kind) && ms === undefined) throw new Error("this fault needs ms");
  if (nth !== undefined && (!Number.isInteger(nth) || nth < 1)) throw new Error("nth counts from 1");
  // The fields were read with these types just above.
  return buildObject({ nth, match, hresult: hresult === undefined ? undefined : hresult >>> 0, ms });
}

/** `{"call","distribution":"fixed","ms"}`, `{…"uniform","min","max","seed"?}` or `{…"exponential","mean","seed"?}`. */
export function readLatency(latency: JsonObject): LatencySpec {
  const call = findText(latency, "call") ?? "";
  requireExport(call);
  const seed = findNumber(latency, "seed");
  const seeded = seed === undefined ? {} : { seed };
  switch (findText(latency, "distribution")) {
    case "fixed":
      return { call, distribution: "fixed", ms: readMs(latency, "ms") };
    case "uniform": {
      const [min, max] = [readMs(latency, "min"), readMs(latency, "max")];
      if (min > max) throw new Error("min is above max");
      return { call, distribution: "uniform", min, max, ...seeded };
    }
    case "exponential":
      return { call, distribution: "exponential", mean: readMs(latency, "mean"), ...seeded };
    default:
      throw new Error(`a latency's distribution is one of ${DISTRIBUTIONS.join(", ")}`);
  }
}

/** `{"limit", "hresult"?}`. */
export function readBudget(budget: JsonObject): BudgetSpec {
  const limit = findNumber(budget, "limit") ?? -1;
  if (!Number.isInteger(limit) || limit < 0) throw new Error("a budget's limit is a number of calls");
  const hresult = findNumber(budget, "hresult");
  return { limit, ...(hresult === undefined ? {} : { hresult: hresult >>> 0 }) };
}

/** `{"direction":"In"|"Out","protocol","local","remote","localPort"?,"remotePort"?}`. */
export function readPacket(packet: JsonObject): Packet {
  const direction = findText(packet, "direction");
  if (direction !== "In" && direction !== "Out") throw new Error("a packet's direction is In or Out");
  const [localPort, remotePort] = [findNumber(packet, "localPort"), findNumber(packet, "remotePort")];
  return {
    direction,
    protocol: findNumber(packet, "protocol") ?? 6,
    local: findText(packet, "local") ?? "",
    remote: findText(packet, "remote") ?? "",
    ...(localPort === undefined ? {} : { localPort }),
    ...(remotePort === undefined ? {} : { remotePort }),
  };
}

/** Settings to change, each checked. `versionPreset` stands for the `version` of a Windows Server. */
export function readSettings(given: JsonObject): Partial<Settings> {
  const { versionPreset, ...plain } = given;
  const known = defaultSettings();
  for (const [key, value] of Object.entries(plain)) {
    if (!(key in known)) throw new Error(`no setting "${key}"; there are: ${Object.keys(known).join(", ")}`);
    if (typeof value !== typeof known[key as keyof Settings]) throw new Error(`setting "${key}" has the wrong type`);
    const words = WORDS[key];
    if (words !== undefined && !words.some((word) => word === value)) throw new Error(`setting "${key}" is one of ${words.join(", ")}`);
  }
  // Every key and the type of each value were checked above.
  return versionPreset === undefined ? plain : { version: readPreset(versionPreset), ...plain };
}

function readPreset(name: unknown): Settings["version"] {
  const version = VERSION_PRESETS[String(name)];
  if (version === undefined) throw new Error(`versionPreset is one of ${Object.keys(VERSION_PRESETS).join(", ")}`);
  return { ...version };
}

function readMs(object: JsonObject, name: string): number {
  const value = findNumber(object, name) ?? -1;
  if (value < 0) throw new Error(`this latency needs ${name}, in milliseconds`);
  return value;
}

function requireExport(call: string): void {
  if (call !== "*" && call !== "HNSCall" && !EXPORTS.has(call)) throw new Error(`no export "${call}"`);
}
