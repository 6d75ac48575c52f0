import { findGuid } from "../../../../src/core/base/ids.ts";
import { Refusals } from "../../../../src/core/engine/address-holder.ts";
import { attachmentId, type AttachRequest, endpointName } from "../../../../src/core/engine/attachment.ts";
import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import type { FaultKind } from "../../../emulator/model/faults.ts";
import { createNetwork } from "../../../emulator/model/networks.ts";
import type { EndpointRecord } from "../../../emulator/model/world.ts";
import { EngineFixture, LATE_MS, upper } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

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

  test("of a remote endpoint is not given out either: log and error name who has it", async () => {
    const remote = remoteEndpoint("pod-of-win-2", "10.244.3.4");
    for (const last of [5, 6]) node.foreignEndpoint(`somebody-${last}`, `10.244.3.${last}`);
    const failure = await node.add(node.pod("c1")).catch((thrown: unknown) => thrown);
    const id = remote.id.toLowerCase();
    expect(failure).toMatchObject({
      code: "ADDRESS_CONFLICT",
      message: containing(`in use: 10.244.3.4 (remote endpoint "pod-of-win-2", ${id}), 10.244.3.5 (endpoint "somebody-5", `),
    });
    const holders = node.log.filter(({ message }) => message === "address refused by HNS as in use").map(({ fields }) => fields["holders"]);
    expect(holders).toMatchObject([
      [{ address: "10.244.3.4", endpoint: id, name: "pod-of-win-2", isRemote: true }],
      [{ address: "10.244.3.5", name: "somebody-5", isRemote: false }],
      [{ address: "10.244.3.6" }],
    ]);
  });

  test("has its holder from version 2 where HNS refuses the version 1 list", async () => {
    remoteEndpoint("pod-of-win-2", "10.244.3.4");
    node.model.faults.add({ call: "HNSCall", kind: "fail", match: "/endpoints/" });
    await node.add(node.pod("c1"));
    expect(node.log.find(({ message }) => message === "address refused by HNS as in use")?.fields["holders"]).toMatchObject([
      { name: "pod-of-win-2", isRemote: true },
    ]);
  });

  test.each<FaultKind>(["hang", "fail"])(
    "leads to the same where HNS does not say who has it (%s), and HNS is asked once",
    async (kind) => {
      for (const last of [4, 5, 6]) node.foreignEndpoint(`somebody-${last}`, `10.244.3.${last}`);
      const pod = node.pod("c1");
      node.clearCalls();
      node.model.faults.add({ call: "HNSCall", kind, match: "/endpoints/", hresult: 0x800706ba });
      await expect(node.add(pod)).rejects.toMatchObject({
        code: "ADDRESS_CONFLICT",
        message: containing("10.244.3.6 (HNS lists no endpoint with it)"),
      });
      expect(node.calls().filter((name) => name === "HNSCall")).toHaveLength(1);
    },
  );

  test("that is the second one of somebody's endpoint is told with its holder", async () => {
    const foreign = node.foreignEndpoint("somebody", "10.244.3.200");
    foreign.addresses.push({ address: "fd00::4", prefix: 64 });
    const { operation, log } = { operation: node.operation(node.spawn()), log: node.log };
    const network = findGuid([...node.model.world.networks.keys()][0] ?? "");
    if (network === undefined) throw new Error("no network");
    await new Refusals(operation, network).add(["10.244.3.4", "fd00::4"], 1);
    expect(log.at(-1)?.fields["holders"]).toEqual([expect.objectContaining({ address: "fd00::4", name: "somebody" })]);
  });

  test("of an endpoint of another network with the same range is not blamed on that", async () => {
    const network = createNetwork(node.model.world, ZERO_ID, {
      Name: "other",
      Type: "L2Bridge",
      Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.244.3.0/24" }] }],
    });
    const document = { Name: "elsewhere", IpConfigurations: [{ IpAddress: "10.244.3.4", PrefixLength: 24 }] };
    createEndpoint(node.model.world, network.id, ZERO_ID, document);
    node.model.faults.add({ call: "HcnCreateEndpoint", kind: "fail", nth: 1, hresult: 0x803b002f });
    await node.add(node.pod("c1"));
    expect(node.log.find(({ message }) => message === "address refused by HNS as in use")?.fields["holders"]).toEqual([]);
  });

  test.each<FaultKind>(["fail", "late", "hang", "restart-after", "kill", "kill-after"])(
    "stays kept back, and nothing else, whatever call of its ADD meets the fault %s",
    async (kind) => {
      const [total] = await addWithFault(undefined);
      expect(total).toBeGreaterThanOrEqual(12);
      for (let at = 1; at <= total; at++) {
        const [, pod] = await addWithFault({ at, kind });
        await node.release(LATE_MS);
        await node.del(pod);
        const valid = [{ containerId: "first", ifname: "eth0" }];
        await node.gc(valid);
        const held = node.held();
        expect([at, held.attachments.map(({ container }) => container)]).toEqual([at, ["first"]]);
        expect([at, held.addresses.flatMap(({ address }) => (address === "10.244.3.4" ? [] : [address]))]).toEqual([at, ["10.244.3.3"]]);
        expect(node.podEndpoints().map(({ name }) => name)).toEqual(["first_pods", "somebody"]);
      }
    },
  );

  /** An ADD on a node of its own whose first address somebody has: the number of its calls, and its pod. */
  async function addWithFault(fault: { at: number; kind: FaultKind } | undefined): Promise<[number, AttachRequest]> {
    node.close();
    node = new EngineFixture();
    await node.add(node.pod("first"));
    node.foreignEndpoint("somebody", "10.244.3.4");
    const pod = node.pod("c1");
    node.clearCalls();
    if (fault !== undefined) node.model.faults.add({ call: "*", nth: fault.at, kind: fault.kind, ms: LATE_MS });
    await node.add(pod).catch(() => undefined);
    const total = node.calls().length;
    node.model.faults.clear();
    return [total, pod];
  }
});

const ZERO_ID = "00000000-0000-0000-0000-000000000000";

/** An endpoint that stands for one of another node. */
function remoteEndpoint(name: string, address: string): EndpointRecord {
  const [network] = [...node.model.world.networks.values()];
  if (network === undefined) throw new Error("no network");
  const IpConfigurations = [{ IpAddress: address, PrefixLength: 24 }];
  return createEndpoint(node.model.world, network.id, ZERO_ID, { Name: name, Flags: 1, IpConfigurations });
}
