import type { Fault } from "../../../../src/core/config/faults.ts";
import { type PolicyOwner, policyTypes } from "../../../../src/core/policy/raw-policy-types.ts";
import {
  type RawPolicy,
  type ReadOptions,
  readNetworkPolicies,
  readPolicies,
  readSubnetPolicies,
} from "../../../../src/core/policy/raw-policies.ts";
import { listPolicyTypes } from "../../../emulator/model/policies.ts";
import { createEndpointWith, createNetworkWith, LATEST } from "./policy-kit.ts";

type Reader = (list: unknown, path: string, faults: Fault[], options?: ReadOptions) => RawPolicy[];

function read(
  list: unknown,
  reader: Reader = readPolicies,
  options: ReadOptions = {},
): { documents: object[]; faults: string[]; paths: string[] } {
  const faults: Fault[] = [];
  const policies = reader(list, "policies", faults, options);
  for (const { remedy } of faults) expect(remedy).not.toBe("");
  return {
    documents: policies.map(({ document }) => document),
    paths: policies.map(({ path }) => path),
    faults: faults.map(({ path, problem }) => `${path} ${problem}`),
  };
}

const NAT = { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } };

describe("forms of a policy", () => {
  // Sources: configurations of win-bridge, win-overlay, sdnbridge and Azure's plugin.
  test.each<[string, object, object]>([
    ["version 2", { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } }, NAT],
    ["version 1", { Type: "OutBoundNAT", ExceptionList: ["10.244.0.0/16"] }, NAT],
    [
      "wrapped, as win-bridge has it",
      { name: "EndpointPolicy", value: { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } } },
      NAT,
    ],
    [
      "wrapped, as sdnbridge has it",
      { Name: "EndpointPolicy", Value: { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"] } } },
      NAT,
    ],
    [
      "keys and type in another case",
      { NAME: "endpointpolicy", value: { type: "OUTBOUNDNAT", settings: { exceptionlist: ["10.244.0.0/16"] } } },
      NAT,
    ],
    ["null for what is absent", { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16"], VirtualIP: null } }, NAT],
    ["a network with host bits", { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.7.9/16"] } }, NAT],
    [
      "version 1 route",
      { Type: "ROUTE", DestinationPrefix: "10.96.0.0/12", NeedEncap: true },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
    ],
    ["version 1 provider address", { Type: "PA", PA: "10.0.0.4" }, { Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } }],
    [
      "version 1 port mapping, its protocol by name",
      { Type: "NAT", InternalPort: 80, ExternalPort: 8080, Protocol: "TCP" },
      { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6 } },
    ],
    [
      "version 1 rule, with numbers for lists",
      {
        Type: "ACL",
        Protocol: 6,
        Action: "block",
        Direction: "OUT",
        RemoteAddresses: "168.63.129.16/32",
        RemotePorts: 80,
        RuleType: "switch",
        Priority: 200,
      },
      {
        Type: "ACL",
        Settings: {
          Action: "Block",
          Direction: "Out",
          RuleType: "Switch",
          Protocols: "6",
          RemoteAddresses: "168.63.129.16/32",
          RemotePorts: "80",
          Priority: 200,
        },
      },
    ],
    [
      "spaces in lists, protocols by name",
      {
        Type: "ACL",
        Settings: {
          Action: "Allow",
          Direction: "In",
          Protocols: "tcp, udp",
          RemoteAddresses: "10.0.0.4, fd00::/8",
          LocalPorts: "80 , 90-99",
        },
      },
      {
        Type: "ACL",
        Settings: { Action: "Allow", Direction: "In", Protocols: "6,17", RemoteAddresses: "10.0.0.4,fd00::/8", LocalPorts: "80,90-99" },
      },
    ],
    [
      "a proxy in the words of the published schema",
      { Type: "L4Proxy", Settings: { IP: "10.0.0.5", Port: 15001, Protocol: 6, ExceptionList: ["10.0.0.9:80"], OutboundNat: true } },
      { Type: "L4Proxy", Settings: { IP: "10.0.0.5", Port: "15001", Protocol: 6, Exceptions: ["10.0.0.9:80"], OutboundNAT: true } },
    ],
    [
      "objects in settings",
      {
        Type: "L4WfpProxy",
        Settings: {
          inboundproxyport: "15003",
          FilterTuple: { protocols: "6", remoteports: "443" },
          OutboundExceptions: { PortExceptions: ["53"] },
        },
      },
      {
        Type: "L4WFPPROXY",
        Settings: {
          InboundProxyPort: "15003",
          FilterTuple: { Protocols: "6", RemotePorts: "443" },
          OutboundExceptions: { PortExceptions: ["53"] },
        },
      },
    ],
    [
      "lists of objects in settings",
      {
        Type: "TierAcl",
        Settings: { Name: "t", Direction: "In", Order: 1, TierAclRules: [{ TierAclRuleAction: "pass", Protocols: "6" }] },
      },
      {
        Type: "TierAcl",
        Settings: { Name: "t", Direction: "In", Order: 1, TierAclRules: [{ TierAclRuleAction: "Pass", Protocols: "6" }] },
      },
    ],
    ["no settings at all", { Type: "L2Driver" }, { Type: "L2Driver", Settings: {} }],
  ])("%s", (_what, raw, expected) => {
    expect(read([raw])).toEqual({ documents: [expected], faults: [], paths: [expect.stringMatching(/^policies\[0\](\.value)?$/)] });
    expect(
      createEndpointWith(
        readPolicies([raw], "p", []).map(({ document }) => document),
        LATEST,
      ),
    ).toBe(0);
  });

  test("an absent or null list is empty", () => {
    for (const list of [undefined, null, []]) expect(read(list)).toEqual({ documents: [], faults: [], paths: [] });
  });

  test("entries of the other kind are passed over", () => {
    const list = [
      {
        name: "NetworkPolicy",
        value: { Type: "VSwitchExtension", Settings: { ExtensionID: "abcdef00-1111-2222-3333-444444444444", Enable: true } },
      },
      { name: "EndpointPolicy", value: { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1000 } } },
      { Type: "PortName", Settings: { Name: "p" } },
    ];
    expect(read(list).paths).toEqual(["policies[1].value", "policies[2]"]);
    expect(read(list, readNetworkPolicies, { onlyWrapped: true })).toEqual({
      documents: [{ Type: "VSwitchExtension", Settings: { ExtensionID: "ABCDEF00-1111-2222-3333-444444444444", Enable: true } }],
      faults: [],
      paths: ["policies[0].value"],
    });
  });
});

describe("faults", () => {
  const v2 = (Type: string, Settings: unknown): object => ({ Type, Settings });

  test.each<[string, unknown, string]>([
    ["a list that is none", "x", 'policies is "x": must be a list of policies'],
    ["an entry that is no object", ["x"], 'policies[0] is "x": must be an object'],
    ["a wrapper of another name", [{ name: "Policy", value: NAT }], 'policies[0].name is "Policy": names no kind of policy'],
    ["a wrapper with nothing in it", [{ name: "EndpointPolicy" }], "policies[0].value is undefined: must be an object"],
    ["no type", [{ Settings: {} }], "policies[0].Type is missing"],
    ["a type there is not", [v2("OutboundNatt", {})], 'policies[0].Type is "OutboundNatt": is no policy of endpoints'],
    ["a type that is no text", [{ Type: 5, Settings: {} }], "policies[0].Type is 5: is no policy of endpoints"],
    ["a name that every object has", [v2("constructor", {})], 'policies[0].Type is "constructor": is no policy of endpoints'],
    ["a policy of networks", [v2("NetAdapterName", {})], 'policies[0].Type is "NetAdapterName": is a policy of networks, not of endpoints'],
    ["settings that are no object", [v2("QOS", [])], "policies[0].Settings is a list of 0: must be an object"],
    ["a field beside the settings", [{ ...NAT, Exceptions: [] }], "policies[0].Exceptions stands beside Settings"],
    ["a field there is not", [v2("OutBoundNAT", { Exception: [] })], "policies[0].Settings.Exception is no field of this policy"],
    [
      "a flat field there is not",
      [{ Type: "ROUTE", Destination: "10.0.0.0/8", DestinationPrefix: "10.0.0.0/8" }],
      "policies[0].Destination is no field of this policy",
    ],
    [
      "a field by two names",
      [v2("OutBoundNAT", { Exceptions: [], ExceptionList: [] })],
      "policies[0].Settings.Exceptions is there more than once",
    ],
    ["a required field that is missing", [v2("SDNRoute", { NeedEncap: true })], "policies[0].Settings.DestinationPrefix is missing"],
    [
      "an item of a list",
      [v2("OutBoundNAT", { Exceptions: ["10.0.0.0/8", "<service>"] })],
      'policies[0].Settings.Exceptions is "10.0.0.0/8, <service>": must be a list of IP',
    ],
    [
      "a list that is a text",
      [v2("OutBoundNAT", { Exceptions: "10.0.0.0/8" })],
      'policies[0].Settings.Exceptions is "10.0.0.0/8": must be a list of IP',
    ],
    [
      "a flag that is a text",
      [v2("SDNRoute", { DestinationPrefix: "10.0.0.0/8", NeedEncap: "true" })],
      'policies[0].Settings.NeedEncap is "true": must be true or false',
    ],
    ["a port of 0", [v2("PortMapping", { InternalPort: 0 })], "policies[0].Settings.InternalPort is 0: must be a port"],
    ["a port that is a text", [v2("PortMapping", { InternalPort: "80" })], 'policies[0].Settings.InternalPort is "80": must be a port'],
    [
      "a protocol that maps no ports",
      [v2("PortMapping", { InternalPort: 80, Protocol: 1 })],
      "policies[0].Settings.Protocol is 1: must be 6 (TCP)",
    ],
    [
      "an empty provider address",
      [v2("ProviderAddress", { ProviderAddress: "" })],
      'policies[0].Settings.ProviderAddress is "": must be an IP address',
    ],
    ["a VLAN id that is reserved", [v2("VLAN", { IsolationId: 4095 })], "policies[0].Settings.IsolationId is 4095: must be a VLAN id"],
    [
      "a GUID that is none",
      [v2("InterfaceConstraint", { InterfaceGuid: "x" })],
      'policies[0].Settings.InterfaceGuid is "x": must be a GUID',
    ],
    ["an object that is a number", [v2("L4WFPPROXY", { FilterTuple: 1 })], "policies[0].Settings.FilterTuple is 1: must be an object"],
    [
      "a list of objects that is none",
      [v2("TierAcl", { Name: "t", Direction: "In", TierAclRules: {} })],
      "policies[0].Settings.TierAclRules is an object: must be a list of objects",
    ],
    [
      "deep inside",
      [v2("TierAcl", { Name: "t", Direction: "In", TierAclRules: [{ TierAclRuleAction: "Allow", Protocols: "1", LocalPorts: "80" }] })],
      'policies[0].Settings.TierAclRules[0].LocalPorts is "80": names ports for protocol 1',
    ],
    [
      "an address set the network has not",
      [v2("ACL", { Action: "Allow", Direction: "In", RemoteAddresses: "web" })],
      'policies[0].Settings.RemoteAddresses is "web"',
    ],
  ])("%s", (_what, list, fault) => {
    expect(read(list)).toEqual({ documents: [], paths: [], faults: [expect.stringContaining(fault)] });
  });

  test("of all entries are told at once, and good entries are kept", () => {
    const { documents, faults } = read([v2("QOS", {}), NAT, v2("X", {})]);
    expect(documents).toEqual([NAT]);
    expect(faults).toHaveLength(2);
  });

  test("show no more than the beginning of a long key", () => {
    const { faults } = read([v2("QOS", { MaximumOutgoingBandwidthInBytes: 1, ["x".repeat(500)]: 1 })]);
    expect(faults).toEqual([`policies[0].Settings.${"x".repeat(64)}… is no field of this policy`]);
  });
});

describe("policies that contradict each other", () => {
  const qos = (bytes: number): object => ({ Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: bytes } });
  const nat = (VirtualIP: string): object => ({ Type: "OutBoundNAT", Settings: { VirtualIP } });
  const map = (ExternalPort: number, InternalPort: number): object => ({
    Type: "PortMapping",
    Settings: { ExternalPort, InternalPort, Protocol: 6 },
  });

  test.each<[string, object[], string]>([
    ["two limits", [qos(1), qos(2)], "policies[1] contradicts policies[0]: both are QOS"],
    [
      "one host port twice",
      [map(80, 1), map(80, 2)],
      "policies[1] contradicts policies[0]: both are PortMapping of port 80, protocol 6, any IPv4 address",
    ],
    [
      "two virtual IPs of a family",
      [nat("10.0.0.1"), nat("10.0.0.2")],
      "policies[1] contradicts policies[0]: both are OutBoundNAT with an IPv4 VirtualIP",
    ],
  ])("are told: %s", (_what, list, fault) => {
    expect(read(list).faults).toEqual([fault]);
  });

  test.each<[string, object[]]>([
    ["the same limit twice", [qos(1), qos(1)]],
    ["host ports of HNS's choice", [map(0, 1), map(0, 2)]],
    ["virtual IPs of both families", [nat("10.0.0.1"), nat("fd00::1")]],
    [
      "rules",
      [
        { Type: "ACL", Action: "Allow", Direction: "In" },
        { Type: "ACL", Action: "Block", Direction: "In" },
      ],
    ],
  ])("are not: %s", (_what, list) => {
    expect(read(list).faults).toEqual([]);
  });
});

