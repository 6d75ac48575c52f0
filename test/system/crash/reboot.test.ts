/** Starts of the machine and of HNS, and a wall clock that is set back, between the commands of a pod. */
import { expectNoHandles, expectOnly, expectWorking } from "../../support/crash-expectations.ts";
import { CrashNode, type Pod } from "../../support/crash-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { buildPreload, preloadEnv, preloadReason } from "../../support/preload.ts";
import { describeUnless } from "../../support/skip.ts";

const YEAR_SECONDS = 365 * 86_400;

describeUnless(packagedReason(), "after a start", () => {
  let node: CrashNode;
  let before: Pod;
  beforeAll(async () => {
    node = await CrashNode.start();
  });
  beforeEach(async () => {
    await node.reset();
    before = await node.pod("before");
    await node.add(before);
  });
  afterEach(() => expectNoHandles(node));
  afterAll(() => node.close());

  test.each(["reboot", "restart"] as const)("%s: the next ADD compares the network anew and works", async (kind) => {
    await node.emulator[kind]();
    await node.emulator.clearCalls();
    const pod = await node.pod("c1");
    await expectWorking(node, pod, await node.add(pod));
    expect(Object.keys(await node.emulator.counts())).toContain("HcnQueryNetworkProperties");
    await node.emulator.clearCalls();
    await node.add(await node.pod("c2"));
    expect(Object.keys(await node.emulator.counts())).not.toContain("HcnQueryNetworkProperties");
  });

  test("reboot: the host endpoint is made again, attached and forwarding", async () => {
    await node.emulator.reboot();
    await node.add(await node.pod("c1"));
    const host = (await node.emulator.endpoints()).find(({ name }) => name === "pods_ep");
    expect(host).toMatchObject({ addresses: ["10.244.3.2/24"], hostCompartment: 1, forwarding: true });
  });

  test("reboot: the address of a pod that died in it is held until its DEL, then rests", async () => {
    await node.emulator.reboot();
    await node.add(await node.pod("c1"));
    expect(stateOf("10.244.3.3")).toBe("assigned");
    await node.del(before);
    expect(stateOf("10.244.3.3")).toBe("cooling");
    expect((await node.podEndpoints()).map(({ name }) => name)).toEqual(["c1_pods"]);
  });

  test("reboot: GC gives the addresses back of all that died in it", async () => {
    await node.emulator.reboot();
    const pod = await node.pod("c1");
    await node.add(pod);
    await node.gc([pod]);
    await expectOnly(node, [pod]);
    expect(stateOf("10.244.3.3")).toBe("cooling");
  });

  test("reboot: the same container is attached anew in its new namespace", async () => {
    await node.emulator.reboot();
    const again = await node.pod(before.container);
    await expectWorking(node, again, await node.add(again));
    await node.del(again);
    await expectOnly(node, []);
  });

  test("reboot: a lease of the boot before does not hold anybody up", async () => {
    const pod = await node.pod("c1");
    await node.emulator.addFault({ call: "HcnModifyNamespace", kind: "reboot", nth: 1 });
    await node.run("ADD", pod);
    expect(node.rows("leases")).toHaveLength(1);
    const again = await node.pod("c1");
    await expectWorking(node, again, await node.add(again));
    await node.del(again);
    await node.del(before);
    await expectOnly(node, []);
  });

  test("HNS starts anew: a live pod's ADD gives the same result, and its DEL is clean", async () => {
    const first = await node.add(before);
    await node.emulator.restart();
    expect(await node.add(before)).toEqual(first);
    await node.del(before);
    await expectOnly(node, []);
  });

  test("HNS starts anew and has lost its endpoints: ADD attaches the pod again", async () => {
    await node.emulator.restart({ loseEndpoints: true });
    await expectWorking(node, before, await node.add(before));
  });

  function stateOf(address: string): unknown {
    return node.rows("addresses").find((row) => row["address"] === address)?.["state"];
  }
});

describeUnless(packagedReason() ?? preloadReason(), "with a wall clock that was set back a year", () => {
  let node: CrashNode;
  beforeAll(async () => {
    buildPreload();
    node = await CrashNode.start();
  });
  beforeEach(() => node.reset());
  afterAll(() => node.close());

  const back = { env: preloadEnv({ clockOffsetSeconds: -YEAR_SECONDS }) };

  test("DEL and a new ADD work", async () => {
    const pod = await node.pod("c1");
    await node.add(pod);
    await node.del(pod, back);
    await expectOnly(node, []);
    const updated = Number(node.rows("attachments")[0]?.["updated_at"]);
    expect(updated).toBeLessThan(Date.now() - (YEAR_SECONDS - 86_400) * 1000);
    const next = await node.pod("c2");
    await expectWorking(node, next, await node.add(next, back));
  });

  test("an address released after that rests its time, and no longer", async () => {
    const ipam = (cooldownSeconds: number) => ({
      config: { ipam: { type: "hns-cni", cidr: "10.244.3.0/29", cooldownSeconds, waitSeconds: 0 } },
    });
    const pods = await Promise.all(["c1", "c2", "c3", "c4"].map((name) => node.pod(name)));
    for (const pod of pods) await node.add(pod, ipam(3600));
    const [first, ...others] = pods;
    if (first === undefined) throw new Error("no pod");
    await node.del(first, { ...ipam(3600), ...back });
    const next = await node.pod("c5");
    const full = await node.run("ADD", next, { ...ipam(3600), ...back });
    expect(JSON.parse(full.stdout)).toMatchObject({ code: 11, msg: expect.stringContaining("1 resting") as unknown });
    await expectWorking(node, next, await node.add(next, { ...ipam(0), ...back }));
    await expectOnly(node, [next, ...others]);
  });

  test("an ADD whose process died before the clock changed does not hold the next one up", async () => {
    const pod = await node.pod("c1");
    await node.emulator.addFault({ call: "HcnModifyNamespace", kind: "kill", nth: 1 });
    await node.run("ADD", pod);
    expect(node.rows("leases")).toHaveLength(1);
    await expectWorking(node, pod, await node.add(pod, back));
  });
});
