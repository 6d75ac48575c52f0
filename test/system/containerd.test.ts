/** What containerd does to a plugin: repeated and late DELs, a STATUS every few seconds, kills in the midst of an ADD, retried DELs. */
import { CniNode, expectSilence, parseError, type Pod } from "../support/cni-node.ts";
import { waitForFault } from "../support/faults.ts";
import { endpointsOf, expectNothingLeft } from "../support/leftovers.ts";
import { describeProgram, describePrograms, linux, type CniProgram } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

/** Four addresses for pods: network, gateway, host endpoint and broadcast are taken. They need no rest. */
const SMALL = { ipam: { type: "hns-cni", cidr: "10.244.3.0/29", cooldownSeconds: 0 } };
const SMALL_COUNT = 4;

/** The words by which the runtime takes a failed DEL as done. */
const SWALLOWED = /not found|no such file or directory/i;

describePrograms("a DEL that HNS refuses", (program: CniProgram) => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  it("is an error that the runtime retries, and the address stays taken until HNS confirms", async () => {
    const pods = await addPods(node, SMALL_COUNT);
    const [refused = fail(), ...others] = pods;
    await node.emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x800700aa });
    expect(parseError(await node.call("DEL", refused, { config: SMALL }))).toMatchObject({ code: 11 });
    expect(node.state().addresses.filter(({ state }) => state === "quarantined")).toHaveLength(1);

    const late = await node.makePod();
    expect(parseError(await node.call("ADD", late, { config: SMALL })).msg).toContain("1 quarantined");
    await node.emulator.clearFaults();
    await node.callSilently("DEL", refused, { config: SMALL, env: { CNI_NETNS: "" } });
    await node.add(late, { config: SMALL });
    for (const pod of [...others, late]) await node.callSilently("DEL", pod, { config: SMALL });
    await expectNothingLeft(node);
  });
});

