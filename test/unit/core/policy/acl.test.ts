import type { PolicyDocument } from "../../../../src/core/hcn/documents.ts";
import { type AclRule, ACL_PRIORITY, buildAcl, buildCatchAll } from "../../../../src/core/policy/acl.ts";
import { checkAcl } from "../../../../src/core/policy/acl-check.ts";
import { addAllowTails } from "../../../../src/core/policy/acl-tails.ts";
import { cidrs, createEndpointWith, ip, LATEST } from "./policy-kit.ts";

const rule: AclRule = { action: "Allow", direction: "In", priority: 2000 };

describe("rules", () => {
  // Source: the rule of Azure's configuration that closes the platform's address to pods.
  test("are written with commas and numbers", () => {
    const built = buildAcl({
      action: "Block",
      direction: "Out",
      priority: ACL_PRIORITY.guard,
      protocols: ["tcp"],
      remoteAddresses: [ip("168.63.129.16")],
      remotePorts: [{ first: 80, last: 80 }],
    });
    expect(built).toEqual({
      Type: "ACL",
      Settings: {
        Action: "Block",
        Direction: "Out",
        RuleType: "Switch",
        Protocols: "6",
        RemoteAddresses: "168.63.129.16",
        RemotePorts: "80",
        Priority: 200,
      },
    });
  });

  test("name each item once, ranges as first-last, and networks with their prefix", () => {
    const built = buildAcl({
      ...rule,
      ruleType: "Host",
      protocols: ["tcp", "udp", 6],
      localAddresses: cidrs("10.244.3.0/24", "10.244.4.0/24", "10.244.3.0/24"),
      remoteAddresses: [ip("fd00::4"), ip("10.0.0.4")],
      localPorts: [
        { first: 80, last: 80 },
        { first: 8000, last: 8080 },
      ],
    });
    expect(built).toEqual({
      Type: "ACL",
      Settings: {
        Action: "Allow",
        Direction: "In",
        RuleType: "Host",
        Protocols: "6,17",
        LocalAddresses: "10.244.3.0/24,10.244.4.0/24",
        RemoteAddresses: "fd00::4,10.0.0.4",
        LocalPorts: "80,8000-8080",
        Priority: 2000,
      },
    });
  });

  test("about everything say protocol 256 and leave out what is not limited", () => {
    expect(buildCatchAll("Block", "In", ACL_PRIORITY.defaultDeny)).toEqual({
      Type: "ACL",
      Settings: { Action: "Block", Direction: "In", RuleType: "Switch", Protocols: "256", Priority: 65000 },
    });
  });

  test("stand in bands that keep their order", () => {
    const { guard, node, portMapping, policyFirst, policyLast, defaultDeny, tail } = ACL_PRIORITY;
    const bands = [guard, node, portMapping, policyFirst, policyLast, defaultDeny, tail];
    expect([...bands].sort((a, b) => a - b)).toEqual(bands);
    expect(new Set(bands).size).toBe(bands.length);
    expect(tail).toBeLessThan(65536);
  });
});

