import { isJsonObject, type JsonObject } from "../../cni/json.ts";

/** A policy as HNS v2 takes it. */
export interface PolicyV2 {
  readonly Type: string;
  readonly Settings: JsonObject;
}

interface Shape {
  /** The v2 type. */
  readonly type: string;
  /** v1 or older field (in lower case) to v2 field. */
  readonly fields?: Readonly<Record<string, string>>;
  /** Fields that v2 wants as text. */
  readonly texts?: readonly string[];
}

const NAT: Shape = { type: "PortMapping", fields: { internalport: "InternalPort", externalport: "ExternalPort", protocol: "Protocol" } };
const ROUTE: Shape = { type: "SDNRoute", fields: { destinationprefix: "DestinationPrefix", needencap: "NeedEncap" } };
const ADDRESS: Shape = { type: "ProviderAddress", fields: { pa: "ProviderAddress", provideraddress: "ProviderAddress" } };

/** Policy types by their name in lower case, HNS v1's names and v2's. Source: the HNS and HCN schemas as the reference plugins send them. */
const SHAPES: ReadonlyMap<string, Shape> = new Map([
  [
    "outboundnat",
    {
      type: "OutBoundNAT",
      fields: { exceptionlist: "Exceptions", exceptions: "Exceptions", destinations: "Destinations", vip: "VirtualIP" },
    },
  ],
  ["route", ROUTE],
  ["sdnroute", ROUTE],
  ["pa", ADDRESS],
  ["provideraddress", ADDRESS],
  ["nat", NAT],
  ["portmapping", NAT],
  [
    "acl",
    {
      type: "ACL",
      fields: { protocol: "Protocols", localport: "LocalPorts", remoteport: "RemotePorts" },
      texts: ["Protocols", "LocalPorts", "RemotePorts"],
    },
  ],
  ["qos", { type: "QOS", fields: { maximumoutgoingbandwidthinbytes: "MaximumOutgoingBandwidthInBytes" } }],
]);

/** Port mappings of v1 name the protocol, v2 has its number. */
const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ["tcp", 6],
  ["udp", 17],
  ["sctp", 132],
]);

/** Whether the type is one whose v1 fields this table can name in v2. */
export function isKnownType(type: string): boolean {
  return SHAPES.has(type.toLowerCase());
}

/** A policy of either schema as v2 has it: `{Type, Settings}`. v1 has its fields beside the type. */
export function toPolicyV2(type: string, value: JsonObject): PolicyV2 {
  const shape = SHAPES.get(type.toLowerCase()) ?? { type };
  const settings = Object.entries(value).find(([key]) => key.toLowerCase() === "settings")?.[1];
  const fields = isJsonObject(settings)
    ? settings
    : Object.fromEntries(Object.entries(value).filter(([key]) => key.toLowerCase() !== "type"));
  const named = Object.entries(fields).map(([key, field]): [string, unknown] => {
    const name = shape.fields?.[key.toLowerCase()] ?? key;
    return [name, toFieldV2(field, { name, isText: shape.texts?.includes(name) ?? false, type: shape.type })];
  });
  return { Type: shape.type, Settings: Object.fromEntries(named) };
}

function toFieldV2(value: unknown, { name, isText, type }: { name: string; isText: boolean; type: string }): unknown {
  if (isText && typeof value === "number") return String(value);
  if (type === "PortMapping" && name === "Protocol" && typeof value === "string") return PROTOCOLS.get(value.toLowerCase()) ?? value;
  return value;
}
