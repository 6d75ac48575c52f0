/** Whatever a valid configuration says: HNS takes what is built from it, or it is told to be unsupported before. */
import fc from "fast-check";
import { findGuid, formatGuid } from "../../../../src/core/base/ids.ts";
import { addressAt, findCidr, type IpAddress } from "../../../../src/core/base/ip.ts";
import { normalise } from "../../../../src/core/config/normalise.ts";
import type { Mode, PluginConfig, PoolConfig } from "../../../../src/core/config/plugin-config.ts";
import { DATAPATHS } from "../../../../src/core/datapath/datapaths.ts";
import { createModel } from "../../../emulator/model-backend.ts";
import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import { createNetwork } from "../../../emulator/model/networks.ts";
import { parseObject } from "../../../emulator/model/json.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";
const VERSIONS = ["9.2", "9.5", "10.2", "10.4", "11.9", "11.10", "13.3", "15.4"];

const USERS_POLICIES = [
  { Type: "ACL", Settings: { Action: "Block", Direction: "Out", Protocols: "6", RemoteAddresses: "10.0.0.4/32", RemotePorts: "25,80-90" } },
  { type: "acl", protocol: "udp", action: "Allow", direction: "In", localPorts: "53", priority: 300 },
  { Type: "OutBoundNAT", ExceptionList: ["10.64.0.0/16", "fd00:64::/48"] },
  { Type: "OutBoundNAT", Settings: { Destinations: ["10.65.0.1"] } },
  { name: "EndpointPolicy", value: { Type: "ROUTE", DestinationPrefix: "10.66.0.0/16", NeedEncap: true } },
  { Type: "PortMapping", Settings: { InternalPort: 81, ExternalPort: 8080, Protocol: 17 } },
  { Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1_000_000 } },
  { Type: "L4Proxy", Settings: { Port: "15001", Protocol: 6 } },
  { Type: "VLAN", Settings: { IsolationId: 7 } },
  { Type: "InterfaceParameters", Settings: { Mtu: 1400 } },
  { name: "SubnetPolicy", value: { Type: "VLAN", Settings: { IsolationId: 8 } } },
  { Name: "NetworkPolicy", Value: { Type: "AutomaticDNS", Settings: { Enable: true } } },
  { name: "NetworkPolicy", value: { Type: "HostRoute", Settings: {} } },
  { name: "NetworkPolicy", value: { Type: "SetPolicy", Settings: { Id: "set-1", Name: "one", PolicyType: "IPSET", Values: "10.0.0.1" } } },
];

const options = fc.record(
  {
    mode: fc.constantFrom(...(Object.keys(DATAPATHS) as Mode[])),
    cidr: fc.constantFrom("10.244.3.0/24", "10.244.3.64/26", "10.0.0.0/8", "10.1.2.248/29"),
    second: fc.constantFrom("none", "fd00:10:244:3::/64", "fd00::/122", "10.9.0.0/28"),
    gatewayMode: fc.constantFrom(undefined, "network", "ipam", "none"),
    clusterCidrs: fc.constantFrom([], ["10.244.0.0/16"], ["10.244.0.0/16", "fd00::/48"]),
    serviceCidrs: fc.constantFrom([], ["172.30.0.0/16"], ["172.30.0.0/16", "fd01::/112"]),
    adapter: fc.constantFrom(undefined, "Ethernet"),
    vsid: fc.constantFrom(undefined, 4096, 16_777_215),
    vxlanPort: fc.constantFrom(undefined, 4789, 8472, 1),
    endpointMacPrefix: fc.constantFrom(undefined, "0E-2A", "fe:ff"),
    encapOverhead: fc.constantFrom(undefined, 50),
    ipMasq: fc.boolean(),
    ipMasqNetwork: fc.constantFrom(undefined, "", "10.7.0.0/16"),
    additionalRoutes: fc.constantFrom(
      [],
      [{ destination: "192.168.0.0/16", nextHop: "10.244.3.9" }],
      [{ destination: "192.168.0.0/24", needEncap: true }],
      [{ destination: "10.0.0.4/32", needEncap: true }],
      [{ destination: "fd05::/64", nextHop: "fd00::9" }],
    ),
    portMappings: fc.constantFrom([], [{ hostPort: 8080, containerPort: 80, protocol: "udp" }]),
    mac: fc.constantFrom(undefined, "0e:2a:00:00:00:01"),
    bandwidth: fc.constantFrom(undefined, { egressRate: 10_000_000, egressBurst: 4_294_967_295 }),
    optionalFlags: fc.constantFrom({}, { localRoutedPortMapping: true, allowAclPortMapping: true }),
    policies: fc.subarray(USERS_POLICIES),
    version: fc.constantFrom(...VERSIONS),
  },
  { requiredKeys: ["mode", "cidr", "second", "version"] },
);

type Options = typeof options extends fc.Arbitrary<infer T> ? T : never;

function buildConfig(chosen: Options): PluginConfig | undefined {
  const { cidr, second, portMappings, mac, bandwidth } = chosen;
  try {
    const { config } = normalise({
      name: "pods",
      ...chosen,
      runtimeConfig: { portMappings, mac, bandwidth },
      ipam: { type: "hns-cni", cidr },
    });
    const further = findCidr(second);
    if (further === undefined) return config;
    const pool: PoolConfig = { cidr: further, blockSize: further.prefix, gateway: addressAt(further, 1) };
    return { ...config, ipam: { ...config.ipam, pools: [...config.ipam.pools, pool] } };
  } catch {
    return undefined; // a mode and a gatewayMode that do not go together
  }
}

/** One address of each family, the last that pods can have in the last range of it. */
function choosePodAddresses(config: PluginConfig): IpAddress[] {
  return ([4, 6] as const).flatMap((family) => {
    const pool = config.ipam.pools.findLast(({ cidr }) => cidr.address.family === family);
    return pool === undefined ? [] : [addressAt(pool.cidr, 3)];
  });
}

test("the emulator accepts every document that is built", () => {
  let accepted = 0;
  fc.assert(
    fc.property(options, (chosen) => {
      const config = buildConfig(chosen);
      if (config === undefined) return;
      const [major = 0, minor = 0] = chosen.version.split(".").map(Number);
      const datapath = DATAPATHS[chosen.mode];
      const { world } = createModel({ version: { Major: major, Minor: minor } });
      if (datapath.findUnsupported(config, { major, minor }) !== undefined) return;
      if (datapath.judgePolicies(config, { major, minor }).faults.length > 0) return;
      accepted += 1;
      const { id } = createNetwork(world, ZERO_ID, parseObject(JSON.stringify(datapath.buildNetwork(config, { major, minor }))));
      const network = findGuid(id);
      if (network === undefined) throw new Error(id);
      const make = (document: object): object => createEndpoint(world, formatGuid(network), ZERO_ID, parseObject(JSON.stringify(document)));
      if (datapath.hostEndpointAddresses(config).length > 0) make(datapath.buildHostEndpoint(config, "pods_ep", network));
      const addresses = choosePodAddresses(config);
      make(
        datapath.buildPodEndpoint(config, { name: "c1_pods", network, addresses, version: { major, minor }, providerAddress: "10.0.0.4" }),
      );
    }),
    { numRuns: 1_600, seed: 20_251_121 },
  );
  expect(accepted).toBeGreaterThan(300);
});
