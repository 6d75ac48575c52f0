/** Many programs at once on one node: they share HNS and the state file and nothing else. */
import { CniNode, expectSilence, parseError, type Pod } from "../support/cni-node.ts";
import { waitForFault } from "../support/faults.ts";
import { endpointsOf, expectNothingLeft } from "../support/leftovers.ts";
import { describeProgram, linux } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

const PODS = 16;
const ROUNDS = 6;

describeProgram(linux, "programs at the same time", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  it("attach the first pods of a node with one network, one host endpoint and an address each, and detach them", async () => {
    const pods = await Promise.all(Array.from({ length: PODS }, () => node.makePod()));
    const results = await Promise.all(pods.map((pod) => node.add(pod, { timeoutMs: 50_000 })));
    const addresses = results.map(({ ips }) => ips[0]?.address);
    expect(new Set(addresses).size).toBe(PODS);

    const networks = await node.emulator.networks();
    const endpoints = await node.emulator.endpoints();
    expect(networks.map(({ name }) => name)).toEqual(["pods"]);
    expect(endpoints.filter(({ hostCompartment }) => hostCompartment === 1).map(({ addresses: held }) => held)).toEqual([
      ["10.244.3.2/24"],
    ]);
    expect(endpoints).toHaveLength(PODS + 1);
    for (const [index, pod] of pods.entries()) {
      expect(endpoints.filter(({ namespace }) => namespace === pod.netns).map(({ addresses: held }) => held)).toEqual([[addresses[index]]]);
    }

    const outcomes = await Promise.all(pods.map((pod) => node.call("DEL", pod, { timeoutMs: 50_000 })));
    outcomes.forEach(expectSilence);
    await expectNothingLeft(node);
  });

  it("ADD and DEL of one pod leave it attached or gone, nothing between, in any order", async () => {
    await node.callSilently("DEL", await attachFirst());
    for (let round = 0; round < ROUNDS; round++) {
      const pod = await node.makePod();
      const commands = round % 2 === 0 ? (["ADD", "DEL"] as const) : (["DEL", "ADD"] as const);
      const outcomes = await Promise.all(commands.map((command) => node.call(command, pod)));
      const [add, del] = commands[0] === "ADD" ? outcomes : outcomes.toReversed();
      expect(del).toMatchObject({ code: 0, stdout: "", stderr: "" });
      await expectWhole(pod, add?.code === 0 ? ["attached", "gone"] : ["gone", "none"]);
      await node.callSilently("DEL", pod);
      await expectNothingLeft(node);
    }
  });

  it("a DEL that comes while HNS makes the endpoint makes the ADD take it back", async () => {
    await node.callSilently("DEL", await attachFirst());
    const pod = await node.makePod();
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "delay", ms: 1_000 });
    const adding = node.call("ADD", pod);
    await waitForFault(node);
    await node.callSilently("DEL", pod);
    expect(parseError(await adding)).toMatchObject({ code: 11, msg: containing("a DEL for the same attachment came") });
    await expectNothingLeft(node);
  });

  it("two ADDs of one pod give one endpoint and the same result", async () => {
    const pod = await node.makePod();
    const [first, second] = await Promise.all([node.add(pod), node.add(pod)]);
    expect(second).toEqual(first);
    expect(await endpointsOf(node, pod)).toHaveLength(1);
    await node.callSilently("DEL", pod);
    await expectNothingLeft(node);
  });

  async function attachFirst(): Promise<Pod> {
    const pod = await node.makePod();
    await node.add(pod);
    return pod;
  }

  /** Endpoint, address and record of the pod say the same, and it is one of `accepted`. */
  async function expectWhole(pod: Pod, accepted: readonly string[]): Promise<void> {
    const { attachments, addresses, leases } = node.state();
    const record = attachments.find(({ container }) => container === pod.containerId);
    const phase = record?.phase ?? "none";
    expect(accepted).toContain(phase);
    const held = addresses.filter(({ owner, state }) => owner === record?.id && state === "assigned");
    const count = phase === "attached" ? 1 : 0;
    expect({ endpoints: (await endpointsOf(node, pod)).length, held: held.length, leases }).toEqual({
      endpoints: count,
      held: count,
      leases: 0,
    });
  }
});
