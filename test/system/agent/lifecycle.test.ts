/** The agent: the same commands as the program, over its socket, in one process that stays. */
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, expectSilence, parseError } from "../../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../../support/leftovers.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";
import { containing } from "../../unit/core/cni/matchers.ts";

const PODS = 32;
/** More than the FFI module takes at a time, and than the threads and turns of the agent by far. */
const CROWD = 300;

describeProgram(linux, "the agent", () => {
  let node: CniNode;
  let agent: AgentProcess;

  /** The calls of CniNode, over the agent's socket. */
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
  });
  afterAll(() => node.close());
  beforeEach(async () => {
    await node.renew();
    agent = await startAgent();
  });
  afterEach(() => agent.end());

  it("attaches, checks and detaches a pod as the program does", async () => {
    const pod = await node.makePod();
    const first = await node.add(pod);
    expect(first.ips.map(({ address }) => address)).toEqual(["10.244.3.3/24"]);
    expect(await node.add(pod)).toEqual(first);
    await node.callSilently("CHECK", pod, { prevResult: first });
    expectSilence(await node.callForNetwork("STATUS"));
    await node.callSilently("DEL", pod);
    await node.callSilently("DEL", pod);
    await agent.end();
    await expectNothingLeft(node);
  });

  it("attaches many pods at once, each with an address and an endpoint of its own", async () => {
    const pods = await Promise.all(Array.from({ length: PODS }, () => node.makePod()));
    const results = await Promise.all(pods.map((pod) => node.add(pod)));
    expect(new Set(results.map(({ ips }) => ips[0]?.address)).size).toBe(PODS);
    expect(await node.emulator.networks()).toHaveLength(1);
    expect(await node.emulator.endpoints()).toHaveLength(PODS + 1);
    (await Promise.all(pods.map((pod) => node.call("DEL", pod)))).forEach(expectSilence);
    await agent.end();
    await expectNothingLeft(node);
  });

  it("serves a crowd of ADDs on few threads, and its DELs", async () => {
    await agent.end();
    agent = await startAgent({ UV_THREADPOOL_SIZE: "4" });
    const config = { ipam: { type: "hns-cni", cidr: "10.244.0.0/16" } };
    const pods = await Promise.all(Array.from({ length: CROWD }, () => node.makePod()));
    const results = await Promise.all(pods.map((pod) => node.add(pod, { config })));
    expect(new Set(results.map(({ ips }) => ips[0]?.address)).size).toBe(CROWD);
    (await Promise.all(pods.map((pod) => node.call("DEL", pod, { config })))).forEach(expectSilence);
    await agent.end();
    await expectNothingLeft(node);
  });

  it("two ADDs of one pod at once give one endpoint and the same result, and nothing is left of a DEL beside an ADD", async () => {
    const pod = await node.makePod();
    const [first, second] = await Promise.all([node.add(pod), node.add(pod)]);
    expect(second).toEqual(first);
    expect(await endpointsOf(node, pod)).toHaveLength(1);
    await node.callSilently("DEL", pod);
    const raced = await node.makePod();
    const [, del] = await Promise.all([node.call("ADD", raced), node.call("DEL", raced)]);
    expectSilence(del);
    await node.callSilently("DEL", raced);
    await agent.end();
    await expectNothingLeft(node);
  });

  it("ends with 0 when told to, having answered what was under way", async () => {
    await node.add(await node.makePod());
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "delay", ms: 500 });
    const adding = node.add(await node.makePod());
    await agent.waitFor("endpoint attached");
    const ending = agent.end();
    expect((await adding).ips).toHaveLength(1);
    expect(await ending).toBe(0);
  });

  it("what it answered is there after it is killed, and the next one goes on", async () => {
    const pod = await node.makePod();
    const result = await node.add(pod);
    expect(await agent.end("SIGKILL")).toBeNull();
    await node.emulator.clearHandles(); // Windows closes those of a process that ended
    agent = await startAgent();
    expect(await node.add(pod)).toEqual(result);
    await node.callSilently("DEL", pod);
    await agent.end();
    await expectNothingLeft(node);
  });

  it("is refused where another agent works", async () => {
    await expect(startAgent()).rejects.toThrow(/another agent works/);
  });

  it("does what a program is told that runs beside it, and the program itself does nothing", async () => {
    const beside = new CniNode(linux, node.emulator, node.list, node.stateDir);
    const pod = await beside.makePod();
    const env = { HNS_CNI_SOCKET: agent.socket };
    const result = await beside.add(pod, { env });
    expect(await node.add(pod)).toEqual(result);
    expect(agent.stderr).toContain(pod.containerId);
    await beside.callSilently("CHECK", pod, { prevResult: result, env });
    expect(parseError(await beside.call("CHECK", await beside.makePod(), { prevResult: result, env }))).toMatchObject({ code: 103 });
    await beside.callSilently("DEL", pod, { env });
    await agent.end();
    await expectNothingLeft(node);
  });

  it("that is alive and silent gives code 11, and no second engine", async () => {
    const beside = new CniNode(linux, node.emulator, node.list, node.stateDir);
    const pod = await beside.makePod();
    process.kill(agent.pid, "SIGSTOP");
    try {
      const env = { HNS_CNI_SOCKET: agent.socket };
      const outcome = await beside.call("ADD", pod, { env, config: { operationTimeoutSeconds: 2 } });
      expect(parseError(outcome)).toMatchObject({ code: 11, msg: containing("does not answer") });
      expect(await endpointsOf(node, pod)).toEqual([]);
    } finally {
      process.kill(agent.pid, "SIGCONT");
    }
  });

  function startAgent(env: Readonly<Record<string, string>> = {}): Promise<AgentProcess> {
    return AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, env });
  }
});
