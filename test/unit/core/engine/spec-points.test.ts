/** Points of the specification that the engine answers for; the numbers are those of docs/conformance.md. */
import { deleteEndpoint } from "../../../emulator/model/endpoints.ts";
import { deleteNamespace } from "../../../emulator/model/namespaces.ts";
import { deleteNetwork } from "../../../emulator/model/networks.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

describe("ADD", () => {
  test("point 39: a repeat returns the result of the first, as promise 2 has it, and makes nothing", async () => {
    const pod = node.pod("c1");
    const first = await node.add(pod);
    node.clearCalls();
    expect(await node.add(pod)).toEqual(first);
    expect(node.calls()).not.toContain("HcnCreateEndpoint");
  });

  test("point 41: containers at the same time get addresses of their own", async () => {
    const pods = Array.from({ length: 8 }, (_, index) => node.pod(`c${index}`));
    const results = await Promise.all(pods.map((pod) => node.add(pod)));
    expect(new Set(results.map((result) => result.ips[0]?.address)).size).toBe(8);
    expect(node.podEndpoints()).toHaveLength(8);
  });

  test("point 42: a DEL after an ADD that was killed leaves nothing", async () => {
    const pod = node.pod("c1");
    node.model.faults.add({ call: "HcnModifyNamespace", kind: "kill-after", nth: 1 });
    await expect(node.add(pod)).rejects.toThrow();
    await node.del(pod);
    expect(node.podEndpoints()).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("point 44: the sandbox of the interface is CNI_NETNS as it was given", async () => {
    const pod = { ...node.pod("c1"), netns: node.pod("other").netns.toUpperCase() };
    expect((await node.add(pod)).interfaces).toEqual([expect.objectContaining({ name: "eth0", sandbox: pod.netns })]);
    const repeat = { ...pod, netns: pod.netns.toLowerCase() };
    expect((await node.add(repeat)).interfaces[0]?.sandbox).toBe(repeat.netns);
  });
});

describe("DEL", () => {
  test("point 47: any number of them succeeds", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    for (let times = 0; times < 4; times++) await node.del(pod);
    expect(node.held().addresses).toEqual([]);
  });

  test("point 48: every step is tried although an earlier one fails", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    node.model.faults.add({ call: "HcnModifyNamespace", kind: "fail", hresult: 0x80004005 });
    await node.del(pod);
    expect(node.podEndpoints()).toEqual([]);
  });

  test.each([
    ["an empty netns", (): void => undefined],
    ["its namespace gone", (): void => node.model.world.namespaces.forEach((namespace) => deleteNamespace(node.model.world, namespace.id))],
    ["its endpoint gone", (): void => node.podEndpoints().forEach((endpoint) => deleteEndpoint(node.model.world, endpoint.id))],
    ["its network gone", (): void => node.model.world.networks.forEach((network) => deleteNetwork(node.model.world, network.id))],
  ])("point 49: it works with %s", async (what, change) => {
    const pod = node.pod("c1");
    await node.add(pod);
    change();
    await node.del(what === "an empty netns" ? { ...pod, netns: "" } : pod);
    expect(node.podEndpoints()).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("point 51: it succeeds for a container that was never added", async () => {
    await node.del(node.pod("never"));
  });

  test("point 52: a late DEL of an old container leaves the address with the pod that has it now", async () => {
    node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/29", blockSize: 29, cooldownSeconds: 0 } } });
    const old = node.pod("old");
    await node.add(old);
    await node.del(old);
    const pods = ["a", "b", "c", "d"].map((name) => node.pod(name));
    for (const pod of pods) await node.add(pod);
    await node.del(old);
    expect(node.held().addresses).toHaveLength(4);
    for (const pod of pods) await node.check(pod);
  });
});

describe("CHECK", () => {
  test("point 53: an address that prevResult lists and the endpoint lacks is an error", async () => {
    const pod = node.pod("c1");
    const result = await node.add(pod);
    const ips = [{ address: "10.244.3.77/24", interface: 0 }];
    await expect(node.check(pod, { ...result, ips })).rejects.toMatchObject({ code: "CHECK_FAILED" });
    await node.check(pod, { ...result, routes: [...result.routes, { dst: "192.0.2.0/24" }] });
  });

  test("point 54: it may come right after ADD", async () => {
    const pod = node.pod("c1");
    await node.check(pod, await node.add(pod));
  });
});

describe("GC", () => {
  test("point 55: it goes on after an error and reports it", async () => {
    const pods = ["c1", "c2", "c3"].map((name) => node.pod(name));
    for (const pod of pods) await node.add(pod);
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x80004005, nth: 1 });
    await expect(node.gc([])).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    // The second part of GC, which looks at HNS itself, finds the endpoint that the first could not remove.
    expect(node.podEndpoints().length).toBeLessThan(2);
    await node.gc([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("point 56: other networks are not its business", async () => {
    const other = { ...node.pod("c1"), network: "other" };
    await node.add(node.pod("c1"));
    const config = node.config;
    node.config = { ...config, networkName: "other" };
    await node.add(other);
    node.config = config;
    await node.gc([]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual(["other_ep", "c1_other"]);
  });
});

test("point 61: a command without work to do is still answered: GC of a network that HNS does not have", async () => {
  await node.gc([]);
});
