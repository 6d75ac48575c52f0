/**
 * The documents of each mode and family, field by field. IPv4: every mode. Both families: every mode but overlay and nat, which HNS has for IPv4
 * alone. IPv6 alone: none, since Windows has no such pods; a configuration that wants it is refused before there is a document. All of it is
 * version 2 of HNS's interface: version 1 makes nothing here, it only attaches endpoints to the node or to Docker's containers.
 */
import { findGuid, type Guid } from "../../../../src/core/base/ids.ts";
import { addressAt, findCidr, findIp, formatIp, type IpAddress } from "../../../../src/core/base/ip.ts";
import type { Mode, PluginConfig } from "../../../../src/core/config/plugin-config.ts";
import type { Datapath } from "../../../../src/core/datapath/datapath.ts";
import { DATAPATHS, findModeOfType, getDatapath } from "../../../../src/core/datapath/datapaths.ts";
import type { NetworkView } from "../../../../src/core/hcn/documents.ts";
import { buildConfig } from "../../../support/engine-fixture.ts";

const NETWORK_ID = findGuid("580a92d9-1111-4222-8333-444455556666") as Guid;
const SERVER_2025 = { major: 15, minor: 4 };
const SERVER_2019 = { major: 9, minor: 5 };
const V2 = { Major: 2, Minor: 0 };
const V4 = "10.244.3.7";
const V6 = "fd00:10:244:3::7";

const MODES = Object.keys(DATAPATHS) as Mode[];
const EXTERNAL: readonly Mode[] = ["l2bridge", "l2tunnel", "overlay", "transparent"];
const SDN: readonly Mode[] = ["l2bridge", "l2tunnel", "overlay"];
const DUAL: readonly Mode[] = ["l2bridge", "l2tunnel", "transparent", "internal", "private"];

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

/** The configuration with a range of IPv6 beside its own. */
function withV6(config: PluginConfig): PluginConfig {
  const cidr = findCidr("fd00:10:244:3::/64");
  if (cidr === undefined) throw new Error("no CIDR");
  const pool = { cidr, blockSize: 122, gateway: addressAt(cidr, 1) };
  return { ...config, ipam: { ...config.ipam, pools: [...config.ipam.pools, pool] } };
}

function build(mode: Mode, changes: Readonly<Record<string, unknown>> = {}): PluginConfig {
  return buildConfig({ mode, adapter: "Ethernet", serviceCidrs: ["10.96.0.0/12", "fd00:96::/112"], dns: {}, ...changes });
}

function endpoint(datapath: Datapath, config: PluginConfig, addresses: readonly string[] = [V4]): Record<string, unknown> {
  const pod = { name: "c1_pods", network: NETWORK_ID, addresses: addresses.map(ip), version: SERVER_2025, providerAddress: "10.0.0.4" };
  return { ...datapath.buildPodEndpoint(config, pod) };
}

/** What the modes differ in. The pods' gateway is undefined where they have none. */
const EXPECTED: Readonly<Record<Mode, { type: string; networkGateway: boolean; podGateway: number | undefined }>> = {
  l2bridge: { type: "L2Bridge", networkGateway: true, podGateway: 2 },
  l2tunnel: { type: "L2Tunnel", networkGateway: true, podGateway: 1 },
  overlay: { type: "Overlay", networkGateway: true, podGateway: 1 },
  nat: { type: "NAT", networkGateway: true, podGateway: 1 },
  transparent: { type: "Transparent", networkGateway: true, podGateway: 1 },
  internal: { type: "Internal", networkGateway: true, podGateway: 1 },
  private: { type: "Private", networkGateway: false, podGateway: undefined },
};