describe("what HNS refuses in a rule", () => {
  const good = { Action: "Allow", Direction: "In", RuleType: "Switch", Protocols: "6", Priority: 200 };

  test.each<[string, object, string]>([
    ["no action", { Direction: "In" }, "p.Action is missing"],
    ["an action there is not", { ...good, Action: "Drop" }, 'p.Action is "Drop": must be Allow, Block, Pass'],
    ["a direction there is not", { ...good, Direction: "Up" }, 'p.Direction is "Up": must be In, Out'],
    ["a rule type there is not", { ...good, RuleType: "Wall" }, 'p.RuleType is "Wall": must be Host, Switch'],
    ["a priority beyond 16 bits", { ...good, Priority: 70000 }, "p.Priority is 70000: must be a whole number from 0 to 65535"],
    ["a protocol beyond 256", { ...good, Protocols: "257" }, 'p.Protocols is "257": must be protocol numbers'],
    ["the word Any for an address", { ...good, LocalAddresses: "Any" }, 'p.LocalAddresses is "Any": must be addresses'],
    ["a range that runs backwards", { ...good, RemotePorts: "9-8" }, 'p.RemotePorts is "9-8": must be ports'],
    ["ports for ICMP", { ...good, Protocols: "6,1", LocalPorts: "80" }, 'p.LocalPorts is "80": names ports for protocol 1, which has none'],
    [
      "ports for any protocol",
      { ...good, Protocols: "256", RemotePorts: "80" },
      'p.RemotePorts is "80": names ports for protocol 256 (any)',
    ],
    [
      "one family here and the other there",
      { ...good, LocalAddresses: "10.0.0.0/8", RemoteAddresses: "fd00::/8" },
      'p.RemoteAddresses is "fd00::/8": is of another family than LocalAddresses',
    ],
  ])("%s", (_what, Settings, start) => {
    const faults = checkAcl({ Type: "ACL", Settings }, "p");
    expect(faults.map(({ path, problem }) => `${path} ${problem}`)).toEqual([expect.stringContaining(start)]);
    expect(faults[0]?.remedy).not.toBe("");
  });

  test.each<[string, object, string[]]>([
    [
      "lists, ranges and both families",
      { ...good, LocalAddresses: "10.0.0.0/8,fd00::/8", RemoteAddresses: "fd01::1", LocalPorts: "80,90-99" },
      [],
    ],
    ["an address set of the network", { ...good, RemoteAddresses: "web,10.0.0.1" }, ["web"]],
    ["an address set beside the other family", { ...good, LocalAddresses: "web", RemoteAddresses: "fd00::/8" }, ["web"]],
    ["no protocol with ports", { Action: "Pass", Direction: "Out", LocalPorts: "80" }, []],
  ])("nothing in %s", (_what, Settings, sets) => {
    expect(checkAcl({ Type: "ACL", Settings }, "p", new Set(sets))).toEqual([]);
  });
});

describe("the last rules", () => {
  const tail = (Direction: string, RuleType = "Switch"): PolicyDocument => ({
    Type: "ACL",
    Settings: { Action: "Allow", Direction, RuleType, Protocols: "256", Priority: 65500 },
  });
  const bare = (more: object): PolicyDocument => ({ Type: "ACL", Settings: { Direction: "In", Priority: 10_000, ...more } });
  const guard = buildAcl({ action: "Block", direction: "Out", priority: 200, remoteAddresses: [ip("169.254.169.254")] });
  const deny = buildCatchAll("Block", "In", ACL_PRIORITY.defaultDeny);
  const qos = { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1e6 } };
  const host = buildAcl({ ...rule, ruleType: "Host", protocols: ["tcp"] });

  // Source: Windows Server 2025 blocks what no rule allows as soon as an endpoint has a rule.
  test.each<[string, PolicyDocument[], PolicyDocument[]]>([
    ["keep everything else open in both directions once there is a rule", [guard], [tail("In"), tail("Out")]],
    ["are not needed without rules", [qos], []],
    ["leave alone a direction that blocks the rest itself", [deny], [tail("Out")]],
    ["leave alone one whose rule names neither type nor protocol", [bare({ Action: "Block" })], [tail("Out")]],
    ["leave alone one that allows the rest itself", [bare({ Action: "Allow" })], [tail("Out")]],
    ["are added after a rule about all of one protocol", [bare({ Action: "Block", Protocols: "6" })], [tail("In"), tail("Out")]],
    ["are added after a rule that passes the question on", [bare({ Action: "Pass" })], [tail("In"), tail("Out")]],
    ["are added for rules of the node's firewall there", [host], [tail("In", "Host"), tail("Out", "Host")]],
    [
      "are added after a rule without priority that allows",
      [bare({ Action: "Allow", Protocols: "6", Priority: 0 })],
      [tail("In"), tail("Out")],
    ],
  ])("%s", (_what, policies, tails) => {
    expect(addAllowTails(policies)).toEqual({ policies: [...policies, ...tails], warnings: [] });
  });

  test.each([0, 65500, 65535])("never come before a rule that blocks at priority %i", (Priority) => {
    const late = bare({ Action: "Block", Protocols: "6", Priority });
    expect(addAllowTails([late])).toEqual({ policies: [late, tail("Out")], warnings: [expect.stringMatching(/^Switch ACLs for In /)] });
  });

  test("are taken by HNS", () => {
    expect(createEndpointWith(addAllowTails([guard]).policies, LATEST)).toBe(0);
  });
});
