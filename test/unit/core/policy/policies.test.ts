import { findGuid } from "../../../../src/core/base/ids.ts";
import { buildEncapOverhead, VXLAN_OVERHEAD } from "../../../../src/core/policy/encap-overhead.ts";
import { buildInterfaceConstraint } from "../../../../src/core/policy/interface-constraint.ts";
import { buildVlan, buildVsid } from "../../../../src/core/policy/isolation.ts";
import { buildL4Proxy, buildL4WfpProxy } from "../../../../src/core/policy/l4-proxy.ts";
import { buildLoopbackDsr } from "../../../../src/core/policy/loopback-dsr.ts";
import { buildDestinationNat, buildOutboundNat } from "../../../../src/core/policy/outbound-nat.ts";
import { buildPortMappingAcls, buildPortMappings } from "../../../../src/core/policy/port-mapping.ts";
import { buildProviderAddress } from "../../../../src/core/policy/provider-address.ts";
import { buildQos } from "../../../../src/core/policy/qos.ts";
import { buildSdnRoutes } from "../../../../src/core/policy/sdn-route.ts";
import { cidrs, ip } from "./policy-kit.ts";

describe("outbound NAT", () => {
  // Source: the endpoint document that win-bridge sends, and its SNAT exception policy in version 2 form.
  test("names the networks that keep the pod's address, in one policy", () => {
    expect(buildOutboundNat(cidrs("10.244.0.0/16", "10.96.0.0/12"))).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
    ]);
  });

  test("has one policy a family, IPv4 first, and each network once in the order given", () => {
    expect(buildOutboundNat(cidrs("fd00::/48", "10.244.0.0/16", "10.96.0.0/12", "10.244.0.0/16", "fd01::/48"))).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
      { Type: "OutBoundNAT", Settings: { Exceptions: ["fd00::/48", "fd01::/48"], Flags: 2 } },
    ]);
  });

  test("leaves out the families the pod has not", () => {
    expect(buildOutboundNat(cidrs("fd00::/48", "10.244.0.0/16"), { families: [6] })).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["fd00::/48"], Flags: 2 } },
    ]);
  });

  test("leaves with the virtual IP of the family where there is one", () => {
    const options = { virtualIps: [ip("10.0.0.9"), ip("fd00::9")] };
    expect(buildOutboundNat(cidrs("10.244.0.0/16"), options)).toEqual([
      { Type: "OutBoundNAT", Settings: { VirtualIP: "10.0.0.9", Exceptions: ["10.244.0.0/16"] } },
      { Type: "OutBoundNAT", Settings: { VirtualIP: "fd00::9", Flags: 2 } },
    ]);
  });

  test("is absent without an exception", () => {
    expect(buildOutboundNat([])).toEqual([]);
  });

  // Source: Azure's policy that lets pods reach the platform's addresses.
  test("limited to destinations names them and the address to leave with", () => {
    expect(buildDestinationNat(cidrs("168.63.129.16/32", "169.254.169.254/32", "fd00::1/128"), [ip("10.0.0.4")])).toEqual([
      { Type: "OutBoundNAT", Settings: { VirtualIP: "10.0.0.4", Destinations: ["168.63.129.16/32", "169.254.169.254/32"] } },
      { Type: "OutBoundNAT", Settings: { Destinations: ["fd00::1/128"], Flags: 2 } },
    ]);
  });
});

describe("SDN routes", () => {
  // Source: the endpoint document that win-bridge sends.
  test("are one a destination, each once, with encapsulation", () => {
    expect(buildSdnRoutes(cidrs("10.96.0.0/12", "10.0.0.0/8", "10.96.0.0/12"))).toEqual([
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.0.0.0/8", NeedEncap: true } },
    ]);
  });

  test("name a next hop for its own family, and keep to the families asked for", () => {
    const options = { nextHop: ip("10.0.0.1"), needEncap: false };
    expect(buildSdnRoutes(cidrs("10.96.0.0/12", "fd00::/48"), options)).toEqual([
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NextHop: "10.0.0.1", NeedEncap: false } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "fd00::/48", NeedEncap: false } },
    ]);
    expect(buildSdnRoutes(cidrs("10.96.0.0/12", "fd00::/48"), { families: [4] })).toHaveLength(1);
  });
});

