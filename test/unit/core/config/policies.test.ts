/** The keys that become policies: `policies`, the switches of port mappings, and the pod's bandwidth. */
import { PluginError } from "../../../../src/core/base/errors.ts";
import { normalise, normaliseDelegated, normaliseForDelete, normaliseHnsAddressed } from "../../../../src/core/config/normalise.ts";
import type { NetworkConfig } from "../../../../src/core/config/plugin-config.ts";

type Raw = Readonly<Record<string, unknown>>;

function build(changes: Raw = {}): Raw {
  return {
    cniVersion: "1.1.0",
    name: "pods",
    type: "hns-cni",
    mode: "l2bridge",
    ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    ...changes,
  };
}

function faultOf(changes: Raw): PluginError {
  try {
    normalise(build(changes));
  } catch (thrown) {
    if (thrown instanceof PluginError) return thrown;
    throw thrown;
  }
  throw new Error("no fault was reported");
}

const BLOCK = { Type: "ACL", Settings: { Action: "Block", Direction: "Out", Priority: 300 } };

describe("policies", () => {
  test("are read in every form, those of the network and its subnets apart", () => {
    const list = [
      BLOCK,
      { Type: "OutBoundNAT", ExceptionList: ["10.64.0.0/16"] },
      { Name: "EndpointPolicy", Value: { Type: "ROUTE", DestinationPrefix: "10.66.0.0/16", NeedEncap: true } },
      { name: "NetworkPolicy", value: { Type: "AutomaticDNS", Settings: { Enable: true } } },
      { Name: "SubnetPolicy", Value: { type: "vlan", isolationId: 7 } },
    ];
    const policies = {
      endpoint: [
        { path: "policies[0]", document: BLOCK },
        { path: "policies[1]", document: { Type: "OutBoundNAT", Settings: { Exceptions: ["10.64.0.0/16"] } } },
        { path: "policies[2].value", document: { Type: "SDNRoute", Settings: { DestinationPrefix: "10.66.0.0/16", NeedEncap: true } } },
      ],
      network: [{ path: "policies[3].value", document: { Type: "AutomaticDNS", Settings: { Enable: true } } }],
      subnet: [{ path: "policies[4].value", document: { Type: "VLAN", Settings: { IsolationId: 7 } } }],
    };
    expect(normalise(build({ Policies: list }))).toMatchObject({
      config: { policies },
      warnings: [expect.stringContaining("10.244.3.0/24")],
    });
    expect(normaliseDelegated(build({ policies: list, ipam: { type: "host-local" } })).config.policies).toEqual(policies);
    expect(normaliseHnsAddressed(build({ policies: list, ipam: {} })).config.policies).toEqual(policies);
  });

  test("rules of endpoints name address sets of the network", () => {
    const set = { Type: "SetPolicy", Settings: { Id: "blocked", Name: "blocked", PolicyType: "IPSET", Values: "10.0.0.1" } };
    const rule = { Type: "ACL", Settings: { Action: "Block", Direction: "Out", RemoteAddresses: "blocked", Priority: 300 } };
    const policies = [rule, { name: "NetworkPolicy", value: set }];
    expect(normalise(build({ policies })).config.policies.endpoint[0]?.document).toEqual(rule);
    expect(faultOf({ policies: [rule] }).data.message).toContain("policies[0].Settings.RemoteAddresses");
  });

  test.each<[string, unknown, string]>([
    ["a list that is none", { Type: "ACL" }, "policies is an object"],
    ["an entry that is none", [1], "policies[0] is 1: must be an object"],
    ["an unknown type", [{ Type: "Firewall" }], 'policies[0].Type is "Firewall": is no policy of endpoints; use one of PortMapping, ACL'],
    [
      "an unknown wrapper",
      [{ name: "PodPolicy", value: BLOCK }],
      'policies[0].name is "PodPolicy": names no kind of policy; write EndpointPolicy',
    ],
    ["a wrapper without a policy", [{ name: "NetworkPolicy" }], "policies[0].value is undefined: must be an object"],
    ["an unknown field", [{ Type: "QOS", Settings: { Maximum: 1 } }], "policies[0].Settings.Maximum"],
    [
      "a malformed value",
      [{ Type: "OutBoundNAT", Settings: { Exceptions: ["<service cidr>"] } }],
      'policies[0].Settings.Exceptions is "<service cidr>": must be a list of IP addresses and networks',
    ],
    ["a network's policy for endpoints", [{ Type: "AutomaticDNS" }], 'policies[0].Type is "AutomaticDNS": is a policy of networks'],
    [
      "a policy with a key of its own",
      [{ name: "NetworkPolicy", value: { Type: "VxlanPort", Settings: { Port: 8472 } } }],
      "set vxlanPort",
    ],
  ])("%s is INVALID_CONFIG with path, value and remedy", (_, policies, text) => {
    const fault = faultOf({ policies });
    expect(fault.code).toBe("INVALID_CONFIG");
    expect(fault.data.message).toContain(text);
    expect(normaliseForDelete(build({ policies })).config.networkName).toBe("pods"); // a DEL works all the same
  });
});