describe.each(MODES)("mode %s", (mode) => {
  const datapath = DATAPATHS[mode];
  const { type, networkGateway, podGateway } = EXPECTED[mode];
  const subnetPolicies = mode === "overlay" ? { Policies: [{ Type: "VSID", Settings: { IsolationId: 4096 } }] } : {};
  const subnetV4 = {
    IpAddressPrefix: "10.244.3.0/24",
    ...(networkGateway && { Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] }),
    ...subnetPolicies,
  };
  const subnetV6 = {
    IpAddressPrefix: "fd00:10:244:3::/64",
    ...(networkGateway && { Routes: [{ NextHop: "fd00:10:244:3::1", DestinationPrefix: "::/0" }] }),
  };
  const adapter = EXTERNAL.includes(mode) ? [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }] : [];
  const provider = mode === "overlay" ? [{ Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } }] : [];
  const routeV4 = podGateway === undefined ? [] : [{ NextHop: `10.244.3.${podGateway}`, DestinationPrefix: "0.0.0.0/0" }];
  const routeV6 = podGateway === undefined ? [] : [{ NextHop: `fd00:10:244:3::${podGateway}`, DestinationPrefix: "::/0" }];

  test("the network with IPv4", () => {
    expect(datapath.buildNetwork(build(mode))).toEqual({
      SchemaVersion: V2,
      Name: "pods",
      Type: type,
      Flags: 0,
      Ipams: [{ Type: "Static", Subnets: [subnetV4] }],
      Policies: adapter,
    });
  });

  test("the pod's endpoint with IPv4", () => {
    const policies = SDN.includes(mode)
      ? [
          { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
          { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
          { Type: "OutBoundNAT", Settings: { Destinations: [V4] } },
        ]
      : [];
    expect(endpoint(datapath, build(mode))).toEqual({
      SchemaVersion: V2,
      Name: "c1_pods",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      Policies: [...policies, ...provider],
      IpConfigurations: [{ IpAddress: V4, PrefixLength: 24 }],
      ...(mode === "overlay" && { MacAddress: "0E-2A-0A-F4-03-07" }),
      ...(routeV4.length > 0 && { Routes: routeV4 }),
    });
  });

  test("the network and the pod's endpoint with both families", () => {
    const config = withV6(build(mode));
    if (!DUAL.includes(mode)) {
      expect(datapath.findUnsupported(config, SERVER_2025)).toMatchObject({ field: "ipam" });
      return;
    }
    expect(datapath.findUnsupported(config, SERVER_2025)).toBeUndefined();
    expect(datapath.buildNetwork(config)).toEqual({
      SchemaVersion: V2,
      Name: "pods",
      Type: type,
      Flags: 0,
      Ipams: [{ Type: "Static", Subnets: [subnetV4, subnetV6] }],
      Policies: adapter,
    });
    const policies = SDN.includes(mode)
      ? [
          { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
          { Type: "OutBoundNAT", Settings: { Exceptions: ["fd00:96::/112"], Flags: 2 } },
          { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
          { Type: "SDNRoute", Settings: { DestinationPrefix: "fd00:96::/112", NeedEncap: true } },
          { Type: "OutBoundNAT", Settings: { Destinations: [V4] } },
          { Type: "OutBoundNAT", Settings: { Destinations: [V6], Flags: 2 } },
        ]
      : [];
    expect(endpoint(datapath, config, [V4, V6])).toEqual({
      SchemaVersion: V2,
      Name: "c1_pods",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      Policies: policies,
      IpConfigurations: [
        { IpAddress: V4, PrefixLength: 24 },
        { IpAddress: V6, PrefixLength: 64 },
      ],
      ...(routeV4.length > 0 && { Routes: [...routeV4, ...routeV6] }),
    });
    const one = endpoint(datapath, config, [V6]);
    expect(one["Routes"]).toEqual(routeV6.length > 0 ? routeV6 : undefined);
    expect(JSON.stringify(one)).not.toMatch(/10\.244|10\.96/);
  });

  test("a family that the version of HNS cannot do is unsupported, and named", () => {
    const found = datapath.findUnsupported(withV6(build(mode)), SERVER_2019);
    expect(found).toMatchObject({ field: "ipam" });
    expect(found?.problem).toContain(DUAL.includes(mode) ? "HNS 9.5 has no IPv6" : `networks of mode ${mode}`);
    expect(datapath.findUnsupported(build(mode), SERVER_2019)).toBeUndefined();
  });

  test("has a host endpoint in each subnet where the gateway is one, else none", () => {
    const wanted = mode === "l2bridge" ? ["10.244.3.2", "fd00:10:244:3::2"] : [];
    expect(datapath.hostEndpointAddresses(withV6(build(mode))).map(formatIp)).toEqual(wanted);
    const canHave = ["l2bridge", "l2tunnel"].includes(mode);
    const config = { ...withV6(build(mode)), gatewayMode: "host-endpoint" as const };
    expect(datapath.findUnsupported(config, SERVER_2025)?.field).toBe(canHave ? undefined : DUAL.includes(mode) ? "gatewayMode" : "ipam");
    if (!canHave) return;
    expect(datapath.buildHostEndpoint(config, "pods_ep", NETWORK_ID)).toEqual({
      SchemaVersion: V2,
      Name: "pods_ep",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      IpConfigurations: [
        { IpAddress: "10.244.3.2", PrefixLength: 24 },
        { IpAddress: "fd00:10:244:3::2", PrefixLength: 64 },
      ],
    });
  });

  test("takes networks of its own type, in any case, and names another", () => {
    const found: NetworkView = {
      id: NETWORK_ID,
      name: "pods",
      type: type.toUpperCase(),
      subnets: [{ prefix: "10.244.3.0/24", gateway: networkGateway ? "10.244.3.1" : undefined, vsid: undefined }],
      adapter: undefined,
      providerAddress: "10.0.0.4",
      vxlanPort: undefined,
      hasHostRoute: true,
    };
    expect(datapath.compareNetwork(found, build(mode))).toEqual([]);
    expect(datapath.compareNetwork({ ...found, type: "ICS" }, build(mode))).toEqual([`Type is ICS, wanted ${type}`]);
    expect(datapath.compareNetwork(found, withV6(build(mode)))).toEqual(["subnet is 10.244.3.0/24, wanted fd00:10:244:3::/64 (ipam.cidr)"]);
    expect(findModeOfType(type.toLowerCase())).toBe(mode);
  });

  test("port mappings and routes through the host's layer are refused where HNS has none", () => {
    const mapped = build(mode, { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80 }] } });
    const hasMappings = ["l2bridge", "l2tunnel", "overlay", "nat"].includes(mode);
    expect(datapath.findUnsupported(mapped, SERVER_2025)?.field).toBe(hasMappings ? undefined : "runtimeConfig.portMappings");
    const mapping = { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" } };
    if (mode === "transparent") expect(() => endpoint(datapath, mapped)).toThrow(/a transparent network maps no ports/);
    else expect(endpoint(datapath, mapped)["Policies"]).toContainEqual(mapping);
    const routed = build(mode, { additionalRoutes: [{ destination: "10.0.0.4/32", needEncap: true }] });
    const field = SDN.includes(mode) ? undefined : "additionalRoutes[0].needEncap";
    expect(datapath.findUnsupported(routed, SERVER_2025)?.field).toBe(field);
  });
});

