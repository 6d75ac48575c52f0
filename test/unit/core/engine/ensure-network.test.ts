import { networkId } from "../../../../src/core/engine/attachment.ts";
import { deleteNetwork } from "../../../emulator/model/networks.ts";
import { buildConfig, EngineFixture, HOST_ENDPOINT, NETWORK, upper } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

function hostEndpoint(): unknown {
  return [...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT);
}

describe("the network of an ADD", () => {
  test("one that somebody else made is used as it is, without a host endpoint of ours", async () => {
    const id = node.foreignNetwork();
    const before = structuredClone(node.model.world.networks.get(id));
    await node.add(node.pod("c1"));
    expect(node.model.world.networks.get(id)).toEqual(before);
    expect(hostEndpoint()).toBeUndefined();
    expect(node.rows("networks")).toMatchObject([{ hns_id: id.toLowerCase(), ours: 0 }]);
  });

  const MISMATCHES: readonly [string, object, readonly string[]][] = [
    ["type", { Type: "Transparent" }, ["Type is Transparent, wanted L2Bridge"]],
    [
      "subnet",
      { Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.244.4.0/24", Routes: [] }] }] },
      ["subnet is 10.244.4.0/24, wanted 10.244.3.0/24 (ipam.cidr)"],
    ],
    [
      "gateway",
      {
        Ipams: [
          {
            Type: "Static",
            Subnets: [{ IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.9", DestinationPrefix: "0.0.0.0/0" }] }],
          },
        ],
      },
      ["gateway is 10.244.3.9, wanted 10.244.3.1"],
    ],
    [
      "type and missing gateway",
      { Type: "Overlay", Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.244.3.0/24" }] }] },
      ["Type is Overlay", "gateway is none"],
    ],
  ];

  test.each(MISMATCHES)("promise 5: another %s is NETWORK_MISMATCH naming it, and nothing is touched", async (_field, changes, reasons) => {
    node.foreignNetwork(changes);
    const before = node.model.world.snapshot();
    const failure = await node.add(node.pod("c1")).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "NETWORK_MISMATCH" });
    for (const reason of reasons) expect((failure as Error).message).toContain(reason);
    const after = node.model.world.snapshot();
    expect({ ...after, namespaces: [], counters: before.counters }).toEqual({ ...before, namespaces: [] });
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
    expect(node.model.handles.list()).toEqual([]);
  });

  test("promise 5: a changed configuration on a network with pods is an error, and the pods stay", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    const before = node.model.world.snapshot();
    node.config = buildConfig({ ipam: { cidr: "10.244.4.0/24" } });
    await expect(node.add(node.pod("c2"))).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
    expect(node.model.world.snapshot().networks).toEqual(before.networks);
    expect(node.model.world.snapshot().endpoints).toEqual(before.endpoints);
  });

  test("one removed behind our back is made again, with its host endpoint", async () => {
    await node.add(node.pod("c1"));
    deleteNetwork(node.model.world, upper(networkId("node-1", NETWORK)));
    await node.add(node.pod("c2"));
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1, forwarding: true });
  });

  test("with HNS choosing the ids, one of ours is known again after HNS started anew", async () => {
    node = new EngineFixture({ settings: { ignoreCallerIds: true } });
    await node.add(node.pod("c1"));
    node.model.restart({ loseEndpoints: true });
    await node.add(node.pod("c2"));
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1, forwarding: true });
    expect(node.rows("networks")).toMatchObject([{ ours: 1, creating: 0 }]);
  });

  test("after a reboot without endpoints the host endpoint is made again", async () => {
    await node.add(node.pod("c1"));
    node.model.reboot();
    node.clock.reboot("boot-2");
    await node.add(node.pod("c2"));
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1, forwarding: true });
  });

  test("an address .2 that somebody else's endpoint has is taken as the host endpoint it is", async () => {
    await node.add(node.pod("c1"));
    node.model.restart({ loseEndpoints: true });
    node.foreignEndpoint("cbr0_ep", "10.244.3.2");
    node.forwarding = "missing"; // the adapter of that endpoint is not the emulated machine's to know
    await node.add(node.pod("c2"));
    expect(hostEndpoint()).toBeUndefined();
    expect(node.endpointOf(node.pod("c3"))).toBeUndefined();
    expect(node.podEndpoints().map(({ name }) => name)).toEqual(["cbr0_ep", `c2_${NETWORK}`]);
  });

  test("a host endpoint of our name with another address is NETWORK_MISMATCH", async () => {
    await node.add(node.pod("c1"));
    node.model.restart({ loseEndpoints: true });
    node.foreignEndpoint(HOST_ENDPOINT, "10.244.3.77");
    await expect(node.add(node.pod("c2"))).rejects.toMatchObject({ code: "NETWORK_MISMATCH", message: containing("10.244.3.77") });
  });

  test.each(["ipam", "none"])("gatewayMode %s makes no host endpoint", async (gatewayMode) => {
    node = new EngineFixture({ config: { gatewayMode } });
    await node.add(node.pod("c1"));
    expect(hostEndpoint()).toBeUndefined();
  });

  test("a changed gatewayMode makes the host endpoint on the next ADD", async () => {
    node = new EngineFixture({ config: { gatewayMode: "none" } });
    await node.add(node.pod("c1"));
    node.config = buildConfig();
    await node.add(node.pod("c2"));
    expect(hostEndpoint()).toMatchObject({ hostCompartment: 1 });
  });

  test("a version that HNS does not tell is an error before anything is made", async () => {
    node = new EngineFixture({ settings: { version: {} as never } });
    await expect(node.add(node.pod("c1"))).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(node.model.world.networks.size).toBe(0);
  });
});
