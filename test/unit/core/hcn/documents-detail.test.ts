import {
  parseEndpointDetail,
  parseEndpointUses,
  parseLoadBalancer,
  parseNamespace,
  parseNetworkDetail,
  parseSdnRoute,
} from "../../../../src/core/hcn/documents-detail.ts";

const ID = "11111111-0000-4000-8000-00000000000A";
const id = ID.toLowerCase();

describe("a document in detail", () => {
  it("network: subnets with routes and policies, MAC ranges, DNS, flags", () => {
    const subnet = {
      IpAddressPrefix: "10.1.0.0/16",
      Routes: [
        { NextHop: "10.1.0.9", DestinationPrefix: "10.9.0.0/16" },
        { NextHop: "10.1.0.1", DestinationPrefix: "0.0.0.0/0" },
      ],
      Policies: [{ Type: "VSID", Settings: { IsolationId: 4096 } }, { Type: "Bare" }],
    };
    const answer = {
      ID,
      Name: "n",
      Type: "Overlay",
      Flags: 8,
      Ipams: [{ Subnets: [subnet] }, { Subnets: [{ IpAddressPrefix: "fd00::/64" }] }],
      MacPool: { Ranges: [{ StartMacAddress: "00-00-00-00-00-00", EndMacAddress: "00-00-00-00-00-0F" }] },
      Dns: { Domain: "d", Search: ["s"], ServerList: ["10.0.0.1"], Options: ["ndots:5"] },
    };
    expect(parseNetworkDetail(answer)).toEqual({
      id,
      name: "n",
      type: "Overlay",
      adapter: undefined,
      flags: 8,
      subnets: [
        {
          prefix: "10.1.0.0/16",
          gateway: "10.1.0.1",
          routes: [
            { destination: "10.9.0.0/16", nextHop: "10.1.0.9" },
            { destination: "0.0.0.0/0", nextHop: "10.1.0.1" },
          ],
          policies: [
            { type: "VSID", settings: { IsolationId: 4096 } },
            { type: "Bare", settings: {} },
          ],
        },
        { prefix: "fd00::/64", gateway: undefined, routes: [], policies: [] },
      ],
      macRanges: [{ first: "00-00-00-00-00-00", last: "00-00-00-00-00-0F" }],
      dns: { domain: "d", search: ["s"], servers: ["10.0.0.1"], options: ["ndots:5"] },
      policies: [],
    });
  });

  it("endpoint: whether it is on another node", () => {
    expect([{ Flags: 1 }, { Flags: 3 }, { Flags: 2 }, {}].map((flags) => parseEndpointDetail({ ID, ...flags }).isRemote)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it("namespace: its members, whatever else is in the list", () => {
    const Resources = [
      { Type: "Endpoint", Data: { Id: ID } },
      { Type: "Endpoint", Data: { Id: "no GUID" } },
      { Type: "Container", Data: { Id: "c" } },
      { Type: "Other" },
      7,
    ];
    expect(parseNamespace({ ID, NamespaceId: 5, Type: "Guest", Resources })).toEqual({
      id,
      compartment: 5,
      type: "Guest",
      endpoints: [id],
      containers: ["c"],
    });
    expect(parseNamespace({ ID })).toEqual({ id, compartment: undefined, type: "Host", endpoints: [], containers: [] });
  });

  it.each([
    [6, "tcp"],
    [17, "udp"],
    [0, "any"],
    [undefined, "any"],
    [132, "132"],
  ])("load balancer: protocol %p is %s", (Protocol, protocol) => {
    const answer = { ID, FrontendVIPs: [""], PortMappings: [{ Protocol, ExternalPort: 80, InternalPort: 8080 }] };
    expect(parseLoadBalancer(answer)).toEqual({ id, vips: [], ports: [{ protocol, external: 80, internal: 8080 }], endpoints: [] });
  });

  it.each(["Routes", "Setting"])("route: the list under the name %s", (name) => {
    const answer = { ID, HostComputeEndpoints: [`/endpoints/${ID}`], [name]: [{ DestinationPrefix: "10.0.0.0/8", NextHop: "10.0.0.1" }] };
    const routes = [{ destination: "10.0.0.0/8", nextHop: "10.0.0.1", needEncap: false }];
    expect(parseSdnRoute(answer)).toEqual({ id, routes, endpoints: [id] });
  });

  it("version 1 endpoints: whether they are used", () => {
    const uses = parseEndpointUses([{ ID, State: 3, SharedContainers: ["c"] }, { State: 2 }, "nothing"]);
    expect([...uses]).toEqual([[id, { isAttached: true, containers: ["c"] }]]);
    expect(parseEndpointUses(null).size).toBe(0);
  });

  it.each([parseNetworkDetail, parseEndpointDetail, parseNamespace, parseLoadBalancer, parseSdnRoute])(
    "%p refuses what is none",
    (parse) => {
      for (const answer of [null, [], "x", {}, { ID: "x" }]) expect(() => parse(answer)).toThrow(/cannot read/);
    },
  );
});
