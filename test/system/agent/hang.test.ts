/** The agent and an HNS that hangs: each caller has an answer in time, others go on, and the agent ends itself before it has no thread left. */
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, expectSilence, parseError } from "../../support/cni-node.ts";
import { attachHasty, HANG_CASES, HASTY, meetHang } from "../../support/hangs.ts";
import { expectNothingLeft } from "../../support/leftovers.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";
import { containing } from "../../unit/core/cni/matchers.ts";

jest.setTimeout(60_000);

describeProgram(linux, "an agent whose HNS hangs", () => {
  let node: CniNode;
  let agent: AgentProcess;
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };
  const config = HASTY;

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());
  afterEach(() => agent.end("SIGKILL"));

  async function start(hns: object, env: Readonly<Record<string, string>> = {}): Promise<void> {
    const metrics = { enabled: true, port: 0 };
    agent = await AgentProcess.start({
      address: node.emulator.address,
      stateDir: node.stateDir,
      config: { metrics, hns, reconcile: { enabled: false } },
      env,
    });
  }

  it.each(HANG_CASES.map((entry) => [entry.command, `${entry.call} ${entry.match ?? ""}`.trim(), entry] as const))(
    "%s with %s hanging is answered, and nothing is left once the pod is gone",
    async (_command, _call, entry) => {
      await start({ unansweredLimit: 100, abandonedLimit: 100 });
      const pod = await meetHang(node, entry);
      await node.callSilently("DEL", pod, { config });
      await node.emulator.clearHandles(); // of the call that hangs, which the agent cannot know of
      const hasNetwork = (await node.emulator.networks()).length > 0;
      if (hasNetwork) await node.callSilently("DEL", await attachHasty(node), { config });
      await agent.end("SIGKILL");
      await expectNothingLeft(node, hasNetwork ? "kept" : "never made");
    },
  );

  it("other pods go on while one pod's call hangs", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 100 });
    await attachHasty(node);
    const pod = await node.makePod();
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang", match: pod.containerId });
    const stuck = expect(node.call("ADD", pod)).rejects.toThrow("cut-off");
    const others = await Promise.all([attachHasty(node), attachHasty(node), attachHasty(node)]);
    expect(others).toHaveLength(3);
    expect(await agent.metric("hns_cni_commands_running")).toBe(1);
    await agent.end("SIGKILL");
    await stuck;
  });

  it("a create that HNS finished and never answered leaves no second endpoint: the next ADD works, DEL leaves nothing", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 100 });
    await attachHasty(node).then((other) => node.callSilently("DEL", other, { config }));
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang-after", nth: 1 });
    const pod = await node.makePod();
    expect(parseError(await node.call("ADD", pod, { config }))).toMatchObject({ code: 11 });
    await node.emulator.clearFaults();
    await node.add(pod, { config });
    expect(await node.emulator.endpoints()).toHaveLength(2); // the pod's and the host's
    await node.callSilently("DEL", pod, { config });
    await node.emulator.clearHandles();
    await agent.end("SIGKILL");
    await expectNothingLeft(node);
  });

  it("after some calls without an answer STATUS says 50 and ADD 11 with a hint, without asking HNS; both end when it answers again", async () => {
    await start({ unansweredLimit: 2, restSeconds: 0.5, abandonedLimit: 100 });
    const pod = await attachHasty(node);
    await node.emulator.addFault({ call: "HcnOpenNamespace", kind: "hang" });
    await Promise.all([1, 2].map(async () => node.call("ADD", await node.makePod(), { config })));
    expect(await agent.metric("hns_cni_breaker_open")).toBe(1);
    await node.emulator.clearFaults();
    await node.emulator.clearCalls();
    expect(parseError(await node.callForNetwork("STATUS", { config }))).toMatchObject({ code: 50, msg: containing("HNS hangs") });
    const refused = parseError(await node.call("ADD", await node.makePod(), { config }));
    expect(refused).toMatchObject({ code: 11, msg: containing("HNS hangs") });
    expect(`${refused.msg} ${refused.details ?? ""}`).toContain("restart the hns service");
    expect((await node.emulator.calls()).filter(({ name }) => name.startsWith("Hcn"))).toEqual([]);
    while ((await node.callForNetwork("STATUS", { config })).code !== 0);
    expect(agent.stderr).toContain("hns answers again");
    expect(await agent.metric("hns_cni_breaker_open")).toBe(0);
    await node.add(await node.makePod(), { config });
    expectSilence(await node.call("DEL", pod, { config }));
  });

  it("ends with 0 when told to, whatever hangs", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 100 });
    await attachHasty(node);
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang" });
    expect(parseError(await node.call("ADD", await node.makePod(), { config }))).toMatchObject({ code: 11 });
    expect(await agent.end()).toBe(0);
    await node.emulator.clearFaults();
  });

  it("ends with 0 when told to while every call that may be made is in HNS and no deadline is over, callback and all", async () => {
    agent = await AgentProcess.start({
      address: node.emulator.address,
      stateDir: node.stateDir,
      config: { drainSeconds: 0, hns: { unansweredLimit: 100 }, reconcile: { intervalSeconds: 600 } },
      env: { UV_THREADPOOL_SIZE: "3" },
    });
    await attachHasty(node);
    await agent.waitFor("hns callback registered");
    await agent.query("reconcile"); // the looks of the start are over
    await node.emulator.addFault({ call: "HcnUnregisterServiceCallback", kind: "hang" });
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang" });
    await node.emulator.clearCalls();
    const pods = [await node.makePod(), await node.makePod()];
    const calls = Promise.allSettled(pods.map((pod) => node.call("ADD", pod)));
    while ((await node.emulator.calls()).filter(({ name }) => name === "HcnCreateEndpoint").length < 2);
    expect(await agent.end()).toBe(0);
    expect((await calls).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await node.emulator.clearFaults();
  });

  it("ends itself also when it makes fewer calls at a time than its limit of stuck ones", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 100 }, { UV_THREADPOOL_SIZE: "3" });
    await attachHasty(node);
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang" });
    const stuck = [await node.makePod(), await node.makePod()];
    const calls = Promise.allSettled(stuck.map((pod) => node.call("ADD", pod, { config })));
    expect(await agent.ended()).toBe(75);
    await calls;
    await node.emulator.clearFaults();
  });

  it("does not begin an ADD whose caller has gone while it waited for others: the DEL may have been quicker", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 100 }, { UV_THREADPOOL_SIZE: "3" });
    await attachHasty(node);
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang" });
    await node.emulator.clearCalls();
    // Four are worked on at a time: these, of which two wait for HNS and two for those.
    const crowd = [await node.makePod(), await node.makePod(), await node.makePod(), await node.makePod()];
    const slow = { callTimeoutSeconds: 30, operationTimeoutSeconds: 60 };
    const calls = Promise.allSettled(crowd.map((pod) => node.call("ADD", pod, { config: slow })));
    while ((await node.emulator.calls()).filter(({ name }) => name === "HcnCreateEndpoint").length < 2);
    const pod = await node.makePod();
    await expect(node.call("ADD", pod, { config: slow, timeoutMs: 500 })).rejects.toThrow("did not answer");
    // It has waited its two seconds when this one, which came later, has.
    const last = await node.makePod();
    const after = node.call("ADD", last, { config: { callTimeoutSeconds: 1, operationTimeoutSeconds: 3 } });
    expect(parseError(await after)).toMatchObject({ code: 11 });
    expect(await agent.metric("hns_cni_commands_running")).toBe(crowd.length);
    await agent.end("SIGKILL");
    await calls;
    await node.emulator.clearFaults();
  });

  it("with too many stuck calls it ends itself with 75, and the next one goes on and loses nothing", async () => {
    await start({ unansweredLimit: 100, abandonedLimit: 3 });
    const pod = await attachHasty(node);
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang" });
    const stuck = await Promise.all([1, 2, 3].map(() => node.makePod()));
    const calls = Promise.allSettled(stuck.map((one) => node.call("ADD", one, { config })));
    expect(await agent.ended()).toBe(75);
    await calls;
    expect(agent.stderr).toContain("too many calls stuck in hns");
    await node.emulator.clearFaults();
    await start({});
    for (const one of stuck) await node.add(one);
    for (const one of [...stuck, pod]) await node.callSilently("DEL", one);
    await node.emulator.clearHandles();
    await agent.end();
    await expectNothingLeft(node);
  });
});
