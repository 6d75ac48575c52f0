/** Documents with policies of the configuration's own, written by hand for each kind of network. */
import { findGuid, type Guid } from "../../../../src/core/base/ids.ts";
import { addressAt, findCidr, findIp, type IpAddress } from "../../../../src/core/base/ip.ts";
import { normaliseHnsAddressed } from "../../../../src/core/config/normalise.ts";
import type { Mode, PluginConfig } from "../../../../src/core/config/plugin-config.ts";
import { DATAPATHS } from "../../../../src/core/datapath/datapaths.ts";
import type { HnsVersion } from "../../../../src/core/hcn/features.ts";
import { buildConfig } from "../../../support/engine-fixture.ts";
import { matching } from "../cni/matchers.ts";

type Raw = Readonly<Record<string, unknown>>;

const NETWORK_ID = findGuid("580a92d9-1111-4222-8333-444455556666") as Guid;
const SERVER_2025 = { major: 15, minor: 4 };
const SERVER_2019 = { major: 9, minor: 5 };

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

function build(mode: Mode, changes: Raw = {}): PluginConfig {
  return buildConfig({ mode, clusterCidrs: ["10.244.0.0/16"], serviceCidrs: ["10.96.0.0/12"], loopbackDSR: false, ...changes });
}

function withV6(config: PluginConfig): PluginConfig {
  const cidr = findCidr("fd00:10:244:3::/64");
  if (cidr === undefined) throw new Error("no CIDR");
  return { ...config, ipam: { ...config.ipam, pools: [...config.ipam.pools, { cidr, blockSize: 122, gateway: addressAt(cidr, 1) }] } };
}

function policiesOf(config: PluginConfig, { version = SERVER_2025, v6 = false }: { version?: HnsVersion; v6?: boolean } = {}): object[] {
  const addresses = v6 ? [ip("10.244.3.7"), ip("fd00:10:244:3::7")] : [ip("10.244.3.7")];
  const pod = { name: "c1_pods", network: NETWORK_ID, addresses, version, providerAddress: "10.0.0.4" };
  return [...(DATAPATHS[config.mode ?? "nat"].buildPodEndpoint(config, pod).Policies ?? [])];
}

const NAT_AND_ROUTE = [
  { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12", "10.64.0.0/16"] } },
  { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
];
const BLOCK_SMTP = { Action: "Block", Direction: "Out", Protocols: "6", RemotePorts: "25", Priority: 300 };
const ALLOW_REST = (Direction: string): object => ({
  Type: "ACL",
  Settings: { Action: "Allow", Direction, RuleType: "Switch", Protocols: "256", Priority: 65500 },
});

describe("an endpoint's policies", () => {
  const policies = [
    { Type: "OutBoundNAT", ExceptionList: ["10.64.0.0/16", "10.96.0.0/12"] },
    { name: "EndpointPolicy", value: { Type: "ACL", Settings: BLOCK_SMTP } },
  ];
  const rules = [{ Type: "ACL", Settings: BLOCK_SMTP }, ALLOW_REST("In"), ALLOW_REST("Out")];

  test.each(["l2bridge", "l2tunnel"] as const)("mode %s: exceptions become one policy, rules stand after ours", (mode) => {
    expect(policiesOf(build(mode, { policies }))).toEqual([...NAT_AND_ROUTE, ...rules]);
  });

  test("mode overlay: the node's address is among them", () => {
    const providerAddress = { Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } };
    expect(policiesOf(build("overlay", { policies }))).toEqual([...NAT_AND_ROUTE, providerAddress, ...rules]);
  });

  test.each(["nat", "transparent", "internal", "private"] as const)("mode %s: they are all there is", (mode) => {
    expect(policiesOf(build(mode, { policies: policies.slice(1) }))).toEqual(rules);
  });

  test("a user's mapping of the same port takes the place of the runtime's, and its limit that of the pod's", () => {
    const config = build("nat", {
      policies: [
        { Type: "NAT", InternalPort: 81, ExternalPort: 8080, Protocol: "TCP" },
        { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 50_000 } },
      ],
      runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80 }], bandwidth: { egressRate: 8_000_000 } },
    });
    expect(policiesOf(config)).toEqual([
      { Type: "PortMapping", Settings: { InternalPort: 81, ExternalPort: 8080, Protocol: 6 } },
      { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 50_000 } },
    ]);
    expect(DATAPATHS.nat.judgePolicies(config, SERVER_2025)).toEqual({
      warnings: [
        "PortMapping of port 8080, protocol 6, any IPv4 address: the configured policy takes the place of ours",
        "QOS: the configured policy takes the place of ours",
      ],
      faults: [],
    });
  });

  test("what HNS of this version lacks and the pod needs is a fault, before anything and when it is built", () => {
    const config = build("l2bridge", { policies: [{ Type: "VLAN", Settings: { IsolationId: 7 } }] });
    expect(DATAPATHS.l2bridge.judgePolicies(config, SERVER_2019).faults).toMatchObject([
      { path: "policies[0]", problem: matching(/VLAN.*9\.5/) },
    ]);
    expect(() => policiesOf(config, { version: SERVER_2019 })).toThrow(/policies\[0\] is "VLAN": HNS 9\.5 does not have endpointVlan/);
    expect(DATAPATHS.l2bridge.judgePolicies(config, SERVER_2025).faults).toEqual([]);
  });

  test("what only makes things better is left out, with a warning", () => {
    const config = build("nat", { policies: [{ Type: "InterfaceParameters", Settings: { Mtu: 1400 } }] });
    expect(policiesOf(config, { version: SERVER_2019 })).toEqual([]);
    expect(DATAPATHS.nat.judgePolicies(config, SERVER_2019).warnings).toEqual([
      "InterfaceParameters is left out: HNS 9.5 does not have interfaceParameters",
    ]);
  });
});

