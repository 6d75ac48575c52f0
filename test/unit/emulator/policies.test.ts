import { knows, VERSION_PRESETS, type Feature } from "../../emulator/model/features.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import { listPolicyTypes } from "../../emulator/model/policies.ts";
import { L2_NETWORK, ModelKit, SUBNET, ZERO } from "./model-kit.ts";

const MAC = "00-15-5d-00-00-09";
const GUID = "ABCDEF00-1111-2222-3333-444444444444";
const tuple = { Protocols: "6,17", RemoteAddresses: "10.0.0.0/8,fd00::/8", RemotePorts: "80,8000-9000", Priority: 200 };
const acl = { Action: "Allow", Direction: "In", RuleType: "Switch", ...tuple };

type Sample = readonly [type: string, good: object, bad: readonly object[]];

const ENDPOINT: readonly Sample[] = [
  [
    "PortMapping",
    { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 1 },
    [
      { InternalPort: 80, Protocol: 99 },
      { InternalPort: 80, VIP: "x" },
    ],
  ],
  [
    "ACL",
    acl,
    [
      { ...acl, Action: "" },
      { ...acl, Direction: "Up" },
      { ...acl, RuleType: "Wall" },
      { ...acl, Priority: 70000 },
    ],
  ],
  [
    "ACL",
    { ...acl, Protocols: "256", RemotePorts: "" },
    [
      { ...acl, Protocols: "1" },
      { ...acl, RemotePorts: "9-8" },
      { ...acl, RemoteAddresses: "Any" },
    ],
  ],
  [
    "TierAcl",
    { Name: "t", Direction: "In", Order: 1, TierAclRules: [{ ...tuple, TierAclRuleAction: "Pass" }] },
    [{ TierAclRules: [{}] }, { Direction: "x" }],
  ],
  ["QOS", { MaximumOutgoingBandwidthInBytes: 1e6 }, [{ MaximumOutgoingBandwidthInBytes: -1 }, { MaximumOutgoingBandwidthInBytes: "1" }]],
  ["L2Driver", {}, []],
  [
    "OutBoundNAT",
    { VirtualIP: "10.0.0.4", Exceptions: ["10.0.0.0/8"], Destinations: ["10.244.3.5"] },
    [{ Exceptions: ["x"] }, { Destinations: ["x"] }, { VirtualIP: "x" }, { Flags: 4 }],
  ],
  [
    "SDNRoute",
    { DestinationPrefix: "10.96.0.0/12", NextHop: "10.0.0.1", NeedEncap: true },
    [{}, { DestinationPrefix: "10.0.0.0/8", NeedEncap: 1 }],
  ],
  ["L4Proxy", { IP: "10.0.0.5", Port: "80", Protocol: 6, OutboundNAT: true }, [{ IP: "x" }, { Port: "x" }, { Protocol: 3 }]],
  [
    "L4WFPPROXY",
    { InboundProxyPort: "15003", OutboundProxyPort: "15001", UserSID: "S-1-5-32-556", FilterTuple: { Protocols: "6" } },
    [{ InboundProxyPort: "x" }, { FilterTuple: 1 }, { InboundExceptions: { IpAddressExceptions: ["x"] } }],
  ],
  ["ProviderAddress", { ProviderAddress: "10.0.0.4" }, [{}]],
  ["InterfaceConstraint", { InterfaceGuid: GUID, InterfaceIndex: 3 }, [{ InterfaceGuid: "x" }]],
  ["PortName", { Name: "p" }, [{}]],
  ["EncapOverhead", { Overhead: 50 }, [{}, { Overhead: -1 }]],
  ["VLAN", { IsolationId: 7 }, [{}, { IsolationId: -1 }]],
  ["InterfaceParameters", { Mtu: 1450 }, [{}, { Mtu: 65536 }]],
  ["Iov", { IovOffloadWeight: 100, QueuePairsRequested: 1, InterruptModeration: 0 }, [{ IovOffloadWeight: 101 }]],
];

