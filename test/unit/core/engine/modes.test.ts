/** The commands on networks of every mode. */
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { type AttachRequest, networkId } from "../../../../src/core/engine/attachment.ts";
import { deleteNetwork } from "../../../emulator/model/networks.ts";
import type { NetworkRecord } from "../../../emulator/model/world.ts";
import { buildConfig, EngineFixture, NETWORK, upper } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";
import { makeModeNode, type ModeNode, MODE_NODES } from "../../../support/mode-nodes.ts";

let node: EngineFixture;

afterEach(() => node.close());

function network(): NetworkRecord | undefined {
  return [...node.model.world.networks.values()].find(({ name }) => name === NETWORK);
}

function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
}

function expectUntouched(): void {
  expect(node.podEndpoints()).toEqual([]);
  expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  expect(node.model.handles.list()).toEqual([]);
}

function expectAsAsked({ address, gateway, type, policies }: ModeNode, pod: AttachRequest, result: CniResult): void {
  const routes = gateway === undefined ? [] : [{ dst: "0.0.0.0/0", gw: gateway }];
  expect(result.ips).toEqual([{ address, interface: 0, ...(gateway !== undefined && { gateway }) }]);
  expect(result.routes).toEqual(routes);
  expect(network()).toMatchObject({ type, id: upper(networkId("node-1", NETWORK)) });
  const endpoint = node.endpointOf(pod);
  expect(endpoint?.addresses).toEqual([{ address: address.split("/")[0], prefix: 24 }]);
  expect(endpoint?.routes).toEqual(routes.map(({ dst, gw }) => ({ destination: dst, nextHop: gw })));
  expect(endpoint?.policies.map(({ Type }) => Type)).toEqual(policies);
  expect(result.interfaces).toEqual([{ name: "eth0", sandbox: pod.netns, mac: endpoint?.mac.toLowerCase().replaceAll("-", ":") }]);
}

