/** What the configuration says of modes, routes and gateways. */
import { PluginError } from "../../../../src/core/base/errors.ts";
import { findCidr, findIp, formatCidr } from "../../../../src/core/base/ip.ts";
import { normalise, normaliseHnsAddressed } from "../../../../src/core/config/normalise.ts";
import type { PluginConfig } from "../../../../src/core/config/plugin-config.ts";

const IPAM = { type: "hns-cni", cidr: "10.244.3.0/24" };

function build(changes: object = {}): Record<string, unknown> {
  return { cniVersion: "1.1.0", name: "pods", type: "hns-cni", mode: "overlay", clusterCidrs: ["10.244.0.0/16"], ipam: IPAM, ...changes };
}

function read(changes: object): PluginConfig {
  return normalise(build(changes)).config;
}

function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "INVALID_CONFIG") return thrown.message;
    throw thrown;
  }
  throw new Error("no fault was reported");
}

describe("modes", () => {
  test.each([
    ["l2bridge", "host-endpoint"],
    ["l2tunnel", "network"],
    ["overlay", "network"],
    ["nat", "network"],
    ["transparent", "network"],
    ["internal", "network"],
    ["private", "none"],
  ])("%s has the gatewayMode %s unless another is set", (mode, gatewayMode) => {
    expect(read({ mode }).gatewayMode).toBe(gatewayMode);
    expect(read({ mode, gatewayMode: "ipam" }).gatewayMode).toBe("ipam");
  });

  test("an absent mode is left to the HNS network, with a remark", () => {
    const { config, warnings } = normalise(build({ mode: undefined }));
    expect(config).not.toHaveProperty("mode");
    expect(config).not.toHaveProperty("gatewayMode");
    expect(warnings).toEqual(['mode is absent: the HNS network "pods" must exist, and its type gives the mode']);
  });

  test.each(["overlay", "nat", "transparent", "internal", "private"])("%s has no host endpoint", (mode) => {
    expect(faultOf(() => read({ mode, gatewayMode: "host-endpoint" }))).toContain(`there is none with mode ${mode}`);
    expect(faultOf(() => read({ mode, optionalFlags: { forceBridgeGateway: true } }))).toContain("gatewayMode");
  });

  test("a private network has no gateway of its own", () => {
    expect(faultOf(() => read({ mode: "private", gatewayMode: "network" }))).toContain("none with mode private");
  });

  test.each([
    ["l2bridge", { vsid: 5000, vxlanPort: 1, endpointMacPrefix: "0E-2A" }, ["vsid", "vxlanPort", "endpointMacPrefix"]],
    [
      "nat",
      { serviceCidrs: ["10.96.0.0/12"], ipMasq: true, ipMasqNetwork: "10.0.0.0/8" },
      ["clusterCidrs", "serviceCidrs", "ipMasq", "ipMasqNetwork"],
    ],
    ["overlay", { vsid: 5000, ipMasq: true }, []],
  ])("%s: what it has no use for is remarked upon", (mode, changes, ignored) => {
    expect(normalise(build({ mode, ...changes })).warnings).toEqual(ignored.map((key) => `${key} is ignored: mode is ${mode}`));
  });

  test.each([
    ["l2bridge", 1],
    ["overlay", 1],
    ["nat", 0],
    ["transparent", 0],
  ])("%s: an ipam.gateway that nobody uses is remarked upon", (mode, count) => {
    const { warnings } = normalise(build({ mode, clusterCidrs: ["10.244.0.0/16"], ipam: { ...IPAM, gateway: "10.244.3.9" } }));
    expect(warnings.filter((warning) => warning.startsWith("ipam.gateway"))).toHaveLength(count);
  });
});

describe("overlay settings", () => {
  test("the MAC prefix is in HNS's form, whatever it was written in", () => {
    expect(read({ endpointMacPrefix: "ee:0a" }).endpointMacPrefix).toBe("EE-0A");
  });

  test.each([
    [{ vsid: 4095 }, "vsid is 4095"],
    [{ vsid: 16_777_216 }, "vsid is 16777216"],
    [{ vsid: "4096" }, "vsid is"],
    [{ vxlanPort: 0 }, "vxlanPort is 0"],
    [{ vxlanPort: 65_536 }, "vxlanPort is 65536"],
    [{ endpointMacPrefix: "0E2A" }, "does not have the form"],
    [{ endpointMacPrefix: "0G-2A" }, "does not have the form"],
    [{ endpointMacPrefix: "0F-2A" }, "begins a multicast address"],
    [{ endpointMacPrefix: "00-15" }, "belongs to a manufacturer"],
    [{ encapOverhead: 0 }, "encapOverhead is 0"],
  ])("%j is a fault", (changes, part) => {
    expect(faultOf(() => read(changes))).toContain(part);
  });
});

