import { attachmentId, endpointName } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture, upper } from "../../../support/engine-fixture.ts";

let node: EngineFixture;

beforeEach(async () => {
  node = new EngineFixture();
  const first = node.pod("first"); // makes the network, and takes 10.244.3.3
  await node.add(first);
});
afterEach(() => node.close());

describe("an address that HNS says is in use", () => {
  test("is quarantined, and the pod gets the next one", async () => {
    node.foreignEndpoint("somebody", "10.244.3.4");
    const result = await node.add(node.pod("c1"));
    expect(result.ips[0]?.address).toBe("10.244.3.5/24");
    expect(node.address("10.244.3.4")).toMatchObject({ state: "quarantined", owner: "conflict" });
    expect(node.podEndpoints()).toHaveLength(3);
  });

  test.each([0x80071392, 0x803b002f])("is told from other refusals by its HRESULT %i", async (hresult) => {
    node.model.faults.add({ call: "HcnCreateEndpoint", kind: "fail", nth: 1, hresult });
    expect((await node.add(node.pod("c1"))).ips[0]?.address).toBe("10.244.3.5/24");
  });

  test("makes the ADD give up after three, all of them quarantined", async () => {
    for (const last of [4, 5, 6]) node.foreignEndpoint(`somebody-${last}`, `10.244.3.${last}`);
    node.clearCalls();
    await expect(node.add(node.pod("c1"))).rejects.toMatchObject({ code: "ADDRESS_CONFLICT", retryable: true });
    expect(node.calls().filter((name) => name === "HcnCreateEndpoint")).toHaveLength(3);
    const held = node.held();
    expect(held.attachments.map(({ container }) => container)).toEqual(["first"]);
    const quarantined = held.addresses.filter(({ owner }) => owner === "conflict").map(({ address }) => address);
    expect(quarantined).toEqual(["10.244.3.4", "10.244.3.5", "10.244.3.6"]);
    expect((await node.add(node.pod("c1"))).ips[0]?.address).toBe("10.244.3.7/24");
  });

  test("two in a row are no more than two quarantined addresses", async () => {
    for (const last of [4, 5]) node.foreignEndpoint(`somebody-${last}`, `10.244.3.${last}`);
    expect((await node.add(node.pod("c1"))).ips[0]?.address).toBe("10.244.3.6/24");
    expect(node.rows("blocks")).toMatchObject([{ held: 4 }]);
  });

  test("by an endpoint of this very attachment is freed by removing that endpoint", async () => {
    const pod = node.pod("c1");
    node.foreignEndpoint(endpointName(pod), "10.244.3.4", upper(attachmentId(pod)));
    expect((await node.add(pod)).ips[0]?.address).toBe("10.244.3.4/24");
    expect(node.podEndpoints()).toHaveLength(2);
  });

  test("is free again once GC finds that no endpoint has it, after its rest", async () => {
    const foreign = node.foreignEndpoint("somebody", "10.244.3.4");
    const pod = node.pod("c1");
    await node.add(pod);
    const valid = [
      { containerId: "first", ifname: "eth0" },
      { containerId: "c1", ifname: "eth0" },
    ];
    await node.gc(valid);
    expect(node.address("10.244.3.4")).toMatchObject({ state: "quarantined" });
    node.model.world.endpoints.delete(foreign.id);
    await node.gc(valid);
    expect(node.address("10.244.3.4")).toMatchObject({ state: "cooling" });
  });
});