describe("several ranges of one family", () => {
  const cidr = findCidr("10.244.9.0/26");
  const base = build("l2bridge");
  const config: PluginConfig =
    cidr === undefined
      ? base
      : { ...base, ipam: { ...base.ipam, pools: [...base.ipam.pools, { cidr, blockSize: 26, gateway: addressAt(cidr, 1) }] } };

  test("are subnets of the network, each with its own gateway and prefix length for the pods in it", () => {
    const { buildNetwork, hostEndpointAddresses } = DATAPATHS.l2bridge;
    expect(buildNetwork(config).Ipams[0]?.Subnets.map(({ IpAddressPrefix }) => IpAddressPrefix)).toEqual([
      "10.244.3.0/24",
      "10.244.9.0/26",
    ]);
    expect(hostEndpointAddresses(config).map(formatIp)).toEqual(["10.244.3.2", "10.244.9.2"]);
    expect(endpoint(DATAPATHS.l2bridge, config, ["10.244.9.17"])).toMatchObject({
      IpConfigurations: [{ IpAddress: "10.244.9.17", PrefixLength: 26 }],
      Routes: [{ NextHop: "10.244.9.2", DestinationPrefix: "0.0.0.0/0" }],
    });
  });
});

describe("overlay", () => {
  const { overlay } = DATAPATHS;

  test("VSID, port and MAC prefix are the configuration's; the port only where HNS knows it", () => {
    const config = build("overlay", { vsid: 4099, vxlanPort: 8472, endpointMacPrefix: "ee:01" });
    const network = overlay.buildNetwork(config);
    expect(network.Ipams[0]?.Subnets[0]?.Policies).toEqual([{ Type: "VSID", Settings: { IsolationId: 4099 } }]);
    expect(network.Policies).toContainEqual({ Type: "VxlanPort", Settings: { Port: 8472 } });
    expect(endpoint(overlay, config)["MacAddress"]).toBe("EE-01-0A-F4-03-07");
    // Source: the version ranges of hcsshim's hcn package.
    expect(overlay.findUnsupported(config, { major: 10, minor: 2 })).toMatchObject({ field: "vxlanPort", problem: /8472.*10\.2/ });
    expect(overlay.findUnsupported(config, { major: 10, minor: 3 })).toBeUndefined();
  });

  test("another VSID or port is a difference", () => {
    const found: NetworkView = {
      id: NETWORK_ID,
      name: "pods",
      type: "Overlay",
      subnets: [{ prefix: "10.244.3.0/24", gateway: "10.244.3.1", vsid: 5000 }],
      adapter: undefined,
      providerAddress: undefined,
      vxlanPort: 8472,
      hasHostRoute: false,
    };
    expect(overlay.compareNetwork(found, build("overlay"))).toEqual([
      "VSID is 5000, wanted 4096 (vsid)",
      "VxlanPort is 8472, wanted 4789 (vxlanPort)",
    ]);
    expect(overlay.compareNetwork(found, build("overlay", { vsid: 5000, vxlanPort: 8472 }))).toEqual([]);
  });

  test("the source VIP is the second address of the range; other modes need none", () => {
    expect(overlay.sourceVips(build("overlay", { ipam: { cidr: "10.244.3.64/26" } })).map(formatIp)).toEqual(["10.244.3.66"]);
    for (const mode of MODES) if (mode !== "overlay") expect(DATAPATHS[mode].sourceVips(build(mode))).toEqual([]);
  });

  test("without the node's address there is no provider address policy", () => {
    const policies = overlay.buildPodPolicies(build("overlay"), { addresses: [ip(V4)], version: SERVER_2025 });
    expect(policies.map(({ Type }) => Type)).not.toContain("ProviderAddress");
  });
});