describe("a network's policies", () => {
  const wrapped = (Type: string, Settings: object): object => ({ name: "NetworkPolicy", value: { Type, Settings } });

  test("go into the document of a network that we make, after ours", () => {
    const policies = [wrapped("AutomaticDNS", { Enable: true }), wrapped("SourceMacAddress", { SourceMacAddress: "00-15-5D-00-00-09" })];
    const config = build("overlay", { adapter: "Ethernet", vxlanPort: 8472, policies });
    const expected = [
      { Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } },
      { Type: "VxlanPort", Settings: { Port: 8472 } },
      { Type: "AutomaticDNS", Settings: { Enable: true } },
      { Type: "SourceMacAddress", Settings: { SourceMacAddress: "00-15-5D-00-00-09" } },
    ];
    expect(DATAPATHS.overlay.buildNetwork(config, SERVER_2025).Policies).toEqual(expected);
    expect(DATAPATHS.overlay.buildNetwork(config).Policies).toEqual(expected);
    expect(policiesOf(config).filter((policy) => JSON.stringify(policy).includes("AutomaticDNS"))).toEqual([]);
  });

  test("one that this HNS lacks is a fault", () => {
    const rule = { Action: "Block", Direction: "In", Protocols: "6", LocalPorts: "22", Priority: 300 };
    const config = build("l2bridge", { policies: [wrapped("NetworkACL", rule)] });
    expect(DATAPATHS.l2bridge.judgePolicies(config, SERVER_2019).faults).toMatchObject([{ path: "policies[0].value" }]);
    expect(() => DATAPATHS.l2bridge.buildNetwork(config, SERVER_2019)).toThrow(/NetworkACL/);
    expect(DATAPATHS.l2bridge.buildNetwork(config, SERVER_2025).Policies).toEqual([{ Type: "NetworkACL", Settings: rule }]);
  });
});