describe("policies of networks and subnets", () => {
  test("rules may name the address sets of the list and of the network", () => {
    const list = [
      { Type: "NetworkACL", Settings: { Action: "Allow", Direction: "In", RemoteAddresses: "web,db" } },
      { Type: "SetPolicy", Settings: { Id: "web", Name: "w", PolicyType: "ipset", Values: "10.1.1.4,10.1.1.5" } },
      { Type: "SetPolicy", Settings: { Id: "all", PolicyType: "NESTEDIPSET", Values: "web" } },
    ];
    expect(read(list, readNetworkPolicies, { sets: ["db"] })).toEqual({
      documents: [
        { Type: "NetworkACL", Settings: { Action: "Allow", Direction: "In", RemoteAddresses: "web,db" } },
        { Type: "SetPolicy", Settings: { Id: "web", Name: "w", PolicyType: "IPSET", Values: "10.1.1.4,10.1.1.5" } },
        { Type: "SetPolicy", Settings: { Id: "all", PolicyType: "NESTEDIPSET", Values: "web" } },
      ],
      faults: [],
      paths: ["policies[0]", "policies[1]", "policies[2]"],
    });
    expect(read(list, readNetworkPolicies).faults).toEqual([expect.stringContaining("policies[0].Settings.RemoteAddresses")]);
    expect(read([list[1], list[1]], readNetworkPolicies).faults).toEqual([]);
  });

  test("are written in HNS's form and taken by it", () => {
    const list = [
      {
        Type: "RemoteSubnetRoute",
        Settings: {
          DestinationPrefix: "10.244.9.0/24",
          IsolationId: 4096,
          ProviderAddress: "10.0.0.9",
          DistributedRouterMacAddress: "00:15:5d:00:00:09",
        },
      },
      { name: "NetworkPolicy", value: { Type: "VxlanPort", Settings: { Port: 4789 } } },
    ];
    const documents = [
      {
        Type: "RemoteSubnetRoute",
        Settings: {
          DestinationPrefix: "10.244.9.0/24",
          IsolationId: 4096,
          ProviderAddress: "10.0.0.9",
          DistributedRouterMacAddress: "00-15-5D-00-00-09",
        },
      },
      { Type: "VxlanPort", Settings: { Port: 4789 } },
    ];
    expect(read(list, readNetworkPolicies)).toEqual({ documents, faults: [], paths: ["policies[0]", "policies[1].value"] });
    expect(createNetworkWith(documents, LATEST)).toBe(0);
  });

  test("of a subnet isolate it, by version 1 names too", () => {
    expect(
      read(
        [
          { Type: "VLAN", VLAN: 7 },
          { Type: "VSID", VSID: 4096 },
        ],
        readSubnetPolicies,
      ).documents,
    ).toEqual([
      { Type: "VLAN", Settings: { IsolationId: 7 } },
      { Type: "VSID", Settings: { IsolationId: 4096 } },
    ]);
    for (const [type, id] of [
      ["VLAN", 0],
      ["VLAN", 4095],
      ["VSID", 4095],
      ["VSID", 2 ** 24],
    ] as const) {
      expect(read([{ Type: type, Settings: { IsolationId: id } }], readSubnetPolicies).faults).toEqual([
        expect.stringContaining(`policies[0].Settings.IsolationId is ${id}: must be`),
      ]);
    }
    expect(read([{ Type: "ACL" }], readSubnetPolicies).faults).toEqual([
      'policies[0].Type is "ACL": is a policy of endpoints, not of subnets',
    ]);
  });
});

test.each<PolicyOwner>(["endpoint", "network", "subnet"])("the table of %s policies has the types that HNS knows", (owner) => {
  expect(Object.keys(policyTypes(owner)).sort()).toEqual(listPolicyTypes(owner).sort());
});
