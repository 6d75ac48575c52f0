import { PluginError } from "../base/errors.ts";
import { findGuid, findMac, type Guid, type Mac } from "../base/ids.ts";

/** Wire types of the HCN schema 2.0, in HNS's own field case. What we send is typed exactly; what HNS answers is parsed below. */
export interface SchemaVersion {
  readonly Major: number;
  readonly Minor: number;
}

export const SCHEMA_V2: SchemaVersion = { Major: 2, Minor: 0 };

export interface PolicyDocument {
  readonly Type: string;
  readonly Settings: object;
}

export interface RouteDocument {
  readonly NextHop: string;
  readonly DestinationPrefix: string;
}

export interface SubnetDocument {
  readonly IpAddressPrefix: string;
  readonly Routes?: readonly RouteDocument[];
  readonly Policies?: readonly PolicyDocument[];
}

export interface NetworkDocument {
  readonly SchemaVersion: SchemaVersion;
  readonly Name: string;
  readonly Type: string;
  readonly Flags: number;
  readonly Ipams: readonly { readonly Type: string; readonly Subnets: readonly SubnetDocument[] }[];
  readonly Policies: readonly PolicyDocument[];
}

export interface DnsDocument {
  readonly Domain?: string;
  readonly Search?: readonly string[];
  readonly ServerList?: readonly string[];
  readonly Options?: readonly string[];
}

export interface EndpointDocument {
  readonly SchemaVersion: SchemaVersion;
  readonly Name: string;
  readonly HostComputeNetwork: string;
  /** Absent: HNS chooses the addresses. */
  readonly IpConfigurations?: readonly { readonly IpAddress: string; readonly PrefixLength: number }[];
  readonly MacAddress?: string;
  readonly Routes?: readonly RouteDocument[];
  readonly Dns?: DnsDocument;
  readonly Policies?: readonly PolicyDocument[];
}

/** A network as HNS describes it, reduced to what is compared. */
export interface NetworkView {
  readonly id: Guid;
  readonly name: string;
  /** HNS leaves the type of a NAT network out; then this is "NAT". */
  readonly type: string;
  readonly subnets: readonly SubnetView[];
  /** The adapter the network is bound to, when HNS reports one. */
  readonly adapter: string | undefined;
  /** Overlay: the node's address at which tunnels end; undefined while the management interface has none. */
  readonly providerAddress: string | undefined;
  /** Overlay: the tunnels' UDP port, when HNS reports it. */
  readonly vxlanPort: number | undefined;
  /** Overlay: the node reaches its own pods. */
  readonly hasHostRoute: boolean;
}

export interface SubnetView {
  readonly prefix: string;
  readonly gateway: string | undefined;
  /** Overlay: the virtual subnet's number, when HNS reports it. */
  readonly vsid: number | undefined;
}

export interface EndpointView {
  readonly id: Guid;
  readonly name: string;
  readonly network: Guid | undefined;
  /** The namespace it is attached to; undefined also when HNS writes "" or the zero GUID. */
  readonly namespace: Guid | undefined;
  /** It stands for an endpoint of another node. */
  readonly isRemote: boolean;
  readonly mac: Mac | undefined;
  readonly addresses: readonly { readonly address: string; readonly prefixLength: number | undefined }[];
  readonly routes: readonly { readonly nextHop: string; readonly destination: string }[];
  readonly policies: readonly { readonly type: string; readonly settings: unknown }[];
}

/** EndpointFlags of the HCN schema: RemoteEndpoint. */
const FLAG_REMOTE_ENDPOINT = 1;

/** The request that makes an endpoint a member of a namespace, or takes it out. */
export function buildMembershipRequest(action: "Add" | "Remove", endpoint: string): object {
  return { ResourceType: "Endpoint", RequestType: action, Settings: { EndpointId: endpoint } };
}

/** A change of an endpoint's policies; Update replaces what it has of their types. */
export function buildPolicyRequest(action: "Add" | "Update", policies: readonly PolicyDocument[]): object {
  return { ResourceType: "Policy", RequestType: action, Settings: { Policies: policies } };
}

