/** A small node as HNS documents, in HNS's own order and spelling. */
import { findGuid, type Guid } from "../../../../src/core/base/ids.ts";
import { buildTopology, type Topology } from "../../../../src/core/topology/model.ts";
import type { Ownership } from "../../../../src/core/topology/ownership.ts";
import type { NodeDocuments } from "../../../../src/core/topology/read.ts";

export const PODS = "11111111-0000-4000-8000-000000000001";
export const NAT = "11111111-0000-4000-8000-000000000002";
export const HOST_ENDPOINT = "22222222-0000-4000-8000-000000000001";
export const POD_ENDPOINT = "22222222-0000-4000-8000-00000000000a";
export const STRANGE_ENDPOINT = "22222222-0000-4000-8000-000000000003";
export const STRAY_ENDPOINT = "22222222-0000-4000-8000-000000000004";
export const NAMESPACE = "33333333-0000-4000-8000-000000000001";
export const EMPTY_NAMESPACE = "33333333-0000-4000-8000-000000000002";
export const CONTAINER = "c0ffee00".repeat(8);

const ZERO = "00000000-0000-0000-0000-000000000000";

export const DOCUMENTS: NodeDocuments = {
  networks: [
    {
      ID: PODS,
      Name: "pods",
      Type: "L2Bridge",
      Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }],
      MacPool: { Ranges: [{ StartMacAddress: "00-15-5D-40-00-00", EndMacAddress: "00-15-5D-40-0F-FF" }] },
      Dns: {},
      Ipams: [
        {
          Type: "Static",
          Subnets: [
            { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }], Policies: [] },
          ],
        },
      ],
      Flags: 0,
    },
    { ID: NAT, Name: "Default Switch", Policies: [], Ipams: [], Flags: 8 },
  ],
  endpoints: [
    {
      ID: POD_ENDPOINT.toUpperCase(),
      Name: `${CONTAINER}_pods`,
      HostComputeNetwork: PODS,
      HostComputeNamespace: NAMESPACE.toUpperCase(),
      Policies: [
        { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } },
        { Type: "ACL", Settings: { Action: "Allow" } },
        { Type: "ACL", Settings: { Action: "Block" } },
      ],
      IpConfigurations: [{ IpAddress: "10.244.3.10", PrefixLength: 24 }],
      Routes: [{ NextHop: "10.244.3.2", DestinationPrefix: "0.0.0.0/0" }],
      MacAddress: "00-15-5D-40-00-01",
      Flags: 0,
    },
    {
      ID: STRANGE_ENDPOINT,
      Name: "strange",
      HostComputeNetwork: PODS,
      HostComputeNamespace: "",
      IpConfigurations: [{ IpAddress: "10.244.3.9" }],
    },
    {
      ID: HOST_ENDPOINT,
      Name: "pods_ep",
      HostComputeNetwork: PODS,
      HostComputeNamespace: ZERO,
      IpConfigurations: [{ IpAddress: "10.244.3.2", PrefixLength: 24 }],
      MacAddress: "00-15-5D-40-00-00",
    },
    { ID: STRAY_ENDPOINT, Name: "stray", HostComputeNetwork: ZERO, Flags: 1 },
  ],
  namespaces: [
    { ID: EMPTY_NAMESPACE, NamespaceId: 3, Type: "Guest", Resources: [{ Type: "Container", Data: { Id: "one" } }] },
    { ID: NAMESPACE, NamespaceId: 2, Type: "Host", Resources: [{ Type: "Endpoint", Data: { Id: POD_ENDPOINT.toUpperCase() } }] },
  ],
  loadBalancers: [
    {
      ID: "44444444-0000-4000-8000-000000000001",
      HostComputeEndpoints: [POD_ENDPOINT],
      FrontendVIPs: ["10.96.0.10"],
      PortMappings: [{ Protocol: 17, ExternalPort: 53, InternalPort: 1053, Flags: 0 }],
    },
  ],
  sdnRoutes: [
    {
      ID: "55555555-0000-4000-8000-000000000001",
      HostComputeEndpoints: [`/endpoints/${POD_ENDPOINT}`],
      Setting: [{ DestinationPrefix: "10.96.0.0/12", NeedEncap: true }],
    },
  ],
  endpointsV1: [
    { ID: HOST_ENDPOINT, State: 2, SharedContainers: [] },
    { ID: POD_ENDPOINT, State: 2 },
    { ID: STRANGE_ENDPOINT, State: 1 },
  ],
  warnings: [],
};

export const OWNERSHIP: Ownership = {
  networks: new Map([[guid(PODS), "ours"]]),
  pods: new Map([[guid(POD_ENDPOINT), { containerId: CONTAINER, ifname: "eth0" }]]),
};

export function sampleTopology(changes: Partial<NodeDocuments> = {}, ownership: Ownership | undefined = OWNERSHIP): Topology {
  return buildTopology({ ...DOCUMENTS, ...changes }, ownership);
}

export const EMPTY: NodeDocuments = {
  networks: [],
  endpoints: [],
  namespaces: [],
  loadBalancers: [],
  sdnRoutes: [],
  endpointsV1: [],
  warnings: [],
};

/** One network with `count` pods whose routes lead to `hops` next hops in turn. */
export function crowd(count: number, hops: readonly string[] = ["10.244.0.2"], name = (index: number): string => `pod ${index}`): Topology {
  const endpoints = Array.from({ length: count }, (_, index) => ({
    ID: `22222222-0000-4000-8000-${String(index).padStart(12, "0")}`,
    Name: name(index),
    HostComputeNetwork: PODS,
    HostComputeNamespace: `33333333-0000-4000-8000-${String(index).padStart(12, "0")}`,
    IpConfigurations: [{ IpAddress: `10.244.${1 + Math.floor(index / 200)}.${(index % 200) + 1}`, PrefixLength: 16 }],
    Routes: [{ NextHop: hops[index % hops.length], DestinationPrefix: "0.0.0.0/0" }],
    MacAddress: "00-15-5D-40-00-01",
  }));
  const host = { ID: HOST_ENDPOINT.replace("22222222", "99999999"), Name: "pods_ep", HostComputeNetwork: PODS };
  return buildTopology(
    {
      ...EMPTY,
      networks: DOCUMENTS.networks.slice(0, 1),
      endpoints: [...endpoints, { ...host, IpConfigurations: [{ IpAddress: "10.244.0.2", PrefixLength: 16 }] }],
      endpointsV1: [{ ID: host.ID, State: 2 }],
    },
    undefined,
  );
}

function guid(text: string): Guid {
  const found = findGuid(text);
  if (found === undefined) throw new Error(`no GUID: ${text}`);
  return found;
}
