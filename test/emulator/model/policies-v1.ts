/** Policies between version 1 (flat, with names and types of their own) and version 2 (`{Type, Settings}`). */
import { findNumber, findObject, findText, isObject, type JsonObject, type JsonValue } from "./json.ts";

/** A type's name in each version, and the fields that are named differently: version 1 name to version 2 name. */
interface Pair {
  readonly v1: string;
  readonly v2: string;
  readonly fields: Readonly<Record<string, string>>;
}

const PAIRS: readonly Pair[] = [
  { v1: "OutBoundNAT", v2: "OutBoundNAT", fields: { ExceptionList: "Exceptions", VIP: "VirtualIP" } },
  { v1: "ROUTE", v2: "SDNRoute", fields: {} },
  { v1: "PA", v2: "ProviderAddress", fields: { PA: "ProviderAddress" } },
  { v1: "NAT", v2: "PortMapping", fields: {} },
  { v1: "PROXY", v2: "L4Proxy", fields: { ExceptionList: "Exceptions", OutboundNat: "OutboundNAT" } },
  { v1: "VLAN", v2: "VLAN", fields: { VLAN: "IsolationId" } },
  { v1: "VSID", v2: "VSID", fields: { VSID: "IsolationId" } },
];

const PROTOCOLS: Readonly<Record<string, number>> = { TCP: 6, UDP: 17 };

export function policyToV2(policy: JsonObject): JsonObject {
  const flat = without(policy, ["Type"]);
  const type = findText(policy, "Type") ?? "";
  const pair = PAIRS.find(({ v1 }) => v1.toLowerCase() === type.toLowerCase());
  if (pair !== undefined) return { Type: pair.v2, Settings: convertSettings(pair, rename(flat, pair.fields)) };
  if (type.toUpperCase() === "ACL") return { Type: "ACL", Settings: aclToV2(flat) };
  return { Type: type, Settings: flat };
}

export function policyToV1(policy: JsonValue): JsonObject {
  if (!isObject(policy)) return {};
  const settings = findObject(policy, "Settings") ?? {};
  const type = findText(policy, "Type") ?? "";
  const pair = PAIRS.find(({ v2 }) => v2 === type);
  return { Type: pair?.v1 ?? type, ...rename(settings, reverse(pair?.fields ?? {})) };
}

function convertSettings({ v1 }: Pair, settings: JsonObject): JsonObject {
  if (v1 !== "NAT") return settings;
  const { Protocol: protocol, ...rest } = without(settings, ["ExternalPortReserved"]);
  if (protocol === undefined) return rest;
  return { ...rest, Protocol: typeof protocol === "string" ? (PROTOCOLS[protocol.toUpperCase()] ?? protocol) : protocol };
}

/** Version 1 ACLs may give one protocol and one port as numbers. */
function aclToV2(flat: JsonObject): JsonObject {
  const settings = without(flat, ["Protocol", "LocalPort", "RemotePort", "InternalPort", "ServiceName"]);
  const numbers = [
    ["Protocol", "Protocols"],
    ["LocalPort", "LocalPorts"],
    ["RemotePort", "RemotePorts"],
  ] as const;
  for (const [field, list] of numbers) {
    const value = findNumber(flat, field);
    if (value !== undefined && settings[list] === undefined) settings[list] = String(value);
  }
  return settings;
}

function reverse(names: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(names).map(([from, to]) => [to, from]));
}

function rename(object: JsonObject, names: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(Object.entries(object).map(([key, value]) => [names[key] ?? key, value]));
}

export function without(object: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => !names.includes(key)));
}
