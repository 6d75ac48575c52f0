/**
 * What HNS is told on the first ADD of a network of each mode and family, field by field, as it crossed the library's border. Sources: l2bridge
 * and overlay as win-bridge, win-overlay, flannel and Calico make them; l2tunnel as Azure's plugin; nat, transparent and internal as Docker's
 * networks; IPv6 as sdnbridge with enableDualStack.
 */
import type { Mode } from "../../src/core/config/plugin-config.ts";
import { CniNode, parseError } from "../support/cni-node.ts";
import type { JsonObject } from "../../scripts/demo/conf-list.ts";
import { describeProgram, linux } from "../support/programs.ts";

const V2 = { Major: 2, Minor: 0 };
const ADAPTER = { Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } };
const VSID = { Type: "VSID", Settings: { IsolationId: 4096 } };
const PROVIDER = { Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } };
const DNS = { Search: ["default.svc.cluster.local", "svc.cluster.local", "cluster.local"], ServerList: ["10.96.0.10"] };

const SDN_V4 = [
  { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
  { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
  { Type: "OutBoundNAT", Settings: { Destinations: ["10.244.3.3"] } },
];
const SDN_DUAL = [
  { Type: "OutBoundNAT", Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } },
  { Type: "OutBoundNAT", Settings: { Exceptions: ["fd00:10:244::/48", "fd00:10:96::/112"], Flags: 2 } },
  { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: true } },
  { Type: "SDNRoute", Settings: { DestinationPrefix: "fd00:10:96::/112", NeedEncap: true } },
  { Type: "OutBoundNAT", Settings: { Destinations: ["10.244.3.3"] } },
  { Type: "OutBoundNAT", Settings: { Destinations: ["fd00:10:244:3::3"], Flags: 2 } },
];

const subnet = (IpAddressPrefix: string, gateway?: readonly [string, string], Policies?: readonly object[]): object => ({
  IpAddressPrefix,
  ...(gateway !== undefined && { Routes: [{ NextHop: gateway[0], DestinationPrefix: gateway[1] }] }),
  ...(Policies !== undefined && { Policies }),
});
const V4_DEFAULT = "0.0.0.0/0";
const V6_DEFAULT = "::/0";
const SUBNET_V4 = subnet("10.244.3.0/24", ["10.244.3.1", V4_DEFAULT]);
const SUBNET_V6 = subnet("fd00:10:244:3::/64", ["fd00:10:244:3::1", V6_DEFAULT]);
const HOST_V4 = [{ IpAddress: "10.244.3.2", PrefixLength: 24 }];
const HOST_V6 = [{ IpAddress: "fd00:10:244:3::2", PrefixLength: 64 }];
const POD_V4 = [{ IpAddress: "10.244.3.3", PrefixLength: 24 }];
const POD_V6 = [{ IpAddress: "fd00:10:244:3::3", PrefixLength: 64 }];
const FROM_HOST = [{ NextHop: "10.244.3.2", DestinationPrefix: V4_DEFAULT }];
const FROM_HOST_V6 = [{ NextHop: "fd00:10:244:3::2", DestinationPrefix: V6_DEFAULT }];
const FROM_NETWORK = [{ NextHop: "10.244.3.1", DestinationPrefix: V4_DEFAULT }];
const FROM_NETWORK_V6 = [{ NextHop: "fd00:10:244:3::1", DestinationPrefix: V6_DEFAULT }];

interface Golden {
  readonly mode: Mode;
  readonly type: string;
  readonly subnets: readonly object[];
  readonly networkPolicies: readonly object[];
  /** The host endpoint's addresses, where there is one. */
  readonly host?: readonly object[];
  /** What of the pod's endpoint differs from mode to mode. */
  readonly pod: object;
}

const IPV4: readonly Golden[] = [
  {
    mode: "l2bridge",
    type: "L2Bridge",
    subnets: [SUBNET_V4],
    networkPolicies: [ADAPTER],
    host: HOST_V4,
    pod: { Policies: SDN_V4, Routes: FROM_HOST },
  },
  { mode: "l2tunnel", type: "L2Tunnel", subnets: [SUBNET_V4], networkPolicies: [ADAPTER], pod: { Policies: SDN_V4, Routes: FROM_NETWORK } },
  {
    mode: "overlay",
    type: "Overlay",
    subnets: [subnet("10.244.3.0/24", ["10.244.3.1", V4_DEFAULT], [VSID])],
    networkPolicies: [ADAPTER],
    pod: { Policies: [...SDN_V4, PROVIDER], Routes: FROM_NETWORK, MacAddress: "0E-2A-0A-F4-03-03" },
  },
  { mode: "nat", type: "NAT", subnets: [SUBNET_V4], networkPolicies: [], pod: { Policies: [], Routes: FROM_NETWORK } },
  {
    mode: "transparent",
    type: "Transparent",
    subnets: [SUBNET_V4],
    networkPolicies: [ADAPTER],
    pod: { Policies: [], Routes: FROM_NETWORK },
  },
  { mode: "internal", type: "Internal", subnets: [SUBNET_V4], networkPolicies: [], pod: { Policies: [], Routes: FROM_NETWORK } },
  { mode: "private", type: "Private", subnets: [subnet("10.244.3.0/24")], networkPolicies: [], pod: { Policies: [] } },
];

