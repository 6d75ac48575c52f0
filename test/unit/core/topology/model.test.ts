import { toDocument } from "../../../../src/core/topology/document.ts";
import { buildTopology, selectNetworks, type TopologyEndpoint } from "../../../../src/core/topology/model.ts";
import {
  CONTAINER,
  DOCUMENTS,
  EMPTY,
  EMPTY_NAMESPACE,
  HOST_ENDPOINT,
  NAMESPACE,
  NAT,
  POD_ENDPOINT,
  PODS,
  sampleTopology,
  STRANGE_ENDPOINT,
  STRAY_ENDPOINT,
} from "./sample.ts";

const NO_DNS = { domain: null, search: [], servers: [], options: [] };

const ENDPOINT = { pod: null, namespace: null, containers: [], mac: null, routes: [], policies: [] };

const EXPECTED = {
  networks: [
    {
      id: NAT,
      name: "Default Switch",
      type: "NAT",
      owner: "foreign",
      adapter: null,
      flags: 8,
      subnets: [],
      macRanges: [],
      dns: NO_DNS,
      policies: [],
      endpoints: [],
    },
    {
      id: PODS,
      name: "pods",
      type: "L2Bridge",
      owner: "ours",
      adapter: "Ethernet",
      flags: 0,
      subnets: [
        {
          prefix: "10.244.3.0/24",
          gateway: "10.244.3.1",
          routes: [{ destination: "0.0.0.0/0", nextHop: "10.244.3.1" }],
          policies: [],
        },
      ],
      macRanges: [{ first: "00-15-5D-40-00-00", last: "00-15-5D-40-0F-FF" }],
      dns: NO_DNS,
      policies: [{ type: "NetAdapterName", settings: { NetworkAdapterName: "Ethernet" } }],
      endpoints: [
        {
          ...ENDPOINT,
          id: HOST_ENDPOINT,
          name: "pods_ep",
          owner: "ours",
          attached: "host",
          addresses: ["10.244.3.2/24"],
          mac: "00:15:5d:40:00:00",
        },
        { ...ENDPOINT, id: STRANGE_ENDPOINT, name: "strange", owner: "foreign", attached: "nothing", addresses: ["10.244.3.9"] },
        {
          id: POD_ENDPOINT,
          name: `${CONTAINER}_pods`,
          owner: "ours",
          pod: { containerId: CONTAINER, ifname: "eth0" },
          attached: "namespace",
          namespace: NAMESPACE,
          containers: [],
          addresses: ["10.244.3.10/24"],
          mac: "00:15:5d:40:00:01",
          routes: [{ destination: "0.0.0.0/0", nextHop: "10.244.3.2" }],
          policies: [
            { type: "OutBoundNAT", settings: { Exceptions: ["10.244.0.0/16"] } },
            { type: "ACL", settings: { Action: "Allow" } },
            { type: "ACL", settings: { Action: "Block" } },
          ],
        },
      ],
    },
  ],
  strays: [{ ...ENDPOINT, id: STRAY_ENDPOINT, name: "stray", owner: "foreign", attached: "remote", addresses: [] }],
  namespaces: [
    { id: NAMESPACE, compartment: 2, type: "Host", endpoints: [POD_ENDPOINT], containers: [] },
    { id: EMPTY_NAMESPACE, compartment: 3, type: "Guest", endpoints: [], containers: ["one"] },
  ],
  loadBalancers: [
    {
      id: "44444444-0000-4000-8000-000000000001",
      vips: ["10.96.0.10"],
      ports: [{ protocol: "udp", external: 53, internal: 1053 }],
      endpoints: [POD_ENDPOINT],
    },
  ],
  sdnRoutes: [
    {
      id: "55555555-0000-4000-8000-000000000001",
      routes: [{ destination: "10.96.0.0/12", nextHop: null, needEncap: true }],
      endpoints: [POD_ENDPOINT],
    },
  ],
  warnings: [],
};