describe("additionalRoutes", () => {
  test("are networks with a gateway, or through the host's layer", () => {
    const additionalRoutes = [
      { destination: "192.168.0.0/16", nextHop: "10.244.3.9" },
      { Destination: "fd00::/64", NeedEncap: true, nextHop: null },
    ];
    expect(read({ additionalRoutes }).additionalRoutes).toEqual([
      { destination: findCidr("192.168.0.0/16"), nextHop: findIp("10.244.3.9"), needEncap: false },
      { destination: findCidr("fd00::/64"), needEncap: true },
    ]);
  });

  test.each([
    [[{ nextHop: "10.0.0.1" }], "additionalRoutes[0].destination is missing"],
    [[{ destination: "192.168.0.5/16", nextHop: "10.0.0.1" }], "has host bits set"],
    [[{ destination: "192.168.0.0/16" }], "additionalRoutes[0].nextHop is missing"],
    [[{ destination: "192.168.0.0/16", nextHop: "gw" }], "is no IP address"],
    [[{ destination: "192.168.0.0/16", nextHop: "fd00::1" }], "is not of the family of 192.168.0.0/16"],
    [[{ destination: "0.0.0.0/0", nextHop: "10.0.0.1" }], "the default route is gatewayMode's"],
    [{ destination: "192.168.0.0/16" }, "additionalRoutes is"],
  ])("%j is a fault", (additionalRoutes, part) => {
    expect(faultOf(() => read({ additionalRoutes }))).toContain(part);
  });

  test("a default route goes with gatewayMode none, also in sdnbridge's words", () => {
    const additionalRoutes = [{ destination: "0.0.0.0/0", nextHop: "10.244.3.9" }];
    expect(read({ additionalRoutes, gatewayMode: "none" }).additionalRoutes).toHaveLength(1);
    expect(read({ additionalRoutes, optionalFlags: { gatewayFromAdditionalRoutes: true } }).gatewayMode).toBe("none");
  });
});

describe("other plugins' keys", () => {
  test("ipMasqNetwork may be empty, and must be a network otherwise", () => {
    expect(read({ ipMasqNetwork: "" })).not.toHaveProperty("ipMasqNetwork");
    expect(read({ ipMasqNetwork: "10.0.0.0/8" }).ipMasqNetwork).toEqual(findCidr("10.0.0.0/8"));
    expect(faultOf(() => read({ ipMasqNetwork: "10.0.0.1/8" }))).toContain("ipMasqNetwork");
  });

  test("optionalFlags count in place of our own keys", () => {
    expect(read({ optionalFlags: { loopbackDSR: false } }).loopbackDsr).toBe(false);
    expect(read({ loopbackDSR: false, optionalFlags: { loopbackDSR: true } }).loopbackDsr).toBe(true);
    const { config, warnings } = normalise(build({ mode: "l2tunnel", optionalFlags: { forceBridgeGateway: true, enableDualStack: true } }));
    expect([config.gatewayMode, warnings]).toEqual(["host-endpoint", []]);
    expect(read({ mode: "l2tunnel", gatewayMode: "network", optionalFlags: { forceBridgeGateway: true } }).gatewayMode).toBe("network");
  });

  test.each(["01:00:5e:00:00:01", "00:00:00:00:00:00", "mac", "0e:2a"])("the MAC address %s is a fault", (mac) => {
    expect(faultOf(() => read({ runtimeConfig: { mac } }))).toContain("runtimeConfig.mac");
  });

  test("a MAC address may be asked for, or be empty", () => {
    expect(read({ runtimeConfig: { Mac: "0E-2A-00-00-00-01" } }).mac).toBe("0e:2a:00:00:00:01");
    expect(read({ runtimeConfig: { mac: "" } })).not.toHaveProperty("mac");
  });
});

describe("without an ipam section", () => {
  const withoutIpam = (changes: object): Record<string, unknown> => build({ mode: "nat", ipam: undefined, ...changes });

  test.each([undefined, null, {}])("(%j) HNS chooses the addresses, in the subnets that are named", (ipam) => {
    const { config } = normaliseHnsAddressed(withoutIpam({ ipam, subnet: "10.1.0.0/24, fd00::/64" }));
    expect(config.hnsAddressed.subnets.map(({ cidr }) => formatCidr(cidr))).toEqual(["10.1.0.0/24", "fd00::/64"]);
    expect(config.hnsAddressed.subnets[0]?.gateway).toEqual(findIp("10.1.0.1"));
  });

  test("a subnet of IPv6 alone is refused: Windows has no such pods", () => {
    const message = faultOf(() => normaliseHnsAddressed(withoutIpam({ subnet: "fd00:10:244:3::/64" })));
    expect(message).toContain('subnet is "fd00:10:244:3::/64": is an IPv6 network, and Windows has no pods with IPv6 alone');
  });

  test("all other faults are told, those of subnet too", () => {
    const message = faultOf(() => normaliseHnsAddressed(withoutIpam({ subnet: "10.1.0.5/24", vsid: 1 })));
    expect(message).toContain("subnet is");
    expect(message).toContain("vsid is 1");
  });

  test("on an overlay network it is missing: tunnels need addresses that are known ahead", () => {
    expect(faultOf(() => normaliseHnsAddressed(withoutIpam({ mode: "overlay" })))).toContain("ipam is missing");
  });

  test("an IPAM plugin of ours does not take such a configuration", () => {
    expect(faultOf(() => normalise(withoutIpam({})))).toContain("ipam is missing");
  });
});