describe("settings of every mode", () => {
  const { l2bridge } = DATAPATHS;

  test("additional routes go into the pod's table or the host's layer; those of a family the pod lacks nowhere", () => {
    const config = build("l2bridge", {
      loopbackDSR: false,
      additionalRoutes: [
        { destination: "192.168.0.0/16", nextHop: "10.244.3.9" },
        { destination: "10.0.0.4/32", needEncap: true },
        { destination: "10.5.0.0/16", nextHop: "10.244.3.8", needEncap: true },
        { destination: "fd00:5::/64", nextHop: "fd00:10:244:3::9" },
      ],
    });
    const document = endpoint(l2bridge, config);
    expect(document["Routes"]).toEqual([
      { NextHop: "10.244.3.2", DestinationPrefix: "0.0.0.0/0" },
      { NextHop: "10.244.3.9", DestinationPrefix: "192.168.0.0/16" },
    ]);
    expect(document["Policies"]).toEqual([
      { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.0.0.4/32", NeedEncap: true } },
      { Type: "SDNRoute", Settings: { DestinationPrefix: "10.5.0.0/16", NextHop: "10.244.3.8", NeedEncap: true } },
    ]);
    expect(endpoint(l2bridge, withV6(config), [V4, V6])["Routes"]).toContainEqual({
      NextHop: "fd00:10:244:3::9",
      DestinationPrefix: "fd00:5::/64",
    });
  });

  test("a default route among them is the pods' default gateway with gatewayMode none", () => {
    const config = build("l2bridge", { gatewayMode: "none", additionalRoutes: [{ destination: "0.0.0.0/0", nextHop: "10.244.3.9" }] });
    expect(endpoint(l2bridge, config)["Routes"]).toEqual([{ NextHop: "10.244.3.9", DestinationPrefix: "0.0.0.0/0" }]);
    const gateway = l2bridge.podGateway(config, ip(V4));
    expect(gateway && formatIp(gateway)).toBe("10.244.3.9");
  });

  test("ipMasq and ipMasqNetwork keep the pod's address", () => {
    const config = build("overlay", { clusterCidrs: [], serviceCidrs: [], ipMasq: true, ipMasqNetwork: "10.8.0.0/16" });
    expect(endpoint(DATAPATHS.overlay, config)["Policies"]).toContainEqual({
      Type: "OutBoundNAT",
      Settings: { Exceptions: ["10.8.0.0/16", "10.244.3.0/24"] },
    });
  });

  test("a MAC address that was asked for comes before the mode's own", () => {
    const changes = { runtimeConfig: { mac: "0e:2a:00:00:00:0f" } };
    for (const mode of MODES) expect(endpoint(DATAPATHS[mode], build(mode, changes))["MacAddress"]).toBe("0E-2A-00-00-00-0F");
  });

  test("encapOverhead is a policy of the endpoint", () => {
    expect(endpoint(l2bridge, build("l2bridge", { encapOverhead: 50 }))["Policies"]).toContainEqual({
      Type: "EncapOverhead",
      Settings: { Overhead: 50 },
    });
  });

  test.each(["nat", "transparent", "l2tunnel", "internal"] as const)("mode %s has the gateway that ipam.gateway names", (mode) => {
    const config = build(mode, { ipam: { gateway: "10.244.3.254" } });
    expect(DATAPATHS[mode].buildNetwork(config).Ipams[0]?.Subnets[0]?.Routes).toEqual([
      { NextHop: "10.244.3.254", DestinationPrefix: "0.0.0.0/0" },
    ]);
    expect(endpoint(DATAPATHS[mode], config)["Routes"]).toEqual([{ NextHop: "10.244.3.254", DestinationPrefix: "0.0.0.0/0" }]);
  });
});

describe("where HNS chooses the addresses", () => {
  const network = Object.fromEntries(Object.entries(build("nat")).filter(([key]) => key !== "ipam")) as Omit<PluginConfig, "ipam">;
  const cidr = findCidr("172.20.0.0/16");
  const subnets = cidr === undefined ? [] : [{ cidr, gateway: addressAt(cidr, 1) }];

  test("the endpoint has no addresses, and the default route of the network's subnet", () => {
    const config = { ...network, hnsAddressed: { subnets } };
    const pod = { name: "c1_pods", network: NETWORK_ID, addresses: [], version: SERVER_2025 };
    expect(DATAPATHS.nat.buildPodEndpoint(config, pod)).toEqual({
      SchemaVersion: V2,
      Name: "c1_pods",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      Policies: [],
      Routes: [{ NextHop: "172.20.0.1", DestinationPrefix: "0.0.0.0/0" }],
    });
  });

  test("a transparent network without a subnet is one for DHCP; the others need a subnet", () => {
    const config = { ...network, hnsAddressed: { subnets: [] } };
    expect(DATAPATHS.transparent.buildNetwork(config).Ipams).toEqual([{ Type: "DHCP", Subnets: [] }]);
    expect(MODES.filter((mode) => !DATAPATHS[mode].needs.subnet)).toEqual(["transparent"]);
  });
});

test("a mode that nobody tells is INVALID_CONFIG, naming it", () => {
  expect(() => getDatapath({ networkName: "pods" })).toThrow(/mode is missing/);
  expect(findModeOfType("ICS")).toBeUndefined();
});