describe("policies of a network's subnets", () => {
  const VLAN = { Type: "VLAN", Settings: { IsolationId: 7 } };
  const policies = [{ name: "SubnetPolicy", value: VLAN }];

  test.each(["l2bridge", "l2tunnel", "transparent"] as const)("mode %s: go into each subnet of a network that we make", (mode) => {
    const config = withV6(build(mode, { policies }));
    const { Ipams, Policies } = DATAPATHS[mode].buildNetwork(config, SERVER_2025);
    expect(Ipams[0]?.Subnets.map((subnet) => subnet.Policies)).toEqual([[VLAN], [VLAN]]);
    expect(Policies).toEqual([]);
    expect(policiesOf(config)).not.toContainEqual(VLAN);
  });

  test.each(["overlay", "nat", "internal", "private"] as const)("mode %s: has none, which is a fault that names it", (mode) => {
    const config = build(mode, { policies });
    expect(DATAPATHS[mode].judgePolicies(config, SERVER_2025).faults).toMatchObject([{ path: "policies[0].value" }]);
    expect(() => DATAPATHS[mode].buildNetwork(config, SERVER_2025)).toThrow(`is VLAN, which networks of mode ${mode} have not`);
  });

  test("VSID is a key of its own, and another type none of subnets", () => {
    const refuse =
      (value: object): (() => unknown) =>
      () =>
        build("overlay", { policies: [{ name: "SubnetPolicy", value }] });
    expect(refuse({ Type: "VSID", Settings: { IsolationId: 5000 } })).toThrow(
      "policies[0].value is VSID, which has a key of its own; set vsid",
    );
    expect(refuse({ Type: "ACL", Settings: {} })).toThrow('policies[0].value.Type is "ACL"');
    expect(refuse({ Type: "VLAN", Settings: { IsolationId: 4095 } })).toThrow("policies[0].value.Settings.IsolationId");
  });

  test("a network without subnets has nowhere to put them", () => {
    const raw = { name: "pods", type: "hns-cni", mode: "transparent", policies };
    const { config } = normaliseHnsAddressed(raw);
    expect(() => DATAPATHS.transparent.buildNetwork(config, SERVER_2025)).toThrow("policies[0].value is for the network's subnets");
  });
});

describe("port mappings", () => {
  const portMappings = [
    { hostPort: 8080, containerPort: 80 },
    { hostPort: 9000, containerPort: 90, protocol: "udp", hostIP: "fd00::4" },
  ];
  const mapping = (settings: object): object => ({ Type: "PortMapping", Settings: settings });

  test("are one for each family of the pod, and for the address that is named", () => {
    const config = withV6(build("l2bridge", { clusterCidrs: [], serviceCidrs: [], runtimeConfig: { portMappings } }));
    expect(policiesOf(config, { v6: true })).toEqual([
      mapping({ InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" }),
      mapping({ InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 2 }),
      mapping({ InternalPort: 90, ExternalPort: 9000, Protocol: 17, VIP: "fd00::4", Flags: 2 }),
    ]);
    expect(DATAPATHS.l2bridge.findUnsupported(config, SERVER_2025)).toBeUndefined();
  });

  test("an address of a family that pods lack is refused", () => {
    const config = build("l2bridge", { runtimeConfig: { portMappings } });
    expect(DATAPATHS.l2bridge.findUnsupported(config, SERVER_2025)).toMatchObject({
      field: "hostIP of port 9000",
      problem: matching(/IPv6/),
    });
  });

  test("optionalFlags add the flag for pods of the node, and a rule for each port", () => {
    const optionalFlags = { localRoutedPortMapping: true, allowAclPortMapping: true };
    const config = build("nat", { optionalFlags, runtimeConfig: { portMappings: portMappings.slice(0, 1) } });
    const rule = { Action: "Allow", Direction: "In", RuleType: "Switch", Protocols: "6", LocalPorts: "80", Priority: 1000 };
    expect(policiesOf(config)).toEqual([
      mapping({ InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 1 }),
      { Type: "ACL", Settings: rule },
      ALLOW_REST("In"),
      ALLOW_REST("Out"),
    ]);
  });
});

describe("bandwidth", () => {
  test.each(["l2bridge", "overlay", "nat", "transparent"] as const)("mode %s: what a pod sends is limited, the rest is told", (mode) => {
    const bandwidth = { egressRate: 10_000_000, egressBurst: 4_294_967_295, ingressRate: 5_000_000 };
    const config = build(mode, { runtimeConfig: { bandwidth } });
    expect(policiesOf(config)).toContainEqual({ Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1_250_000 } });
    expect(DATAPATHS[mode].judgePolicies(config, SERVER_2025).warnings).toEqual([
      "ingressRate 5000000 is not applied: HNS limits only what a pod sends",
    ]);
  });
});