describe("port mappings", () => {
  // Source: the endpoint document that win-bridge sends with a port mapping; protocol numbers by IANA.
  test.each([
    ["tcp", 6],
    ["udp", 17],
    ["sctp", 132],
  ] as const)("of %s carry protocol number %i", (protocol, number) => {
    expect(buildPortMappings([{ hostPort: 8080, containerPort: 80, protocol }])).toEqual([
      { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: number, VIP: "" } },
    ]);
  });

  test("carry the address of the node that listens, and keep their order", () => {
    const mappings = [
      { hostPort: 8443, containerPort: 443, protocol: "tcp", hostIp: ip("10.0.0.4") },
      { hostPort: 53, containerPort: 5353, protocol: "udp" },
    ] as const;
    expect(buildPortMappings(mappings).map(({ Settings }) => Settings)).toEqual([
      { InternalPort: 443, ExternalPort: 8443, Protocol: 6, VIP: "10.0.0.4" },
      { InternalPort: 5353, ExternalPort: 53, Protocol: 17, VIP: "" },
    ]);
  });

  // Source: Azure's plugin: LocalRoutedVip is 1, IPv6 is 2, and without a host address a dual-stack pod gets two policies.
  test("of a dual-stack pod are one a family, with the flags of each", () => {
    const mappings = [
      { hostPort: 8080, containerPort: 80, protocol: "tcp" },
      { hostPort: 8443, containerPort: 443, protocol: "tcp", hostIp: ip("fd00::4") },
    ] as const;
    expect(buildPortMappings(mappings, { families: [4, 6], localRoutedVip: true }).map(({ Settings }) => Settings)).toEqual([
      { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 1 },
      { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "", Flags: 3 },
      { InternalPort: 443, ExternalPort: 8443, Protocol: 6, VIP: "fd00::4", Flags: 3 },
    ]);
  });

  // Source: allowAclPortMapping of sdnbridge, which however says TCP whatever the protocol is.
  test("come with rules that let their traffic in, of the right protocol and each port once", () => {
    const mappings = [
      { hostPort: 53, containerPort: 5353, protocol: "udp" },
      { hostPort: 54, containerPort: 5353, protocol: "udp" },
      { hostPort: 8080, containerPort: 80, protocol: "tcp" },
    ] as const;
    const rule = { Action: "Allow", Direction: "In", RuleType: "Switch", Priority: 1000 };
    expect(buildPortMappingAcls(mappings)).toEqual([
      { Type: "ACL", Settings: { ...rule, Protocols: "17", LocalPorts: "5353" } },
      { Type: "ACL", Settings: { ...rule, Protocols: "6", LocalPorts: "80" } },
    ]);
  });
});

describe("loopback DSR", () => {
  // Source: the policy that win-bridge and Azure's plugin add for loopbackDSR / enableLoopbackDSR; the flag of IPv6 by Microsoft's module.
  test("is one policy an address", () => {
    expect(buildLoopbackDsr([ip("10.240.0.5"), ip("fd00::5")])).toEqual([
      { Type: "OutBoundNAT", Settings: { Destinations: ["10.240.0.5"] } },
      { Type: "OutBoundNAT", Settings: { Destinations: ["fd00::5"], Flags: 2 } },
    ]);
  });
});

describe("bandwidth", () => {
  const limit = (bytes: number): object => ({ Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: bytes } });

  test.each<[string, object, object[], RegExp[]]>([
    ["bits a second become whole bytes", { egressRate: 1_000_007 }, [limit(125_000)], []],
    ["nothing asked, nothing sent", {}, [], []],
    ["0 is no limit", { egressRate: 0, egressBurst: 0 }, [], []],
    ["the burst containerd always sends means nothing", { egressRate: 8e6, egressBurst: 4294967295 }, [limit(1e6)], []],
    ["a burst is told", { egressRate: 8e6, egressBurst: 1000 }, [limit(1e6)], [/^egressBurst 1000 /]],
    ["ingress is told", { ingressRate: 8e6, ingressBurst: 1000 }, [], [/^ingressRate 8000000 /, /^ingressBurst 1000 /]],
    ["a rate below a byte is still a limit", { egressRate: 1 }, [limit(1)], [/^egressRate 1 /]],
    ["10 kB a second is held", { egressRate: 80_000 }, [limit(10_000)], []],
  ])("%s", (_what, bandwidth, policies, warnings) => {
    const result = buildQos(bandwidth);
    expect(result.policies).toEqual(policies);
    expect(result.warnings).toEqual(warnings.map((pattern) => expect.stringMatching(pattern) as string));
  });
});