describe("port mappings", () => {
  test("the switches are sdnbridge's, and off unless set", () => {
    expect(normalise(build()).config).toMatchObject({ localRoutedPortMapping: false, allowAclPortMapping: false });
    const { config } = normalise(build({ optionalFlags: { LocalRoutedPortMapping: true, allowAclPortMapping: true } }));
    expect(config).toMatchObject({ localRoutedPortMapping: true, allowAclPortMapping: true });
    expect(faultOf({ optionalFlags: { allowAclPortMapping: "yes" } }).data.message).toContain("optionalFlags.allowAclPortMapping");
  });

  test("one port of the node's IPv4 and IPv6 addresses are two", () => {
    const portMappings = [
      { hostPort: 80, containerPort: 80, hostIP: "10.0.0.4" },
      { hostPort: 80, containerPort: 81, hostIP: "::a00:4" },
    ];
    expect(normalise(build({ runtimeConfig: { portMappings } })).config.portMappings).toHaveLength(2);
  });
});

describe("bandwidth", () => {
  const read = (runtimeConfig: Raw): NetworkConfig["bandwidth"] => normalise(build({ runtimeConfig })).config.bandwidth;
  const annotated = (annotations: Raw): Raw => ({ "io.kubernetes.cri.pod-annotations": annotations });

  test("is the runtime's, in Go's spelling too", () => {
    expect(read({ bandwidth: { EgressRate: 10_000_000, EgressBurst: 4_294_967_295, IngressRate: null } })).toEqual({
      egressRate: 10_000_000,
      egressBurst: 4_294_967_295,
    });
    expect(read({})).toBeUndefined();
  });

  test.each<[string, number]>([
    ["10M", 10_000_000],
    ["1Gi", 1_073_741_824],
    ["1.5k", 1500],
    ["2e6", 2_000_000],
    ["64000", 64_000],
  ])("the annotation %s is %i bit/s", (text, rate) => {
    expect(read(annotated({ "kubernetes.io/egress-bandwidth": text, "kubernetes.io/ingress-bandwidth": "1M" }))).toEqual({
      egressRate: rate,
      ingressRate: 1_000_000,
    });
  });

  test("the capability counts before an annotation, direction by direction", () => {
    const annotations = annotated({ "kubernetes.io/egress-bandwidth": "1M", "kubernetes.io/ingress-bandwidth": "2M" });
    expect(read({ ...annotations, bandwidth: { egressRate: 3_000_000 } })).toEqual({ egressRate: 3_000_000, ingressRate: 2_000_000 });
  });

  test.each(["fast", "999", "2P", "-1M", "", "1MB"])("the annotation %j is refused by name", (text) => {
    const fault = faultOf({ runtimeConfig: annotated({ "kubernetes.io/egress-bandwidth": text }) });
    expect(fault.data.message).toContain(`kubernetes.io/egress-bandwidth is ${JSON.stringify(text)}: is no bandwidth`);
  });

  test("rates below 0 and of a wrong type are refused", () => {
    for (const egressRate of [-1, "10M", 1.5])
      expect(faultOf({ runtimeConfig: { bandwidth: { egressRate } } }).data.message).toContain("runtimeConfig.bandwidth.egressRate");
  });
});