describeProgram(linux, "what containerd does", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  // Names and meanings of these hold "not found", and none of them says that the endpoint is gone.
  it.each([
    ["ERROR_FILE_NOT_FOUND", 0x80070002],
    ["ERROR_MOD_NOT_FOUND", 0x8007007e],
    ["HCN_E_ADAPTER_NOT_FOUND", 0x803b0006],
    ["HCN_E_SWITCH_EXTENSION_NOT_FOUND", 0x803b001f],
    ["GCN_E_NETADAPTER_NOT_FOUND", 0x803b0026],
    ["an HRESULT that no table has", 0x8765_4321],
  ])("a DEL refused with %s is never taken as done", async (_, hresult) => {
    const [pod = fail()] = await addPods(node, 1);
    await node.emulator.addFault({ call: "HcnDeleteEndpoint", kind: "fail", hresult });
    const outcome = await node.call("DEL", pod, { config: SMALL });
    const { msg } = parseError(outcome);
    expect(outcome.stdout).not.toMatch(SWALLOWED);
    expect(msg).toContain(hresult.toString(16));
    expect((await node.emulator.endpoints()).map(({ name }) => name)).toContain(`${pod.containerId}_pods`);
    expect(node.state().addresses).toMatchObject([{ state: "quarantined" }]);
    await node.emulator.clearFaults();
    await node.callSilently("DEL", pod, { config: SMALL });
    await expectNothingLeft(node);
  });

  it("late DELs, after the namespace is gone and the address has a new owner, touch nobody", async () => {
    const pods = await addPods(node, SMALL_COUNT);
    const [old = fail(), ...others] = pods;
    await node.callSilently("DEL", old, { config: SMALL });
    await node.emulator.deleteNamespace(old.netns);
    const heir = await node.makePod();
    const result = await node.add(heir, { config: SMALL });
    await node.emulator.clearCalls();
    for (let repeat = 0; repeat < 2; repeat++) await node.callSilently("DEL", old, { config: SMALL, env: { CNI_NETNS: "" } });
    expect((await node.emulator.calls()).map(({ name }) => name)).toEqual(["HcnEnumerateEndpoints", "HcnEnumerateEndpoints"]);
    await node.callSilently("CHECK", heir, { config: SMALL, prevResult: result });
    for (const pod of [...others, heir]) await node.callSilently("DEL", pod, { config: SMALL });
    await expectNothingLeft(node);
  });

  it("a DEL for a sandbox that was never attached succeeds on a node that never had a network", async () => {
    await node.callSilently("DEL", await node.makePod());
    await expectNothingLeft(node, "never made");
  });

  it("STATUS costs one call, opens nothing, and writes nothing to the state", async () => {
    await addPods(node, 1);
    const before = node.state();
    await node.emulator.clearCalls();
    for (let repeat = 0; repeat < 3; repeat++) expectSilence(await node.callForNetwork("STATUS", { config: SMALL }));
    expect((await node.emulator.calls()).map(({ name }) => name)).toEqual(Array(3).fill("HcnEnumerateNetworks"));
    expect(node.state()).toEqual(before);
  });

  it("STATUS does not report an exhausted pool, which would evict every pod of the node, unless it is told to", async () => {
    await addPods(node, SMALL_COUNT);
    expectSilence(await node.callForNetwork("STATUS", { config: SMALL }));
    const outcome = await node.callForNetwork("STATUS", { config: { ...SMALL, statusFailsOnExhaustion: true } });
    expect(parseError(outcome)).toMatchObject({ code: 50, msg: containing("no free address") });
  });

  it("STATUS gives up on an HNS that hangs long before the configured deadlines, which hold up the runtime", async () => {
    await node.emulator.addFault({ call: "*", kind: "hang" });
    const outcome = await node.callForNetwork("STATUS", {
      config: { callTimeoutSeconds: 600, operationTimeoutSeconds: 600 },
      timeoutMs: 20_000,
    });
    expect(parseError(outcome)).toMatchObject({ code: 50 });
  });

  describe("an ADD killed in the midst of a call", () => {
    const moments: [string, "hang" | "hang-after", number][] = [
      ["HcnCreateNetwork", "hang", 1],
      ["HcnCreateNetwork", "hang-after", 1],
      ["HcnCreateEndpoint", "hang", 1],
      ["HcnCreateEndpoint", "hang-after", 1],
      ["HcnCreateEndpoint", "hang", 2],
      ["HcnCreateEndpoint", "hang-after", 2],
      ["HcnModifyNamespace", "hang", 1],
      ["HcnModifyNamespace", "hang-after", 1],
      ["HcnCloseNamespace", "hang", 1],
    ];

    it.each(moments)("%s, %s (call %i): one DEL settles it, and the pod's next sandbox comes up", async (call, kind, nth) => {
      const pod = await node.makePod();
      await node.emulator.addFault({ call, kind, nth });
      const adding = node.call("ADD", pod);
      process.kill((await waitForFault(node)).pid, "SIGKILL");
      expect(await adding).toMatchObject({ code: null, stdout: "" });
      await node.emulator.clearFaults();

      await node.callSilently("DEL", pod);
      expect(await endpointsOf(node, pod)).toEqual([]);
      await node.emulator.deleteNamespace(pod.netns);
      const next = await node.makePod();
      const result = await node.add(next);
      await node.callSilently("CHECK", next, { prevResult: result });
      await node.callSilently("DEL", pod, { env: { CNI_NETNS: "" } });
      await node.callSilently("DEL", next);
      // The handles of the killed program are HNS's to close; those of the others were closed by them.
      await node.emulator.clearHandles();
      await expectNothingLeft(node);
    });
  });
});

async function addPods(node: CniNode, count: number): Promise<Pod[]> {
  const pods: Pod[] = [];
  for (let index = 0; index < count; index++) {
    const pod = await node.makePod();
    await node.add(pod, { config: SMALL });
    pods.push(pod);
  }
  return pods;
}

function fail(): never {
  throw new Error("there is no pod");
}
