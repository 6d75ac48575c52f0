/** The cases in which the reference plugins leak endpoints or free addresses in use, each with the outcome that is right. */
import { expectNoHandles, expectOnly, expectWorking, withoutPrefix } from "../../support/crash-expectations.ts";
import { CrashNode, type Pod, type StoredRow } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

const INVALID_POLICY = 0x803b000d;
const NAMESPACE_ATTACH_FAILED = 0x803b002e;
const ACCESS_DENIED = 0x80070005;
const MISSING = "BBBBBBBB-0000-4000-8000-000000000000";

/** What of the addresses tells who may get which; the counters of versions may move. */
function addresses(node: CrashNode): StoredRow[] {
  return node.rows("addresses").map(({ address, state, owner }) => ({ address, state, owner }));
}

/** What of the table differs from mode to mode. */
const MODES = [
  { mode: "l2bridge", type: "L2Bridge", hasHostEndpoint: true },
  { mode: "overlay", type: "Overlay", hasHostEndpoint: false },
] as const;

describeUnless(packagedReason(), "where the reference plugins go wrong", () => {
  describe.each(MODES)("on a network of mode $mode", describeMode);
});

function describeMode({ mode, type, hasHostEndpoint }: (typeof MODES)[number]): void {
  let node: CrashNode;
  let other: Pod;
  beforeAll(async () => {
    node = await CrashNode.start();
  });
  beforeEach(async () => {
    await node.reset({}, mode);
    other = await node.pod("other");
    await node.add(other);
  });
  afterEach(() => expectNoHandles(node));
  afterAll(() => node.close());

  test('"ADD again for a pod already up": the same result, and the address stays its own', async () => {
    const pod = await node.pod("c1");
    const first = await node.add(pod);
    const before = addresses(node);
    const endpoints = await node.emulator.endpoints();
    expect(await node.add(pod)).toEqual(first);
    expect(addresses(node)).toEqual(before);
    expect(await node.emulator.endpoints()).toEqual(endpoints);
  });

  test('"ADD again for a pod already up": also when one of its earlier addresses still rests', async () => {
    const pod = await node.pod("c1");
    await node.add(pod);
    await node.del(pod);
    const second = await node.add(pod);
    await node.emulator.clearCalls();
    expect(await node.add(pod)).toEqual(second);
    expect(Object.keys(await node.emulator.counts())).not.toContain("HcnDeleteEndpoint");
  });

  test('"CHECK, endpoint gone": fails and says so', async () => {
    const pod = await node.pod("c1");
    await node.add(pod);
    await node.emulator.deleteEndpoint((await node.endpointOf(pod))?.id ?? "");
    const { code, stdout } = await node.run("CHECK", pod);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 103, msg: expect.stringContaining("HNS has no endpoint") as unknown });
  });

  test('"joining the namespace fails": no endpoint is left, the address is free again', async () => {
    await expectTakenBack({ call: "HcnModifyNamespace", hresult: NAMESPACE_ATTACH_FAILED });
  });

  test('"creating the endpoint fails": all is as it was', async () => {
    await expectTakenBack({ call: "HcnCreateEndpoint", hresult: INVALID_POLICY });
  });

  async function expectTakenBack(fault: { call: string; hresult: number }): Promise<void> {
    const pod = await node.pod("c1");
    const before = addresses(node);
    await node.emulator.addFault({ ...fault, kind: "fail", nth: 1 });
    const { code, stdout } = await node.run("ADD", pod);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 101 });
    expect(addresses(node)).toEqual(before);
    await expectOnly(node, [other]);
  }

  test('"killed after CreateEndpoint, then ADD again": the pod has its endpoint in its namespace, then DEL is clean', async () => {
    const pod = await node.pod("c1");
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "kill-after", nth: 1 });
    const { code, stdout } = await node.run("ADD", pod);
    expect({ isOk: code === 0, stdout }).toEqual({ isOk: false, stdout: "" });
    expect((await node.endpointOf(pod))?.namespace).toBeNull();
    await node.emulator.clearHandles();
    await expectWorking(node, pod, await node.add(pod));
    await node.del(pod);
    await expectOnly(node, [other]);
  });

  test('"DEL, DeleteEndpoint fails": an error, and nobody gets the address until a DEL has succeeded', async () => {
    const config = { ipam: { type: "hns-cni", cidr: "10.244.3.0/24", cooldownSeconds: 0 } };
    const pod = await node.pod("c1");
    const [held] = (await node.add(pod)).ips.map(({ address }) => withoutPrefix(address));
    const { id } = await node.emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult: ACCESS_DENIED });
    const { code, stdout } = await node.run("DEL", pod);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 11 });
    await node.emulator.clearFaults(id);
    expect(addresses(node).find(({ address }) => address === held)?.["state"]).toBe("quarantined");
    const next = await node.pod("next");
    expect((await node.add(next, { config })).ips.map(({ address }) => withoutPrefix(address))).not.toContain(held);
    await node.del(pod);
    await expectOnly(
      node,
      [next, other].sort((left, right) => (left.container < right.container ? -1 : 1)),
    );
  });

  test('"DEL after the namespace went": clean', async () => {
    const pod = await node.pod("c1");
    await node.add(pod);
    await node.emulator.deleteNamespace(pod.netns);
    await node.del(pod);
    await expectOnly(node, [other]);
  });

  test('"ADD into a missing namespace": an error of code 8, and nothing is left behind', async () => {
    const before = addresses(node);
    const { code, stdout } = await node.run("ADD", { container: "c1", netns: MISSING });
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 8 });
    expect(addresses(node)).toEqual(before);
    await expectOnly(node, [other]);
  });

  test('"network missing": ADD makes it again, with its host endpoint where the mode has one', async () => {
    const [network] = await node.emulator.networks();
    await node.emulator.deleteNetwork(network?.id ?? "");
    const pod = await node.pod("c1");
    await expectWorking(node, pod, await node.add(pod));
    const hosts = (await node.emulator.endpoints()).filter(({ name }) => name === "pods_ep");
    expect(hosts).toMatchObject(hasHostEndpoint ? [{ addresses: ["10.244.3.2/24"], hostCompartment: 1, forwarding: true }] : []);
    await node.del(other);
    await node.del(pod);
    await expectOnly(node, []);
  });

  test('"GC": removes what is not listed, of this network only', async () => {
    const pod = await node.pod("c1");
    await node.add(pod);
    const elsewhere = { config: { name: "more", ipam: { type: "hns-cni", cidr: "10.245.0.0/24" } } };
    const second = await node.pod("c2");
    await node.add(second, elsewhere);
    await node.gc([other]);
    const hosts = hasHostEndpoint ? ["more_ep", "pods_ep"] : [];
    expect((await node.emulator.endpoints()).map(({ name }) => name).sort()).toEqual(["c2_more", "other_pods", ...hosts].sort());
  });

  test('"STATUS, network missing": ready, since the next ADD makes it; not ready where it differs, which pods that run feel too', async () => {
    const [network] = await node.emulator.networks();
    await node.emulator.deleteNetwork(network?.id ?? "");
    expect(await node.run("STATUS")).toMatchObject({ code: 0, stdout: "" });
    await node.emulator.createNetwork({
      Name: "pods",
      Type: type,
      Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.99.0.0/24" }] }],
    });
    const { code, stdout } = await node.run("STATUS");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 51, msg: expect.stringContaining("10.99.0.0/24") as unknown });
  });
}
