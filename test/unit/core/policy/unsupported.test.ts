import type { PolicyDocument } from "../../../../src/core/hcn/documents.ts";
import { filterUnsupported } from "../../../../src/core/policy/unsupported.ts";
import { createEndpointWith, createNetworkWith, LATEST, version } from "./policy-kit.ts";

const policy = (Type: string, Settings: object): PolicyDocument => ({ Type, Settings });
const acl = (more: object): PolicyDocument => policy("ACL", { Action: "Allow", Direction: "In", ...more });

/** A policy, a version that lacks it, the first that has it, and what becomes of it where it is lacking. */
type Row = readonly [string, PolicyDocument, versions: readonly [lacks: string, has: string], outcome: "omitted" | "refused"];

const ENDPOINT: readonly Row[] = [
  ["IPv6 port mapping", policy("PortMapping", { InternalPort: 80, Flags: 2 }), ["11.9", "11.10"], "refused"],
  ["IPv6 NAT", policy("OutBoundNAT", { Exceptions: ["fd00::/8"], Flags: 2 }), ["11.9", "11.10"], "omitted"],
  ["IPv6 NAT by flag", policy("OutBoundNAT", { Flags: 2 }), ["11.9", "11.10"], "omitted"],
  ["loopback DSR", policy("OutBoundNAT", { Destinations: ["10.244.3.5"] }), ["10.1", "10.2"], "omitted"],
  ["loopback DSR, serviced 2019", policy("OutBoundNAT", { Destinations: ["10.244.3.5"] }), ["9.2", "9.3"], "omitted"],
  ["route to one address", policy("SDNRoute", { DestinationPrefix: "10.0.0.4/32", NeedEncap: true }), ["10.3", "10.4"], "omitted"],
  ["rule for protocol 252", acl({ Protocols: "6,252" }), ["10.99", "11.0"], "refused"],
  ["rule that passes on", acl({ Action: "Pass" }), ["13.9", "14.0"], "refused"],
  ["tier of rules", policy("TierAcl", { Name: "t", Direction: "In" }), ["13.9", "14.0"], "refused"],
  ["proxy in the switch", policy("L4Proxy", { IP: "10.0.0.5", Port: "80", Protocol: 6 }), ["13.0", "13.1"], "refused"],
  ["proxy in the pod", policy("L4WFPPROXY", { InboundProxyPort: "15003" }), ["13.1", "13.2"], "refused"],
  ["VLAN of an endpoint", policy("VLAN", { IsolationId: 7 }), ["12.9", "13.0"], "refused"],
  ["MTU", policy("InterfaceParameters", { Mtu: 1450 }), ["12.9", "13.0"], "omitted"],
];

const NETWORK: readonly Row[] = [
  ["address set", policy("SetPolicy", { Id: "s" }), ["12.9", "13.0"], "refused"],
  ["nested address set", policy("SetPolicy", { Id: "s", PolicyType: "NESTEDIPSET" }), ["14.9", "15.0"], "refused"],
  ["rule of a network", policy("NetworkACL", { Action: "Allow", Direction: "In" }), ["14.9", "15.0"], "refused"],
  ["VXLAN port", policy("VxlanPort", { Port: 4789 }), ["10.2", "10.3"], "refused"],
];

describe.each([
  ["endpoint", ENDPOINT, createEndpointWith],
  ["network", NETWORK, createNetworkWith],
] as const)("what an older HNS lacks for an %s", (_owner, rows, create) => {
  test.each(rows)("%s", (_what, one, [lacks, has], outcome) => {
    const filtered = filterUnsupported([one], { version: version(lacks), isolation: "process" });
    expect(filtered.policies).toEqual([]);
    expect([filtered.warnings.length, filtered.faults.length]).toEqual(outcome === "omitted" ? [1, 0] : [0, 1]);
    expect(create([one], version(lacks))).not.toBe(0);
    expect(filterUnsupported([one], { version: version(has), isolation: "process" })).toEqual({
      policies: [one],
      warnings: [],
      faults: [],
    });
    expect(create([one], version(has))).toBe(0);
  });
});

test("an IPv6 rule is refused where HNS has no dual stack, though HNS would take it", () => {
  const { faults } = filterUnsupported(
    [acl({ RemoteAddresses: "fd00::/8" })],
    { version: version("9.5"), isolation: "process" },
    () => "conf.policies",
  );
  expect(faults).toEqual([
    {
      path: "conf.policies",
      problem: 'is "ACL": HNS 9.5 does not have dualStack',
      remedy: "remove what asks for it, or use a Windows version that has it",
    },
  ]);
});

test("an IPv6 route and accelerated networking are left out where HNS has neither", () => {
  const policies = [policy("SDNRoute", { DestinationPrefix: "fd00::/8" }), policy("Iov", { IovOffloadWeight: 100 })];
  expect(filterUnsupported(policies, { version: version("9.5"), isolation: "process" })).toEqual({
    policies: [],
    warnings: ["SDNRoute is left out: HNS 9.5 does not have dualStack", "Iov is left out: HNS 9.5 does not have accelnet"],
    faults: [],
  });
});

describe("under Hyper-V isolation", () => {
  test.each<[string, PolicyDocument, "kept" | "omitted" | "refused"]>([
    ["a rule of the switch", acl({ Action: "Block", RuleType: "Switch" }), "kept"],
    ["a rule without a type", acl({ Action: "Block" }), "kept"],
    ["a rule of the node's firewall that allows", acl({ RuleType: "Host" }), "omitted"],
    ["a rule of the node's firewall that blocks", acl({ RuleType: "Host", Action: "Block" }), "refused"],
    ["a rule of the node's firewall that passes on", acl({ RuleType: "Host", Action: "Pass" }), "refused"],
    ["a proxy in the pod", policy("L4WFPPROXY", { InboundProxyPort: "15003" }), "refused"],
    ["a limit", policy("QOS", { MaximumOutgoingBandwidthInBytes: 1 }), "kept"],
  ])("%s", (_what, one, outcome) => {
    const count = ({ policies, warnings, faults }: ReturnType<typeof filterUnsupported>): number[] => [
      policies.length,
      warnings.length,
      faults.length,
    ];
    const expected = { kept: [1, 0, 0], omitted: [0, 1, 0], refused: [0, 0, 1] }[outcome];
    expect(count(filterUnsupported([one], { version: LATEST, isolation: "hyperv" }))).toEqual(expected);
    expect(count(filterUnsupported([one], { version: LATEST, isolation: "process" }))).toEqual([1, 0, 0]);
  });
});

test("a transparent network maps no ports", () => {
  const mapping = policy("PortMapping", { InternalPort: 80 });
  const facts = { version: LATEST, isolation: "process" } as const;
  expect(filterUnsupported([mapping], { ...facts, networkType: "transparent" }).faults).toHaveLength(1);
  expect(filterUnsupported([mapping], { ...facts, networkType: "L2Bridge" }).policies).toEqual([mapping]);
});