const NETWORK: readonly Sample[] = [
  ["SourceMacAddress", { SourceMacAddress: MAC }, [{}]],
  ["NetAdapterName", { NetworkAdapterName: "Ethernet" }, [{}]],
  ["VSwitchExtension", { ExtensionID: GUID, Enable: true }, [{}]],
  ["ProviderAddress", { ProviderAddress: "10.0.0.4" }, [{ ProviderAddress: "" }]],
  ["DrMacAddress", { Address: MAC }, [{}]],
  ["AutomaticDNS", { Enable: true }, [{ Enable: 1 }]],
  ["InterfaceConstraint", { InterfaceAlias: "Ethernet" }, [{ InterfaceAlias: 1 }]],
  ["HostRoute", {}, []],
  [
    "RemoteSubnetRoute",
    { DestinationPrefix: "10.244.9.0/24", IsolationId: 4096, ProviderAddress: "10.0.0.9", DistributedRouterMacAddress: MAC },
    [{}],
  ],
  ["VxlanPort", { Port: 4789 }, [{ Port: 0 }]],
  ["L4Proxy", { Destination: "10.0.0.1" }, [{ Exceptions: "x" }]],
  ["LayerConstraint", { LayerId: GUID }, [{}]],
  ["NetworkACL", acl, [{ ...acl, Action: "x" }]],
  [
    "SetPolicy",
    { Id: "s", Name: "n", PolicyType: "IPSET", Values: "10.1.1.4,10.1.1.5" },
    [{}, { Id: "s", PolicyType: "x" }, { Id: "s", Values: "x" }],
  ],
  ["NeighborDiscovery", { TargetIpPrefix: "10.0.0.0/8", SenderIpAddress: "10.0.0.1", SenderMacAddress: MAC }, [{ TargetIpPrefix: "x" }]],
  ["OutBoundNAT", { Exceptions: [] }, [{ Destinations: ["x"] }]],
];

const SUBNET_POLICIES: readonly Sample[] = [
  ["VLAN", { IsolationId: 7 }, [{}, { IsolationId: 2 ** 24 }]],
  ["VSID", { IsolationId: 4096 }, [{ IsolationId: -1 }]],
];

const asEndpoint = (Type: string, Settings: object): number => {
  const kit = new ModelKit();
  return kit.code("HcnCreateEndpoint", kit.network(), ZERO, { Policies: [{ Type, Settings }] });
};
const asNetwork = (Type: string, Settings: object, kit = new ModelKit()): number =>
  kit.code("HcnCreateNetwork", ZERO, { ...L2_NETWORK, Policies: [{ Type, Settings }] });
const asSubnet = (Type: string, Settings: object): number =>
  new ModelKit().code("HcnCreateNetwork", ZERO, { Type: "Overlay", Ipams: [{ Subnets: [{ ...SUBNET, Policies: [{ Type, Settings }] }] }] });

describe.each([
  ["endpoint", ENDPOINT, asEndpoint],
  ["network", NETWORK, asNetwork],
  ["subnet", SUBNET_POLICIES, asSubnet],
] as const)("policies of a %s", (owner, samples, create) => {
  test("every type there is has its samples", () => {
    expect([...new Set(samples.map(([type]) => type))].sort()).toEqual(listPolicyTypes(owner).sort());
  });

  test.each(samples)("%s", (type, good, bad) => {
    expect(create(type, good)).toBe(0);
    expect(create(type.toUpperCase(), good)).toBe(0);
    for (const settings of bad) expect([settings, create(type, settings)]).toEqual([settings, HRESULT.INVALID_POLICY]);
  });
});