const BOTH = [...FROM_NETWORK, ...FROM_NETWORK_V6];
const DUAL: readonly Golden[] = [
  {
    mode: "l2bridge",
    type: "L2Bridge",
    subnets: [SUBNET_V4, SUBNET_V6],
    networkPolicies: [ADAPTER],
    host: [...HOST_V4, ...HOST_V6],
    pod: { Policies: SDN_DUAL, Routes: [...FROM_HOST, ...FROM_HOST_V6] },
  },
  {
    mode: "l2tunnel",
    type: "L2Tunnel",
    subnets: [SUBNET_V4, SUBNET_V6],
    networkPolicies: [ADAPTER],
    pod: { Policies: SDN_DUAL, Routes: BOTH },
  },
  {
    mode: "transparent",
    type: "Transparent",
    subnets: [SUBNET_V4, SUBNET_V6],
    networkPolicies: [ADAPTER],
    pod: { Policies: [], Routes: BOTH },
  },
  { mode: "internal", type: "Internal", subnets: [SUBNET_V4, SUBNET_V6], networkPolicies: [], pod: { Policies: [], Routes: BOTH } },
  {
    mode: "private",
    type: "Private",
    subnets: [subnet("10.244.3.0/24"), subnet("fd00:10:244:3::/64")],
    networkPolicies: [],
    pod: { Policies: [] },
  },
];

const DUAL_CONFIG = {
  clusterCidrs: ["10.244.0.0/16", "fd00:10:244::/48"],
  serviceCidrs: ["10.96.0.0/12", "fd00:10:96::/112"],
  ipam: { type: "hns-cni", cidrs: ["10.244.3.0/24", "fd00:10:244:3::/64"] },
};

describeProgram(linux, "the documents of each mode", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  async function listSent(call: string): Promise<unknown[]> {
    const calls = (await node.emulator.calls()).filter(({ name }) => name === call);
    return calls.map(({ args }) => JSON.parse(args.at(-1) ?? "null") as unknown);
  }

  async function expectDocuments(golden: Golden, config: JsonObject, addresses: readonly object[]): Promise<void> {
    const pod = await node.makePod();
    await node.add(pod, { config: { ...config, mode: golden.mode } });
    const [network] = await node.emulator.networks();
    const own = { SchemaVersion: V2, HostComputeNetwork: network?.id };
    expect(await listSent("HcnCreateNetwork")).toEqual([
      {
        SchemaVersion: V2,
        Name: "pods",
        Type: golden.type,
        Flags: 0,
        Ipams: [{ Type: "Static", Subnets: golden.subnets }],
        Policies: golden.networkPolicies,
      },
    ]);
    expect(await listSent("HcnCreateEndpoint")).toEqual([
      ...(golden.host === undefined ? [] : [{ ...own, Name: "pods_ep", IpConfigurations: golden.host }]),
      { ...own, Name: `${pod.containerId}_pods`, IpConfigurations: addresses, Dns: DNS, ...golden.pod },
    ]);
  }

  it.each(IPV4)("$mode with IPv4", (golden) => expectDocuments(golden, {}, POD_V4));

  it.each(DUAL)("$mode with both families", (golden) => expectDocuments(golden, DUAL_CONFIG, [...POD_V4, ...POD_V6]));

  it.each(["overlay", "nat"] as const)("%s with both families is refused: HNS has it for IPv4 alone", async (mode) => {
    const { code, msg } = parseError(await node.call("ADD", await node.makePod(), { config: { ...DUAL_CONFIG, mode } }));
    expect(code).toBe(2);
    expect(msg).toContain(`HNS carries IPv4 alone on networks of mode ${mode}`);
    expect(await node.emulator.networks()).toEqual([]);
  });

  it.each([...IPV4].map(({ mode }) => mode))("%s with IPv6 alone is refused: Windows has no such pods", async (mode) => {
    const config = { mode, ipam: { type: "hns-cni", cidr: "fd00:10:244:3::/64" } };
    const { code, msg } = parseError(await node.call("ADD", await node.makePod(), { config }));
    expect(code).toBe(7);
    expect(msg).toContain("Windows has no pods with IPv6 alone");
    expect(await node.emulator.calls()).toEqual([]);
  });
});
