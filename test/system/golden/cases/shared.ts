/** What the cases of several commands have in common: the calls of one command in their order, and the documents sent. */
import type { Golden, GoldenCall } from "../../../support/golden.ts";

export const VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;

const SCHEMA = { Major: 2, Minor: 0 };

export const DNS = { nameservers: ["10.96.0.10"], search: ["svc.cluster.local"] };

/** The network of the first ADD, then its host endpoint, which HNS attaches to the node's own compartment. */
export const FIRST_NETWORK: readonly GoldenCall[] = [
  "HNSCall GET /globals/version",
  {
    call: "HcnCreateNetwork",
    document: {
      SchemaVersion: SCHEMA,
      Name: "pods",
      Type: "L2Bridge",
      Flags: 0,
      Ipams: [
        {
          Type: "Static",
          Subnets: [{ IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] }],
        },
      ],
      Policies: [],
    },
  },
  "HcnQueryNetworkProperties",
  {
    call: "HcnCreateEndpoint",
    document: {
      SchemaVersion: SCHEMA,
      Name: "pods_ep",
      HostComputeNetwork: "<guid:network>",
      IpConfigurations: [{ IpAddress: "10.244.3.2", PrefixLength: 24 }],
    },
  },
  "HcnQueryEndpointProperties",
  "HcnCloseEndpoint",
  { call: "HNSCall POST /endpoints/<guid:host>/attach", document: { SystemType: "Host", CompartmentId: 1 } },
];

/** The endpoint document of a pod, all policies in the one request. */
export function podEndpoint(container: string, address: string, extra: readonly Golden[] = []): Golden {
  return {
    SchemaVersion: SCHEMA,
    Name: `${container}_pods`,
    HostComputeNetwork: "<guid:network>",
    Policies: [
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      ...extra,
      { Type: "OutBoundNAT", Settings: { Destinations: [address] } },
    ],
    IpConfigurations: [{ IpAddress: address, PrefixLength: 24 }],
    Dns: { Search: ["svc.cluster.local"], ServerList: ["10.96.0.10"] },
    Routes: [{ NextHop: "10.244.3.2", DestinationPrefix: "0.0.0.0/0" }],
  };
}

export function membership(action: "Add" | "Remove", endpoint: string): Golden {
  return { ResourceType: "Endpoint", RequestType: action, Settings: { EndpointId: `<guid:${endpoint}>` } };
}

/** From the endpoint's creation to its place in the pod's namespace. */
export function attachCalls(container: string, address: string, extra: readonly Golden[] = []): readonly GoldenCall[] {
  return [
    { call: "HcnCreateEndpoint", document: podEndpoint(container, address, extra) },
    "HcnQueryEndpointProperties",
    "HcnCloseEndpoint",
    { call: "HcnModifyNamespace", document: membership("Add", "endpoint") },
    "HcnCloseNetwork",
    "HcnCloseNamespace",
  ];
}

/** ADD once the network is verified: eight calls. */
export function addCalls(container: string, address: string, extra: readonly Golden[] = []): readonly GoldenCall[] {
  return ["HcnOpenNamespace", "HcnOpenNetwork", ...attachCalls(container, address, extra)];
}

export const FIRST_ADD_CALLS: readonly GoldenCall[] = [
  "HcnEnumerateNetworks",
  "HcnOpenNamespace",
  ...FIRST_NETWORK,
  ...attachCalls("c1", "10.244.3.3"),
];

/** DEL of a recorded endpoint: four calls. */
export const DEL_CALLS: readonly GoldenCall[] = [
  "HcnOpenNamespace",
  { call: "HcnModifyNamespace", document: membership("Remove", "endpoint") },
  "HcnCloseNamespace",
  "HcnDeleteEndpoint",
];

/** The answer to ADD in each form of the specification, section 1.7. */
export function addResult(version: (typeof VERSIONS)[number], address: string, sandbox: string): Golden {
  const route = { dst: "0.0.0.0/0", gw: "10.244.3.2" };
  if (version === "0.1.0" || version === "0.2.0") {
    return { cniVersion: version, ip4: { ip: `${address}/24`, gateway: "10.244.3.2", routes: [route] }, dns: DNS };
  }
  const family = version === "1.0.0" || version === "1.1.0" ? {} : { version: "4" };
  return {
    cniVersion: version,
    interfaces: [{ name: "eth0", mac: "<mac:pod>", sandbox }],
    ips: [{ ...family, interface: 0, address: `${address}/24`, gateway: "10.244.3.2" }],
    routes: [route],
    dns: DNS,
  };
}

export function error(cniVersion: string, code: number, text: string, details?: string): Golden {
  return { cniVersion, code, msg: `<has:${text}>`, ...(details !== undefined && { details: `<has:${details}>` }) };
}
