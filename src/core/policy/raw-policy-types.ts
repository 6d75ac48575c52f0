/** The policies HNS knows, and the fields of their settings. Sources: Microsoft's published HNS schema and the documents hcsshim writes. */
import { ACL_SHAPE, TIER_ACL_SHAPE, TUPLE_SHAPE } from "./acl-check.ts";
import type { Shape } from "./raw-policy-fields.ts";

export type PolicyOwner = "endpoint" | "network" | "subnet";

type PolicyTable = Readonly<Record<string, Shape>>;

const INTERFACE_CONSTRAINT: Shape = {
  fields: {
    InterfaceGuid: { kind: "guid" },
    InterfaceLuid: { kind: "uint64" },
    InterfaceIndex: { kind: "uint32" },
    InterfaceMediaType: { kind: "uint32" },
    InterfaceAlias: { kind: "text" },
    InterfaceDescription: { kind: "text" },
  },
};

const PROVIDER_ADDRESS: Shape = { fields: { ProviderAddress: { kind: "address", required: true, aliases: ["PA"] } } };

const OUTBOUND_NAT: Shape = {
  fields: {
    VirtualIP: { kind: "addressOrNone", aliases: ["VIP"] },
    Exceptions: { kind: "prefixes", aliases: ["ExceptionList"] },
    Destinations: { kind: "prefixes" },
    Flags: { kind: "natFlags" },
    MaxPortPoolUsage: { kind: "uint16" },
  },
};

const L4_PROXY: Shape = {
  fields: {
    IP: { kind: "addressOrNone" },
    Port: { kind: "portText" },
    Protocol: { kind: "proxiedProtocol" },
    Exceptions: { kind: "texts", aliases: ["ExceptionList"] },
    Destination: { kind: "prefixOrNone" },
    OutboundNAT: { kind: "flag" },
  },
};

const PROXY_EXCEPTIONS: Shape = { fields: { IpAddressExceptions: { kind: "prefixes" }, PortExceptions: { kind: "portRanges" } } };

const VLAN: Shape = { fields: { IsolationId: { kind: "vlan", required: true, aliases: ["VLAN"] } } };

const NO_FIELDS: Shape = { fields: {} };

const listEndpointTypes = (): PolicyTable => ({
  PortMapping: {
    fields: {
      InternalPort: { kind: "port", required: true },
      ExternalPort: { kind: "uint16" },
      Protocol: { kind: "mappedProtocol" },
      VIP: { kind: "addressOrNone" },
      Flags: { kind: "natFlags" },
    },
  },
  ACL: ACL_SHAPE,
  TierAcl: TIER_ACL_SHAPE,
  QOS: { fields: { MaximumOutgoingBandwidthInBytes: { kind: "uint64", required: true } } },
  L2Driver: NO_FIELDS,
  OutBoundNAT: OUTBOUND_NAT,
  SDNRoute: {
    fields: {
      DestinationPrefix: { kind: "prefix", required: true },
      NextHop: { kind: "addressOrNone" },
      NeedEncap: { kind: "flag" },
      AutomaticEndpointMonitor: { kind: "flag" },
    },
  },
  L4Proxy: L4_PROXY,
  L4WFPPROXY: {
    fields: {
      InboundProxyPort: { kind: "portText" },
      OutboundProxyPort: { kind: "portText" },
      UserSID: { kind: "text" },
      FilterTuple: { kind: { object: TUPLE_SHAPE } },
      InboundExceptions: { kind: { object: PROXY_EXCEPTIONS } },
      OutboundExceptions: { kind: { object: PROXY_EXCEPTIONS } },
    },
  },
  ProviderAddress: PROVIDER_ADDRESS,
  InterfaceConstraint: INTERFACE_CONSTRAINT,
  PortName: { fields: { Name: { kind: "text", required: true } } },
  EncapOverhead: { fields: { Overhead: { kind: "uint16", required: true } } },
  Iov: {
    fields: { IovOffloadWeight: { kind: "weight" }, QueuePairsRequested: { kind: "uint16" }, InterruptModeration: { kind: "uint16" } },
  },
  VLAN,
  InterfaceParameters: { fields: { Mtu: { kind: "uint16", required: true } } },
});

const listNetworkTypes = (): PolicyTable => ({
  SourceMacAddress: { fields: { SourceMacAddress: { kind: "mac", required: true } } },
  NetAdapterName: { fields: { NetworkAdapterName: { kind: "text", required: true } } },
  VSwitchExtension: { fields: { ExtensionID: { kind: "guid", required: true }, Enable: { kind: "flag" } } },
  ProviderAddress: PROVIDER_ADDRESS,
  DrMacAddress: { fields: { Address: { kind: "mac", required: true } } },
  AutomaticDNS: { fields: { Enable: { kind: "flag" } } },
  InterfaceConstraint: INTERFACE_CONSTRAINT,
  HostRoute: NO_FIELDS,
  RemoteSubnetRoute: {
    fields: {
      DestinationPrefix: { kind: "prefix", required: true },
      IsolationId: { kind: "vsid", required: true },
      ProviderAddress: { kind: "address", required: true },
      DistributedRouterMacAddress: { kind: "mac", required: true },
    },
  },
  VxlanPort: { fields: { Port: { kind: "port", required: true } } },
  L4Proxy: L4_PROXY,
  LayerConstraint: { fields: { LayerId: { kind: "guid", required: true } } },
  NetworkACL: ACL_SHAPE,
  SetPolicy: {
    fields: {
      Id: { kind: "text", required: true },
      Name: { kind: "text" },
      PolicyType: { kind: { oneOf: ["IPSET", "NESTEDIPSET"] } },
      // Addresses, or ids of the sets that a nested set holds.
      Values: { kind: "addressList" },
    },
  },
  NeighborDiscovery: {
    fields: { TargetIpPrefix: { kind: "prefix" }, SenderIpAddress: { kind: "address" }, SenderMacAddress: { kind: "mac" } },
  },
  OutBoundNAT: OUTBOUND_NAT,
});

const listSubnetTypes = (): PolicyTable => ({
  VLAN,
  VSID: { fields: { IsolationId: { kind: "vsid", required: true, aliases: ["VSID"] } } },
});

/** Functions, since few calls have policies of their own: as constants the tables would cost every start as much as loading the FFI. */
const TYPES: Readonly<Record<PolicyOwner, () => PolicyTable>> = {
  endpoint: listEndpointTypes,
  network: listNetworkTypes,
  subnet: listSubnetTypes,
};

/** Every policy type there is for the owner, by its name. */
export function policyTypes(owner: PolicyOwner): PolicyTable {
  return TYPES[owner]();
}

/** Names that types have in version 1 documents. */
const V1_TYPES: Readonly<Record<string, string>> = { nat: "PortMapping", route: "SDNRoute", pa: "ProviderAddress", proxy: "L4Proxy" };

/** A type by its name of version 2 or 1, in any case. */
export function findPolicyType(owner: PolicyOwner, text: string): { readonly name: string; readonly shape: Shape } | undefined {
  const lower = text.toLowerCase();
  const wanted = (Object.hasOwn(V1_TYPES, lower) ? V1_TYPES[lower] : undefined)?.toLowerCase() ?? lower;
  const found = Object.entries(policyTypes(owner)).find(([name]) => name.toLowerCase() === wanted);
  return found === undefined ? undefined : { name: found[0], shape: found[1] };
}