describe("versions of HNS", () => {
  test.each<[Feature, [number, number, boolean][]]>([
    [
      "DirectServerReturn",
      [
        [9, 2, false],
        [9, 3, true],
        [10, 1, false],
        [10, 2, true],
      ],
    ],
    [
      "Slash32",
      [
        [9, 9, true],
        [10, 3, false],
        [10, 4, true],
      ],
    ],
    [
      "L4Proxy",
      [
        [9, 5, true],
        [10, 4, false],
        [11, 10, false],
        [11, 11, true],
        [12, 0, false],
        [13, 0, false],
        [13, 1, true],
      ],
    ],
    [
      "TierAcl",
      [
        [13, 9, false],
        [14, 0, true],
      ],
    ],
    [
      "ModifyLoadBalancer",
      [
        [15, 3, false],
        [15, 4, true],
        [16, 0, true],
      ],
    ],
  ])("%s has its holes", (feature, rows) => {
    for (const [Major, Minor, expected] of rows) expect([Major, Minor, knows({ Major, Minor }, feature)]).toEqual([Major, Minor, expected]);
  });

  test.each([
    ["1809", "VxlanPort", { Port: 4789 }, HRESULT.INVALID_POLICY_TYPE],
    ["2019", "SetPolicy", { Id: "s" }, HRESULT.INVALID_POLICY_TYPE],
    ["2022", "SetPolicy", { Id: "s" }, 0],
    ["2022", "SetPolicy", { Id: "s", PolicyType: "NESTEDIPSET" }, HRESULT.INVALID_POLICY],
    ["2022", "NetworkACL", acl, HRESULT.INVALID_POLICY_TYPE],
    ["2025", "NetworkACL", acl, 0],
  ] as const)("Windows Server %s and %s", (preset, type, settings, hresult) => {
    expect(asNetwork(type, settings, new ModelKit({ version: VERSION_PRESETS[preset] ?? { Major: 0, Minor: 0 } }))).toBe(hresult);
  });

  test.each<[string, object, before: [number, number], from: [number, number]]>([
    ["PortMapping", { InternalPort: 80, Flags: 2 }, [11, 9], [11, 10]],
    ["OutBoundNAT", { Flags: 2 }, [11, 9], [11, 10]],
    ["OutBoundNAT", { Exceptions: ["fd00::/8"] }, [11, 9], [11, 10]],
    ["OutBoundNAT", { Destinations: ["10.244.3.5"] }, [10, 1], [10, 2]],
    ["ACL", { Action: "Pass", Direction: "In" }, [13, 9], [14, 0]],
    ["VLAN", { IsolationId: 7 }, [12, 9], [13, 0]],
    ["InterfaceParameters", { Mtu: 1450 }, [12, 9], [13, 0]],
  ])("%s with %j is refused by %j and taken by %j", (Type, Settings, before, from) => {
    const create = ([Major, Minor]: readonly [number, number]): number => {
      const kit = new ModelKit({ version: { Major, Minor } });
      return kit.code("HcnCreateEndpoint", kit.network(), ZERO, { Policies: [{ Type, Settings }] });
    };
    expect([HRESULT.INVALID_POLICY, HRESULT.INVALID_POLICY_TYPE]).toContain(create(before));
    expect(create(from)).toBe(0);
  });

  test("a VLAN of a subnet is as old as version 2", () => {
    const kit = new ModelKit({ version: { Major: 9, Minor: 2 } });
    const subnet = { ...SUBNET, Policies: [{ Type: "VLAN", Settings: { IsolationId: 7 } }] };
    expect(kit.code("HcnCreateNetwork", ZERO, { Type: "L2Bridge", Ipams: [{ Subnets: [subnet] }] })).toBe(0);
  });

  test("old ones refuse what is no policy too", () => {
    const old = new ModelKit({ version: { Major: 9, Minor: 2 } });
    const v6 = { Type: "L2Bridge", Ipams: [{ Subnets: [{ IpAddressPrefix: "fd00::/64" }] }] };
    expect(old.code("HcnCreateNetwork", ZERO, v6)).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(old.code("HcnCreateNetwork", ZERO, { Type: "NAT", Flags: 1024 })).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(old.code("HcnCreateNetwork", ZERO, { Type: "NAT", Flags: 8192 })).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(old.code("HcnCreateLoadBalancer", ZERO, { Flags: 1 })).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(old.code("HcnCreateLoadBalancer", ZERO, { PortMappings: [{ InternalPort: 80, DistributionType: 1 }] })).toBe(
      HRESULT.REQUEST_UNSUPPORTED,
    );
    const older = new ModelKit({ version: { Major: 7, Minor: 2 } });
    expect(older.code("HcnEnumerateNetworks", null)).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(older.v1("GET", "/networks").Success).toBe(true);
  });
});

test("a host port is taken once for each family", () => {
  const kit = new ModelKit();
  const network = kit.network();
  const map = (Flags: number): object => ({
    Type: "PortMapping",
    Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags },
  });
  expect(kit.code("HcnCreateEndpoint", network, ZERO, { Policies: [map(1), map(3)] })).toBe(0);
  for (const flags of [0, 2]) {
    expect(kit.code("HcnCreateEndpoint", network, ZERO, { Policies: [map(flags)] })).toBe(HRESULT.PORT_ALREADY_EXISTS);
  }
});

describe("changes of policies", () => {
  const change = (RequestType: string, Id: string, Values: string): object => ({
    ResourceType: "Policy",
    RequestType,
    Settings: { Policies: [{ Type: "SetPolicy", Settings: { Id, PolicyType: "IPSET", Values } }] },
  });

  test("go to the one address set with the id", () => {
    const kit = new ModelKit();
    const network = kit.network();
    for (const id of ["a", "b"]) expect(kit.code("HcnModifyNetwork", network, change("Add", id, "10.0.0.1"))).toBe(0);
    expect(kit.code("HcnModifyNetwork", network, change("Update", "a", "10.0.0.2"))).toBe(0);
    const sets = (): unknown =>
      (kit.query("Network", network)["Policies"] as { Settings: { Id: string; Values: string } }[]).map(({ Settings }) => [
        Settings.Id,
        Settings.Values,
      ]);
    expect(sets()).toEqual([
      ["b", "10.0.0.1"],
      ["a", "10.0.0.2"],
    ]);
    expect(kit.code("HcnModifyNetwork", network, change("Remove", "a", ""))).toBe(0);
    expect(sets()).toEqual([["b", "10.0.0.1"]]);
  });

  test("let ACLs name the network's address sets, and no others", () => {
    const kit = new ModelKit();
    const network = kit.network();
    kit.call("HcnModifyNetwork", network, change("Add", "web", "10.0.0.1"));
    const rule = (LocalAddresses: string): object => ({ Policies: [{ Type: "ACL", Settings: { ...acl, LocalAddresses } }] });
    expect(kit.code("HcnCreateEndpoint", network, ZERO, rule("web,10.0.0.0/8"))).toBe(0);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, rule("db"))).toBe(HRESULT.INVALID_POLICY);
  });
});