describe.each(MODE_NODES)("$name", (kind) => {
  test("ADD, repeated ADD, CHECK, STATUS, DEL and repeated DEL", async () => {
    node = makeModeNode(kind);
    const pod = node.pod("c1");
    const result = await node.add(pod);
    expectAsAsked(kind, pod, result);

    expect(await node.add(pod)).toEqual(result);
    await node.check(pod, result);
    await node.status();
    const second = await node.add(node.pod("c2"));
    expect(second.ips[0]?.address).not.toBe(kind.address);

    await node.gc([{ containerId: "c1", ifname: "eth0" }]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual(["c1_pods"]);
    await node.del(pod);
    await node.del(pod);
    expectUntouched();
    await expect(node.check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED" });
  });

  test("CHECK names an endpoint that has another address", async () => {
    node = makeModeNode(kind);
    const pod = node.pod("c1");
    await node.add(pod);
    const endpoint = node.endpointOf(pod);
    if (endpoint === undefined) throw new Error("no endpoint");
    node.model.world.endpoints.set(endpoint.id, { ...endpoint, addresses: [{ address: "10.77.0.9", prefix: 24 }] });
    await expect(node.check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED", message: containing(kind.address.split("/")[0] ?? "") });
  });

  test("without a mode, a network that exists gives it; once that is verified, no call is spent on it", async () => {
    node = makeModeNode(kind);
    await node.add(node.pod("first"));
    const withoutMode = Object.fromEntries(
      Object.entries(node.config).filter(([key]) => key !== "mode" && key !== "gatewayMode"),
    ) as typeof node.config;
    node.config = withoutMode;
    const pod = node.pod("c1");
    const result = await node.add(pod);
    await node.check(pod, result);
    node.clearCalls();
    await node.add(node.pod("c2"));
    expect(node.calls().filter((name) => name === "HcnEnumerateNetworks" || name === "HcnOpenEndpoint")).toEqual([]);
  });
});

describe("overlay", () => {
  const config = { mode: "overlay" };

  test("an ADD on a verified network makes 9 calls", async () => {
    node = new EngineFixture({ config });
    await node.add(node.pod("c1"));
    node.clearCalls();
    await node.add(node.pod("c2"));
    expect(node.calls()).toEqual([
      "HcnOpenNamespace",
      "HcnOpenNetwork",
      "HcnQueryNetworkProperties",
      "HcnCreateEndpoint",
      "HcnQueryEndpointProperties",
      "HcnCloseEndpoint",
      "HcnModifyNamespace",
      "HcnCloseNetwork",
      "HcnCloseNamespace",
    ]);
  });

  test.each([
    ["none yet", { managementIpDelayMs: 12_000 }],
    ["one that Windows made up", { managementIp: "link-local-first", managementIpDelayMs: 12_000 }],
  ] as const)("waits for the node's address where there is %s", async (_, settings) => {
    node = new EngineFixture({ config, settings });
    const pod = node.pod("c1");
    await node.add(pod);
    expect(node.clock.now()).toBeGreaterThanOrEqual(Date.UTC(2025, 0, 1) + 12_000);
    expect(node.endpointOf(pod)?.policies).toContainEqual({ Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } });
  });

  test("a node that never gets an address is NETWORK_NOT_READY, and nothing is left but the network", async () => {
    node = new EngineFixture({ config, settings: { managementIp: "link-local" } });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "NETWORK_NOT_READY", retryable: true });
    expectUntouched();
    node.model.world.settings.managementIp = "adapter";
    await node.add(node.pod("c1"));
  });

  test("takes the address from version 1 where version 2 does not show it", async () => {
    node = new EngineFixture({ config });
    await node.add(node.pod("c1"));
    const made = network();
    if (made === undefined) throw new Error("no network");
    made.policies.push({ Type: "ProviderAddress", Settings: { ProviderAddress: "" } });
    const pod = node.pod("c2");
    await node.add(pod);
    expect(node.endpointOf(pod)?.policies).toContainEqual({ Type: "ProviderAddress", Settings: { ProviderAddress: "10.0.0.4" } });
  });

  test("the network gets the HostRoute policy; an interrupted one is finished, one of others is left alone", async () => {
    node = new EngineFixture({ config });
    node.model.faults.add({ call: "HcnModifyNetwork", kind: "hang" });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "HNS_TIMEOUT" });
    expect(network()?.policies.map(({ Type }) => Type)).not.toContain("HostRoute");
    node.model.faults.clear();
    await node.add(node.pod("c1"));
    expect(network()?.policies.filter(({ Type }) => Type === "HostRoute")).toHaveLength(1);
    node.model.restart({ loseEndpoints: false });
    await node.add(node.pod("c2"));
    expect(network()?.policies.filter(({ Type }) => Type === "HostRoute")).toHaveLength(1);

    node.close();
    node = new EngineFixture({ config });
    node.foreignNetwork({ Type: "Overlay" });
    await node.add(node.pod("c1"));
    expect(network()?.policies.map(({ Type }) => Type)).not.toContain("HostRoute");
  });

  test("an HNS that refuses HostRoute is only warned about", async () => {
    node = new EngineFixture({ config });
    node.model.faults.add({ call: "HcnModifyNetwork", kind: "fail", hresult: 0x803b000e });
    await node.add(node.pod("c1"));
    expect(node.log.filter(({ level }) => level === "warn").map(({ message }) => message)).toContain(
      "HNS refused the HostRoute policy: the node may not reach its own pods",
    );
  });

  test("a MAC address comes back with its address", async () => {
    node = new EngineFixture({ config: { ...config, endpointMacPrefix: "0E-2B" } });
    const pod = node.pod("c1");
    expect((await node.add(pod)).interfaces[0]?.mac).toBe("0e:2b:0a:f4:03:03");
  });

  test("port mappings, which the reference plugin drops, are in the request", async () => {
    node = new EngineFixture({ config: { ...config, runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80 }] } } });
    const pod = node.pod("c1");
    await node.add(pod);
    expect(node.endpointOf(pod)?.policies.map(({ Type }) => Type)).toContain("PortMapping");
  });

  test("a port that this HNS does not know is refused before anything is made", async () => {
    node = new EngineFixture({ config: { ...config, vxlanPort: 8472 }, settings: { version: { Major: 9, Minor: 5 } } });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "UNSUPPORTED_FIELD", data: { field: "vxlanPort" } });
    expect(node.model.world.networks.size).toBe(0);
    expectUntouched();
  });
});