describe("proxies", () => {
  // Source: L4ProxyPolicySetting of hcsshim.
  test("in the switch name their address, port as text and exceptions", () => {
    const proxy = { ip: ip("10.0.0.5"), port: 15001, protocol: "tcp" } as const;
    expect(buildL4Proxy(proxy)).toEqual({ Type: "L4Proxy", Settings: { IP: "10.0.0.5", Port: "15001", Protocol: 6, Destination: "" } });
    const [destination] = cidrs("10.96.0.0/12");
    if (destination === undefined) throw new Error("no destination");
    expect(buildL4Proxy({ ...proxy, destination, exceptions: ["10.0.0.9:80"], outboundNat: true })).toEqual({
      Type: "L4Proxy",
      Settings: { IP: "10.0.0.5", Port: "15001", Protocol: 6, Exceptions: ["10.0.0.9:80"], Destination: "10.96.0.0/12", OutboundNAT: true },
    });
  });

  // Source: the policy that Azure's plugin takes for service meshes.
  test("in the pod name both ports, the proxy's account and the filter", () => {
    expect(
      buildL4WfpProxy({
        inboundPort: 15003,
        outboundPort: 15001,
        userSid: "S-1-5-32-556",
        inboundExceptions: {
          ports: [
            { first: 9090, last: 9090 },
            { first: 15000, last: 15010 },
          ],
        },
        outboundExceptions: { addresses: [ip("169.254.169.254")] },
      }),
    ).toEqual({
      Type: "L4WFPPROXY",
      Settings: {
        InboundProxyPort: "15003",
        OutboundProxyPort: "15001",
        UserSID: "S-1-5-32-556",
        FilterTuple: { Protocols: "6" },
        InboundExceptions: { PortExceptions: ["9090", "15000-15010"] },
        OutboundExceptions: { IpAddressExceptions: ["169.254.169.254"] },
      },
    });
  });

  test("in the pod leave out what is not given", () => {
    expect(buildL4WfpProxy({ outboundPort: 15001, userSid: "S-1-5-18", protocols: ["tcp", "udp"] })).toEqual({
      Type: "L4WFPPROXY",
      Settings: { OutboundProxyPort: "15001", UserSID: "S-1-5-18", FilterTuple: { Protocols: "6,17" } },
    });
  });
});

describe("single values", () => {
  const guid = findGuid("{abcdef00-1111-2222-3333-444444444444}");

  // Sources: the documents of win-overlay and Azure's plugin, and the HCN schema.
  test.each<[string, object, object]>([
    ["provider address", buildProviderAddress(ip("10.0.0.4")), { Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } }],
    ["encapsulation overhead", buildEncapOverhead(VXLAN_OVERHEAD), { Type: "EncapOverhead", Settings: { Overhead: 50 } }],
    ["VLAN", buildVlan(7), { Type: "VLAN", Settings: { IsolationId: 7 } }],
    ["virtual subnet", buildVsid(4096), { Type: "VSID", Settings: { IsolationId: 4096 } }],
    [
      "adapter by name",
      buildInterfaceConstraint({ alias: "Ethernet 2" }),
      { Type: "InterfaceConstraint", Settings: { InterfaceAlias: "Ethernet 2" } },
    ],
    ["adapter by index", buildInterfaceConstraint({ index: 12 }), { Type: "InterfaceConstraint", Settings: { InterfaceIndex: 12 } }],
    [
      "adapter by model",
      buildInterfaceConstraint({ description: "vmxnet3" }),
      { Type: "InterfaceConstraint", Settings: { InterfaceDescription: "vmxnet3" } },
    ],
    [
      "adapter by id",
      guid === undefined ? {} : buildInterfaceConstraint({ guid }),
      { Type: "InterfaceConstraint", Settings: { InterfaceGuid: "ABCDEF00-1111-2222-3333-444444444444" } },
    ],
  ])("%s", (_what, built, expected) => {
    expect(built).toEqual(expected);
  });
});
