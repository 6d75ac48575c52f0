import { findGuid, type Guid } from "../../../../src/core/base/ids.ts";
import { findIp, formatIp, type IpAddress } from "../../../../src/core/base/ip.ts";
import type { PluginConfig } from "../../../../src/core/config/plugin-config.ts";
import { l2bridge } from "../../../../src/core/datapath/l2bridge.ts";
import type { NetworkView } from "../../../../src/core/hcn/documents.ts";
import { buildConfig } from "../../../support/engine-fixture.ts";

const { buildHostEndpoint, buildNetwork, buildPodEndpoint, buildPodPolicies, compareNetwork, hostEndpointAddresses, podGateway } = l2bridge;

const NETWORK_ID = guid("580a92d9-1111-4222-8333-444455556666");
const NEW_HNS = { major: 15, minor: 2 };

function guid(text: string): Guid {
  const found = findGuid(text);
  if (found === undefined) throw new Error(text);
  return found;
}

function ip(text: string): IpAddress {
  const found = findIp(text);
  if (found === undefined) throw new Error(text);
  return found;
}

function endpoint(config: PluginConfig, version = NEW_HNS): object {
  return buildPodEndpoint(config, { name: "c1_l2", network: NETWORK_ID, addresses: [ip("10.244.0.3")], version });
}

describe("the pod's endpoint", () => {
  // Source: the endpoint document that win-bridge sends for this configuration; PrefixLength as vpc-bridge and Azure's plugin give it,
  // the loopback policy last as win-bridge orders it.
  test("is exactly the document of the reference plugins", () => {
    const config = buildConfig({
      name: "l2",
      ipam: { cidr: "10.244.0.0/24" },
      dns: { nameservers: ["10.96.0.10"], search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"] },
      capabilities: { portMappings: true },
      runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] },
    });
    expect(endpoint(config)).toEqual({
      SchemaVersion: { Major: 2, Minor: 0 },
      Name: "c1_l2",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      Policies: [
        { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
        { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
        { Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort: 8080, Protocol: 6, VIP: "" } },
        { Type: "OutBoundNAT", Settings: { Destinations: ["10.244.0.3"] } },
      ],
      IpConfigurations: [{ IpAddress: "10.244.0.3", PrefixLength: 24 }],
      Dns: { Search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], ServerList: ["10.96.0.10"] },
      Routes: [{ NextHop: "10.244.0.2", DestinationPrefix: "0.0.0.0/0" }],
    });
  });

  test("has no Dns when the configuration says nothing of it, and only the fields that it names", () => {
    expect(endpoint(buildConfig({ dns: {} }))).not.toHaveProperty("Dns");
    const dns = { domain: "example.test", options: ["ndots:5", "timeout:2"] };
    expect(endpoint(buildConfig({ dns }))).toMatchObject({ Dns: { Domain: "example.test", Options: ["ndots:5", "timeout:2"] } });
    expect(Object.keys((endpoint(buildConfig({ dns })) as { Dns: object }).Dns)).toEqual(["Domain", "Options"]);
  });

  test("has no policies when nothing asks for one", () => {
    expect(
      buildPodPolicies(buildConfig({ clusterCidrs: [], serviceCidrs: [], loopbackDSR: false }), { addresses: [], version: NEW_HNS }),
    ).toEqual([]);
  });

  test.each([
    ["host-endpoint", {}, "10.244.3.2"],
    ["ipam", {}, "10.244.3.1"],
    ["ipam", { gateway: "10.244.3.254" }, "10.244.3.254"],
    ["none", {}, undefined],
  ])("with gatewayMode %s and ipam %j has the gateway %s", (gatewayMode, ipam, gateway) => {
    const config = buildConfig({ gatewayMode, ipam });
    const found = podGateway(config, ip("10.244.3.3"));
    expect(found === undefined ? undefined : formatIp(found)).toBe(gateway);
    const document = endpoint(config) as { Routes?: unknown };
    expect(document.Routes).toEqual(gateway === undefined ? undefined : [{ NextHop: gateway, DestinationPrefix: "0.0.0.0/0" }]);
    expect("Routes" in document).toBe(gateway !== undefined);
  });

  // Source: the version ranges of hcsshim's hcn package: DSR is in 9.3 to 9.x and from 10.2 on.
  test.each([
    [9, 2, false],
    [9, 3, true],
    [9, 9, true],
    [10, 0, false],
    [10, 1, false],
    [10, 2, true],
    [11, 0, true],
    [15, 2, true],
    [0, 0, false],
  ])("on HNS %i.%i has the loopback policy: %s", (major, minor, expected) => {
    const policies = buildPodPolicies(buildConfig(), { addresses: [ip("10.244.3.3")], version: { major, minor } });
    expect(policies.some(({ Settings }) => "Destinations" in Settings)).toBe(expected);
    const without = buildPodPolicies(buildConfig({ loopbackDSR: false }), { addresses: [ip("10.244.3.3")], version: { major, minor } });
    expect(without.some(({ Settings }) => "Destinations" in Settings)).toBe(false);
  });
});