describe("the topology of a node", () => {
  it("as a document is exactly this", () => expect(toDocument(sampleTopology())).toEqual(EXPECTED));

  it("has the fields of its document in the order in which docs/cli.md names them", () => {
    const document = toDocument(sampleTopology()) as typeof EXPECTED;
    expect(Object.keys(document)).toEqual(Object.keys(EXPECTED));
    expect(Object.keys(document.networks[1] ?? {})).toEqual(Object.keys(EXPECTED.networks[1] ?? {}));
    const [, , pod] = EXPECTED.networks[1]?.endpoints ?? [];
    expect(Object.keys(document.networks[1]?.endpoints[2] ?? {})).toEqual(Object.keys(pod ?? {}));
  });

  it("is the same in whatever order HNS tells its objects", () => {
    const reversed = {
      ...DOCUMENTS,
      networks: DOCUMENTS.networks.toReversed(),
      endpoints: DOCUMENTS.endpoints.toReversed(),
      namespaces: DOCUMENTS.namespaces.toReversed(),
    };
    expect(sampleTopology(reversed)).toEqual(sampleTopology());
  });

  it("of an empty node is empty", () => {
    expect(buildTopology(EMPTY, undefined)).toEqual({
      networks: [],
      strays: [],
      namespaces: [],
      loadBalancers: [],
      sdnRoutes: [],
      warnings: [],
    });
  });

  it("knows no owners without a state", () => {
    const { networks } = buildTopology(DOCUMENTS, undefined);
    const owners = networks.flatMap(({ owner, endpoints }) => [owner, ...endpoints.map((endpoint) => endpoint.owner)]);
    expect(new Set(owners)).toEqual(new Set(["unknown"]));
  });

  it("tells a network that we use from one that we made", () => {
    const adopted = sampleTopology(
      {},
      { networks: new Map([[sampleTopology().networks[1]?.id ?? ("" as never), "adopted"]]), pods: new Map() },
    );
    expect(adopted.networks[1]).toMatchObject({
      owner: "adopted",
      endpoints: [{ name: "pods_ep", owner: "ours" }, {}, { owner: "foreign" }],
    });
  });
});

describe("what an endpoint is attached to", () => {
  const ID = STRANGE_ENDPOINT;
  const view = (endpoint: object, endpointsV1: unknown, namespaces: readonly unknown[] = []): TopologyEndpoint | undefined =>
    buildTopology({ ...EMPTY, endpoints: [{ ID, ...endpoint }], endpointsV1, namespaces }, undefined).strays[0];

  it.each([
    ["a namespace", { HostComputeNamespace: NAMESPACE }, [{ ID, State: 2 }], "namespace"],
    ["nothing, when HNS says that it is only created", {}, [{ ID, State: 1 }], "nothing"],
    ["the host, when it is attached and in nothing", {}, [{ ID, State: 2 }], "host"],
    ["a container", {}, [{ ID, State: 2, SharedContainers: ["one"] }], "compute-system"],
    ["another node's endpoint", { Flags: 1 }, [{ ID, State: 1 }], "remote"],
    ["what nobody told, when HNS refuses the list", {}, undefined, "unknown"],
    ["what nobody told, when the list is older", {}, [], "unknown"],
  ])("is %s", (_name, endpoint, list, expected) => expect(view(endpoint, list)?.attached).toBe(expected));

  it("is the host in the host's own namespace", () => {
    const namespaces = [{ ID: NAMESPACE, Type: "HostDefault", Resources: [] }];
    expect(view({ HostComputeNamespace: NAMESPACE }, undefined, namespaces)?.attached).toBe("host");
  });
});

describe("the topology of one network", () => {
  it("has its endpoints, their namespaces, and what leads to them", () => {
    const { networks, strays, namespaces, loadBalancers, sdnRoutes } = selectNetworks(sampleTopology(), ({ name }) => name === "pods");
    expect(networks.map(({ name }) => name)).toEqual(["pods"]);
    expect(namespaces.map(({ id }) => id)).toEqual([NAMESPACE]);
    expect([strays, loadBalancers, sdnRoutes].map((list) => list.length)).toEqual([0, 1, 1]);
  });

  it("has nothing of the others", () => {
    const { namespaces, loadBalancers, sdnRoutes } = selectNetworks(sampleTopology(), ({ name }) => name !== "pods");
    expect([namespaces, loadBalancers, sdnRoutes]).toEqual([[], [], []]);
  });
});
