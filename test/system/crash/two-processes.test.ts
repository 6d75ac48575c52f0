/** Two processes at work on one attachment. */
import { expectNoHandles, expectNoSharedAddress, expectOnly, expectWorking } from "../../support/crash-expectations.ts";
import { type AddResult, CrashNode, type Pod } from "../../support/crash-node.ts";
import { isLong } from "../../support/crash-workers.ts";
import { packagedReason, type ProgramResult } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

const ROUNDS = isLong ? 100 : 12;
const CANCELLED = 11;

describeUnless(packagedReason(), "two processes on one attachment", () => {
  let node: CrashNode;
  let pod: Pod;
  beforeAll(async () => {
    node = await CrashNode.start();
  });
  beforeEach(async () => {
    await node.reset();
    await node.add(await node.pod("other"));
    pod = await node.pod("c1");
  });
  afterEach(() => expectNoHandles(node));
  afterAll(() => node.close());

  test("promise 2: two ADDs at once give one result and one endpoint", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const results = await Promise.all([node.add(pod), node.add(pod)]);
      expect(results[0]).toEqual(results[1]);
      await expectWorking(node, pod, results[0]);
      await node.del(pod);
    }
  });

  test("promise 2: two first ADDs of different pods at once make one network and one host endpoint", async () => {
    await node.reset();
    const pods = [await node.pod("c1"), await node.pod("c2")] as const;
    const [first, second] = await Promise.all([node.add(pods[0]), node.add(pods[1])]);
    await expectWorking(node, pods[0], first);
    await expectWorking(node, pods[1], second);
    expect(await node.emulator.networks()).toHaveLength(1);
    expect((await node.emulator.endpoints()).map(({ name }) => name).sort()).toEqual(["c1_pods", "c2_pods", "pods_ep"]);
  });

  test("promise 3: two DELs at once both succeed", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await node.add(pod);
      await Promise.all([node.del(pod), node.del(pod)]);
      expect(await node.endpointOf(pod)).toBeUndefined();
    }
  });

  test("promise 3: an ADD under way when DEL comes undoes itself, wherever it is", async () => {
    const calls = ["HcnCreateEndpoint", "HcnModifyNamespace", "HcnQueryEndpointProperties"];
    for (const call of calls) {
      await node.emulator.clearCalls();
      // Answered late enough for the DEL to be there: it is started once the call has arrived.
      const { id } = await node.emulator.addFault({ call, kind: "delay", ms: 3_000, nth: 1 });
      const adding = node.run("ADD", pod);
      await arrival(call);
      await node.del(pod);
      const { code, stdout } = await adding;
      expect({ code, answer: JSON.parse(stdout) as unknown }).toMatchObject({ code: 1, answer: { code: CANCELLED } });
      await expectGone();
      await node.emulator.clearFaults(id);
    }
  });

  test("promise 3: an ADD begun after the DEL is a new attachment", async () => {
    for (let round = 0; round < 3; round++) {
      await node.add(pod);
      await node.emulator.clearCalls();
      const { id } = await node.emulator.addFault({ call: "HcnDeleteEndpoint", kind: "delay", ms: 500, nth: 1 });
      const deleting = node.del(pod);
      await arrival("HcnDeleteEndpoint");
      const result = await node.add(pod);
      await deleting;
      await expectWorking(node, pod, result);
      await node.emulator.clearFaults(id);
    }
  });

  test("promises 2 and 3: ADD and DEL at once leave either the attachment or nothing", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const [added] = await Promise.all([node.run("ADD", pod), node.del(pod)]);
      await expectEither(added);
      await node.del(pod);
      await expectGone();
    }
  });

  /** Waits until the call has come to HNS. */
  async function arrival(call: string): Promise<void> {
    while (!(await node.emulator.calls()).some(({ name }) => name === call));
  }

  async function expectEither({ code, stdout }: ProgramResult): Promise<void> {
    const endpoint = await node.endpointOf(pod);
    if (code !== 0) expect(JSON.parse(stdout)).toMatchObject({ code: CANCELLED });
    if (code === 0 && endpoint !== undefined) await expectWorking(node, pod, JSON.parse(stdout) as AddResult);
    else await expectGone();
  }

  async function expectGone(): Promise<void> {
    await expectOnly(node, [{ container: "other", netns: "" }]);
    await expectNoSharedAddress(node);
  }
});