describe("a network that exists, and no mode", () => {
  const config = { mode: undefined };

  test.each([
    ["L2Bridge", "10.244.3.2"],
    ["L2Tunnel", "10.244.3.1"],
    ["Overlay", "10.244.3.1"],
    ["NAT", "10.244.3.1"],
    ["Transparent", "10.244.3.1"],
    ["Internal", "10.244.3.1"],
    ["Private", undefined],
  ])("of type %s works, with the gateway %s", async (Type, gateway) => {
    node = new EngineFixture({ config });
    const id = node.foreignNetwork({ Type });
    const before = structuredClone(node.model.world.networks.get(id));
    const pod = node.pod("c1");
    const result = await node.add(pod);
    expect(result.ips[0]?.gateway).toBe(gateway);
    await node.check(pod, result);
    await node.status();
    await node.del(pod);
    expectUntouched();
    expect(node.model.world.networks.get(id)).toEqual(before);
  });

  test("of type Overlay works whatever its VSID and port are, unless the configuration names them", async () => {
    node = new EngineFixture({ config });
    const id = node.foreignNetwork({
      Type: "Overlay",
      Ipams: [
        {
          Type: "Static",
          Subnets: [
            {
              IpAddressPrefix: "10.244.3.0/24",
              Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }],
              Policies: [{ Type: "VSID", Settings: { Type: "VSID", IsolationId: 5000 } }],
            },
          ],
        },
      ],
      Policies: [{ Type: "VxlanPort", Settings: { Port: 8472 } }],
    });
    const before = structuredClone(node.model.world.networks.get(id));
    const pod = node.pod("c1");
    const result = await node.add(pod);
    await node.check(pod, result);
    await node.status();
    await node.del(pod);
    expect(node.model.world.networks.get(id)).toEqual(before);
    node.config = buildConfig({ ...config, vsid: 4097, vxlanPort: 4789 });
    const wanted = { code: "NETWORK_MISMATCH", message: containing("VSID is 5000, wanted 4097 (vsid); VxlanPort is 8472, wanted 4789") };
    expect(await failure(node.add(node.pod("c2")))).toMatchObject(wanted);
  });

  test("of a type that no mode serves is NETWORK_MISMATCH", async () => {
    node = new EngineFixture({ config });
    node.foreignNetwork({ Type: "ICS" });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "NETWORK_MISMATCH", message: containing("type ICS") });
    expectUntouched();
  });

  test.each(["add", "status"] as const)("none, for %s, is INVALID_CONFIG that names mode", async (command) => {
    node = new EngineFixture({ config });
    const work = command === "add" ? node.add(node.pod("c1")) : node.status();
    expect(await failure(work)).toMatchObject({ code: "INVALID_CONFIG", data: { field: "mode" } });
    expect(node.model.world.networks.size).toBe(0);
    expectUntouched();
  });

  test("one that was removed is not made anew under a mode that was only found", async () => {
    node = new EngineFixture({ config });
    const id = node.foreignNetwork();
    await node.add(node.pod("c1"));
    deleteNetwork(node.model.world, id);
    expect(await failure(node.add(node.pod("c2")))).toMatchObject({ code: "INVALID_CONFIG", data: { field: "mode" } });
    expect(node.model.world.networks.size).toBe(0);
  });

  test("mode l2bridge takes a network of type L2Tunnel, as win-bridge does", async () => {
    node = new EngineFixture();
    node.foreignNetwork({ Type: "L2Tunnel" });
    expect((await node.add(node.pod("c1"))).ips[0]?.gateway).toBe("10.244.3.2");
  });
});