describe("the network", () => {
  // Source: the l2bridge network of Azure's plugin (without its VLAN policy, which is for multitenancy).
  test("is exactly the document of the reference plugins", () => {
    expect(buildNetwork(buildConfig({ name: "azure", adapter: "Ethernet 2", ipam: { cidr: "10.240.0.0/16" } }))).toEqual({
      SchemaVersion: { Major: 2, Minor: 0 },
      Name: "azure",
      Type: "L2Bridge",
      Flags: 0,
      Ipams: [
        {
          Type: "Static",
          Subnets: [{ IpAddressPrefix: "10.240.0.0/16", Routes: [{ NextHop: "10.240.0.1", DestinationPrefix: "0.0.0.0/0" }] }],
        },
      ],
      Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet 2" } }],
    });
  });

  test("names no adapter when the configuration names none", () => {
    expect(buildNetwork(buildConfig()).Policies).toEqual([]);
  });

  test("keeps .1 for HNS and .2 for the host endpoint", () => {
    const config = buildConfig({ ipam: { cidr: "10.244.3.64/26" } });
    const gateway = l2bridge.networkGateway(config, ip("10.244.3.70"));
    expect([gateway, ...hostEndpointAddresses(config)].map((address) => address && formatIp(address))).toEqual([
      "10.244.3.65",
      "10.244.3.66",
    ]);
  });

  test("has a host endpoint without routes and policies of its own", () => {
    expect(buildHostEndpoint(buildConfig(), "pods_ep", NETWORK_ID)).toEqual({
      SchemaVersion: { Major: 2, Minor: 0 },
      Name: "pods_ep",
      HostComputeNetwork: "580A92D9-1111-4222-8333-444455556666",
      IpConfigurations: [{ IpAddress: "10.244.3.2", PrefixLength: 24 }],
    });
  });
});

describe("comparing a network with the configuration", () => {
  const fitting: NetworkView = {
    id: NETWORK_ID,
    name: "pods",
    type: "L2Bridge",
    subnets: [{ prefix: "10.244.3.0/24", gateway: "10.244.3.1", vsid: undefined }],
    adapter: "Ethernet",
    providerAddress: undefined,
    vxlanPort: undefined,
    hasHostRoute: false,
  };
  const config = buildConfig({ adapter: "Ethernet" });

  test.each<[string, Partial<NetworkView>]>([
    ["equal", {}],
    ["of a type in another case", { type: "l2bridge" }],
    ["of type L2Tunnel, which win-bridge takes too", { type: "L2Tunnel" }],
    ["that does not tell its adapter", { adapter: undefined }],
    ["whose adapter has another case", { adapter: "ETHERNET" }],
    ["with further subnets", { subnets: [{ prefix: "10.9.0.0/24", gateway: "10.9.0.1", vsid: undefined }, ...fitting.subnets] }],
    ["of another name, which is how it was found", { name: "other" }],
  ])("finds no difference in one %s", (_which, changes) => {
    expect(compareNetwork({ ...fitting, ...changes }, config)).toEqual([]);
  });

  test.each<[string, Partial<NetworkView>, string[]]>([
    ["type", { type: "NAT" }, ["Type is NAT, wanted L2Bridge"]],
    [
      "subnet",
      { subnets: [{ prefix: "10.244.3.0/25", gateway: "10.244.3.1", vsid: undefined }] },
      ["subnet is 10.244.3.0/25, wanted 10.244.3.0/24 (ipam.cidr)"],
    ],
    ["no subnet", { subnets: [] }, ["subnet is none, wanted 10.244.3.0/24 (ipam.cidr)"]],
    [
      "gateway",
      { subnets: [{ prefix: "10.244.3.0/24", gateway: "10.244.3.254", vsid: undefined }] },
      ["gateway is 10.244.3.254, wanted 10.244.3.1"],
    ],
    ["no gateway", { subnets: [{ prefix: "10.244.3.0/24", gateway: undefined, vsid: undefined }] }, ["gateway is none, wanted 10.244.3.1"]],
    ["adapter", { adapter: "Ethernet 2" }, ['adapter is "Ethernet 2", wanted "Ethernet"']],
    [
      "all",
      { type: "Overlay", subnets: [], adapter: "x" },
      ["Type is Overlay, wanted L2Bridge", "subnet is none, wanted 10.244.3.0/24 (ipam.cidr)", 'adapter is "x", wanted "Ethernet"'],
    ],
  ])("names the difference: %s", (_field, changes, differences) => {
    expect(compareNetwork({ ...fitting, ...changes }, config)).toEqual(differences);
  });

  test("does not compare the adapter when the configuration names none", () => {
    expect(compareNetwork({ ...fitting, adapter: "whatever" }, buildConfig())).toEqual([]);
  });
});
