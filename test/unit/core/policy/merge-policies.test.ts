import type { PolicyDocument } from "../../../../src/core/hcn/documents.ts";
import { composePolicies } from "../../../../src/core/policy/compose-policies.ts";
import { mergePolicies } from "../../../../src/core/policy/merge-policies.ts";
import type { RawPolicy } from "../../../../src/core/policy/raw-policies.ts";
import { LATEST } from "./policy-kit.ts";

const policy = (Type: string, Settings: object): PolicyDocument => ({ Type, Settings });
const nat = (Settings: object): PolicyDocument => policy("OutBoundNAT", Settings);
const route = (DestinationPrefix: string, NeedEncap: boolean): PolicyDocument => policy("SDNRoute", { DestinationPrefix, NeedEncap });
const qos = (bytes: number): PolicyDocument => policy("QOS", { MaximumOutgoingBandwidthInBytes: bytes });
const map = (more: object): PolicyDocument =>
  policy("PortMapping", { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", ...more });

function raw(...documents: PolicyDocument[]): RawPolicy[] {
  return documents.map((document, index) => ({ path: `policies[${index}]`, document }));
}

describe("NAT with exceptions", () => {
  test.each<[string, PolicyDocument[], PolicyDocument[], PolicyDocument[]]>([
    [
      "is one policy: ours first, then the user's, each network once",
      [nat({ Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] })],
      [nat({ Exceptions: ["10.0.0.0/24", "10.96.0.0/12"] }), nat({ Exceptions: ["192.168.0.0/16"] })],
      [nat({ Exceptions: ["10.244.0.0/16", "10.96.0.0/12", "10.0.0.0/24", "192.168.0.0/16"] })],
    ],
    [
      "takes an address and its own network for one",
      [nat({ Exceptions: ["10.0.0.4/32"] })],
      [nat({ Exceptions: ["10.0.0.4", "fd00::4", "fd00::4/128"] })],
      [nat({ Exceptions: ["10.0.0.4/32"] }), nat({ Exceptions: ["fd00::4"], Flags: 2 })],
    ],
    [
      "is divided where a user mixed the families",
      [],
      [nat({ Exceptions: ["fd00::/48", "10.0.0.0/8"], Flags: 1 })],
      [nat({ Exceptions: ["10.0.0.0/8"], Flags: 1 }), nat({ Exceptions: ["fd00::/48"], Flags: 3 })],
    ],
    [
      "has the user's virtual IP before ours, and the rest of what they ask",
      [nat({ VirtualIP: "10.0.0.1", Exceptions: ["10.244.0.0/16"] })],
      [nat({ VirtualIP: "10.0.0.2", MaxPortPoolUsage: 64 })],
      [nat({ VirtualIP: "10.0.0.2", Exceptions: ["10.244.0.0/16"], MaxPortPoolUsage: 64 })],
    ],
    ["may be asked for without any", [], [nat({}), nat({ Flags: 2 })], [nat({}), nat({ Flags: 2 })]],
    [
      "stays apart from NAT limited to destinations, which is there once",
      [nat({ Exceptions: ["10.244.0.0/16"] }), nat({ Destinations: ["10.244.3.5"] })],
      [nat({ Destinations: ["10.244.3.5"] }), nat({ Destinations: ["168.63.129.16"], VirtualIP: "10.0.0.4" })],
      [
        nat({ Exceptions: ["10.244.0.0/16"] }),
        nat({ Destinations: ["10.244.3.5"] }),
        nat({ Destinations: ["168.63.129.16"], VirtualIP: "10.0.0.4" }),
      ],
    ],
    ["comes first", [qos(1), nat({ Exceptions: ["10.0.0.0/8"] })], [], [nat({ Exceptions: ["10.0.0.0/8"] }), qos(1)]],
  ])("%s", (_what, own, given, expected) => {
    expect(mergePolicies(own, raw(...given))).toEqual({ policies: expected, warnings: [] });
  });
});

describe("one for a key", () => {
  interface Row {
    readonly what: string;
    readonly own: PolicyDocument[];
    readonly given: PolicyDocument[];
    readonly policies: PolicyDocument[];
    readonly warnings: string[];
  }

  test.each<Row>([
    {
      what: "the user's limit takes the place of ours",
      own: [qos(1)],
      given: [qos(2)],
      policies: [qos(2)],
      warnings: ["QOS: the configured policy takes the place of ours"],
    },
    {
      what: "a route by its destination",
      own: [route("10.96.0.0/12", true), route("10.0.0.0/8", true)],
      given: [route("10.96.0.0/12", false), route("172.16.0.0/12", true)],
      policies: [route("10.96.0.0/12", false), route("10.0.0.0/8", true), route("172.16.0.0/12", true)],
      warnings: ["SDNRoute to 10.96.0.0/12: the configured policy takes the place of ours"],
    },
    {
      what: "a mapping by host port, protocol and address",
      own: [map({}), map({ Protocol: 17 }), map({ VIP: "10.0.0.4" }), map({ Flags: 2 })],
      given: [map({ InternalPort: 81 })],
      policies: [map({ InternalPort: 81 }), map({ Protocol: 17 }), map({ VIP: "10.0.0.4" }), map({ Flags: 2 })],
      warnings: ["PortMapping of port 8080, protocol 6, any IPv4 address: the configured policy takes the place of ours"],
    },
    {
      what: "the same twice is there once, whatever the order of fields",
      own: [route("10.0.0.0/8", true)],
      given: [policy("SDNRoute", { NeedEncap: true, DestinationPrefix: "10.0.0.0/8" })],
      policies: [route("10.0.0.0/8", true)],
      warnings: [],
    },
  ])("$what", ({ own, given, policies, warnings }) => {
    expect(mergePolicies(own, raw(...given))).toEqual({ policies, warnings });
  });
});

test.each([
  ["rules", "ACL", "Priority"],
  ["proxies", "L4Proxy", "Port"],
  ["proxies in the pod", "L4WFPPROXY", "InboundProxyPort"],
  ["tiers", "TierAcl", "Name"],
  ["rules of the network", "NetworkACL", "Priority"],
  ["switch extensions", "VSwitchExtension", "ExtensionID"],
  ["neighbours", "NeighborDiscovery", "TargetIpPrefix"],
])("%s stand side by side, ours first, each once", (_what, type, field) => {
  const one = (value: number): PolicyDocument => policy(type, { [field]: value });
  expect(mergePolicies([one(1), one(2)], raw(one(2), one(3)))).toEqual({ policies: [one(1), one(2), one(3)], warnings: [] });
});

test("an endpoint's policies are merged, closed by last rules, and held to what HNS has", () => {
  const guard = policy("ACL", { Action: "Block", Direction: "Out", RemoteAddresses: "169.254.169.254", Priority: 200 });
  const tail = (Direction: string): PolicyDocument =>
    policy("ACL", { Action: "Allow", Direction, RuleType: "Switch", Protocols: "256", Priority: 65500 });
  const iov = policy("Iov", { IovOffloadWeight: 100 });
  const composed = composePolicies([nat({ Exceptions: ["10.0.0.0/8"] }), qos(1)], raw(guard, qos(2), iov), {
    version: { major: 13, minor: 3 },
    isolation: "process",
  });
  expect(composed).toEqual({
    policies: [nat({ Exceptions: ["10.0.0.0/8"] }), qos(2), guard, tail("In"), tail("Out")],
    warnings: ["QOS: the configured policy takes the place of ours", "Iov is left out: HNS 13.3 does not have accelnet"],
    faults: [],
  });
  expect(composePolicies([], raw(iov), { version: LATEST, isolation: "process" }).policies).toEqual([iov]);
});

test("a fault names the place of the user's policy, and what is left out needs no last rule", () => {
  const rule = (more: object): PolicyDocument => policy("ACL", { Action: "Allow", Direction: "In", ...more });
  const hyperv = { version: LATEST, isolation: "hyperv" } as const;
  const refused = composePolicies([qos(1)], raw(qos(1), rule({ RuleType: "Host", Action: "Block" })), hyperv);
  expect(refused.faults.map(({ path }) => path)).toEqual(["policies[1]"]);
  const omitted = composePolicies([], raw(rule({ RuleType: "Host" })), hyperv);
  expect(omitted).toEqual({ policies: [], warnings: [expect.stringContaining("ACL is left out")], faults: [] });
});