describe("addresses chosen by HNS", () => {
  test("both families of a network with two subnets", async () => {
    node = new EngineFixture({ addresses: "hns", config: { subnet: "10.244.3.0/24,fd00:10:244:3::/64" } });
    const pod = node.pod("c1");
    const result = await node.add(pod);
    expect(result.ips).toEqual([
      { address: "10.244.3.3/24", interface: 0, gateway: "10.244.3.2" },
      { address: "fd00:10:244:3::3/64", interface: 0, gateway: "fd00:10:244:3::2" },
    ]);
    expect(result.routes).toEqual([
      { dst: "0.0.0.0/0", gw: "10.244.3.2" },
      { dst: "::/0", gw: "fd00:10:244:3::2" },
    ]);
    const loopback = node.endpointOf(pod)?.policies.filter(({ Settings }) => Object.hasOwn(Settings as object, "Destinations"));
    expect(loopback).toHaveLength(2);
    await node.check(pod, result);
  });

  test("the ranges of a network of others count, its gateway too", async () => {
    node = new EngineFixture({ addresses: "hns", config: { mode: "nat" } });
    const subnet = { IpAddressPrefix: "172.20.0.0/20", Routes: [{ NextHop: "172.20.0.9", DestinationPrefix: "0.0.0.0/0" }] };
    node.foreignNetwork({ Type: "NAT", Ipams: [{ Type: "Static", Subnets: [subnet] }] });
    const pod = node.pod("c1");
    const result = await node.add(pod);
    expect(result.ips).toEqual([{ address: "172.20.0.2/20", interface: 0, gateway: "172.20.0.9" }]);
    await node.check(pod, result);
    await node.status();
  });

  test("no network and no subnet is INVALID_CONFIG that names subnet", async () => {
    node = new EngineFixture({ addresses: "hns", config: { mode: "nat" } });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "INVALID_CONFIG", data: { field: "subnet" } });
    expect(node.model.world.networks.size).toBe(0);
    expectUntouched();
  });

  test("another subnet than the configuration's is NETWORK_MISMATCH, for STATUS too", async () => {
    node = new EngineFixture({ addresses: "hns", config: { mode: "nat", subnet: "10.1.0.0/24" } });
    node.foreignNetwork({ Type: "NAT" });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "NETWORK_MISMATCH" });
    expect(await failure(node.status())).toMatchObject({ code: "NETWORK_MISMATCH" });
  });

  test("one more pod than the network has addresses is ADDRESS_EXHAUSTED", async () => {
    node = new EngineFixture({ addresses: "hns", config: { mode: "nat", subnet: "10.1.0.0/29" } });
    for (const name of ["a", "b", "c", "d", "e"]) await node.add(node.pod(name));
    expect(await failure(node.add(node.pod("f")))).toMatchObject({ code: "ADDRESS_EXHAUSTED" });
    expect(node.podEndpoints()).toHaveLength(5);
    expect(node.held().attachments).toHaveLength(5);
  });

  describe("by way of DHCP", () => {
    const options = { addresses: "hns", config: { mode: "transparent" } } as const;

    test("the address of a slow server is waited for", async () => {
      node = new EngineFixture({ ...options, settings: { dhcpDelayMs: 7_000 } });
      const pod = node.pod("c1");
      const result = await node.add(pod);
      expect(result.ips).toEqual([{ address: "10.0.0.100/24", interface: 0 }]);
      await node.check(pod, result);
    });

    test("no server is NETWORK_NOT_READY, and nothing is left", async () => {
      node = new EngineFixture({ ...options, settings: { dhcp: "silent" } });
      expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "NETWORK_NOT_READY", message: containing("no address") });
      expectUntouched();
    });
  });
});

describe("IPv6", () => {
  const options = { addresses: "hns", config: { subnet: "10.244.3.0/24,fd00:10:244:3::/64" } } as const;

  test("on an HNS without it is refused before anything is made", async () => {
    node = new EngineFixture({ ...options, settings: { version: { Major: 9, Minor: 5 } } });
    expect(await failure(node.add(node.pod("c1")))).toMatchObject({ code: "UNSUPPORTED_FIELD", data: { field: "subnet" } });
    expect(node.model.world.networks.size).toBe(0);
    expectUntouched();
  });

  test("the host endpoint has an address of each family, and forwards both", async () => {
    node = new EngineFixture(options);
    await node.add(node.pod("c1"));
    const host = [...node.model.world.endpoints.values()].find(({ name }) => name === `${NETWORK}_ep`);
    expect(host).toMatchObject({
      hostCompartment: 1,
      forwarding: true,
      addresses: [
        { address: "10.244.3.2", prefix: 24 },
        { address: "fd00:10:244:3::2", prefix: 64 },
      ],
    });
    node.model.restart({ loseEndpoints: false });
    await node.add(node.pod("c2"));
    expect(node.podEndpoints()).toHaveLength(2);
  });
});

test("a MAC address that was asked for is the pod's", async () => {
  node = new EngineFixture({ config: { runtimeConfig: { mac: "0e:2a:00:00:00:0f" } } });
  expect((await node.add(node.pod("c1"))).interfaces[0]?.mac).toBe("0e:2a:00:00:00:0f");
});