/** Throws HNS_REFUSED when HNS's answer is no network document. */
export function parseNetwork(answer: unknown): NetworkView {
  const document = asRecord(answer, "network");
  const subnets = listOf(document["Ipams"]).flatMap((ipam) => listOf(ipam["Subnets"]));
  const settings = (type: string): Record<string, unknown> | undefined => findSettings(document, type);
  return {
    id: getId(document, "network"),
    name: text(document["Name"]) ?? "",
    type: text(document["Type"]) ?? "NAT",
    subnets: subnets.map(readSubnet),
    adapter: text(settings("NetAdapterName")?.["NetworkAdapterName"]),
    providerAddress: text(settings("ProviderAddress")?.["ProviderAddress"]),
    vxlanPort: number(settings("VxlanPort")?.["Port"]),
    hasHostRoute: settings("HostRoute") !== undefined,
  };
}

function readSubnet(subnet: Record<string, unknown>): SubnetView {
  return {
    prefix: text(subnet["IpAddressPrefix"]) ?? "",
    gateway: defaultGateway(subnet),
    vsid: number(findSettings(subnet, "VSID")?.["IsolationId"]),
  };
}

/** The settings of the first policy of a type; HNS leaves empty settings out. */
function findSettings(owner: Record<string, unknown>, type: string): Record<string, unknown> | undefined {
  const policy = listOf(owner["Policies"]).find((entry) => entry["Type"] === type);
  return policy === undefined ? undefined : (record(policy["Settings"]) ?? {});
}

/** Throws HNS_REFUSED when HNS's answer is no endpoint document. */
export function parseEndpoint(answer: unknown): EndpointView {
  const document = asRecord(answer, "endpoint");
  const namespace = findGuid(text(document["HostComputeNamespace"]) ?? "");
  return {
    id: getId(document, "endpoint"),
    name: text(document["Name"]) ?? "",
    network: findGuid(text(document["HostComputeNetwork"]) ?? ""),
    namespace: namespace === undefined || /^[0-]+$/.test(namespace) ? undefined : namespace,
    isRemote: typeof document["Flags"] === "number" && (document["Flags"] & FLAG_REMOTE_ENDPOINT) !== 0,
    mac: findMac(text(document["MacAddress"]) ?? ""),
    addresses: listOf(document["IpConfigurations"]).map((entry) => ({
      address: text(entry["IpAddress"]) ?? "",
      prefixLength: number(entry["PrefixLength"]),
    })),
    routes: listOf(document["Routes"]).map((route) => ({
      nextHop: text(route["NextHop"]) ?? "",
      destination: text(route["DestinationPrefix"]) ?? "",
    })),
    policies: listOf(document["Policies"]).map((policy) => ({ type: text(policy["Type"]) ?? "", settings: policy["Settings"] })),
  };
}

function defaultGateway(subnet: Record<string, unknown>): string | undefined {
  const route = listOf(subnet["Routes"]).find((entry) => ["0.0.0.0/0", "::/0"].includes(text(entry["DestinationPrefix"]) ?? ""));
  return route === undefined ? undefined : text(route["NextHop"]);
}

/** Throws HNS_REFUSED when the document has no id. */
export function getId(document: Record<string, unknown>, what: string): Guid {
  const id = findGuid(text(document["ID"] ?? document["Id"]) ?? "");
  if (id === undefined) throw unreadable(what, "it has no ID");
  return id;
}

/** Throws HNS_REFUSED when it is no object; `what` names it. */
export function asRecord(value: unknown, what: string): Record<string, unknown> {
  const found = record(value);
  if (found === undefined) throw unreadable(what, "it is no JSON object");
  return found;
}

/** Undefined when it is no object. */
export function record(value: unknown): Record<string, unknown> | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
}

/** The objects of a list; none when it is no list. */
export function listOf(value: unknown): Record<string, unknown>[] {
  return Array.isArray(value) ? value.map(record).filter((entry) => entry !== undefined) : [];
}

/** Undefined for "" too, which HNS writes for what is not there. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function number(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

function unreadable(what: string, reason: string): PluginError {
  const data = {
    message: `HNS described a ${what} in a form this version cannot read: ${reason}`,
    remedy: "report this with the log file at level debug",
  };
  return new PluginError("HNS_REFUSED", data);
}
