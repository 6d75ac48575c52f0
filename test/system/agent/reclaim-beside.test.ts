/** `ipam reclaim` beside an agent that works on a call. */
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode } from "../../support/cni-node.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";

jest.setTimeout(60_000);

describeProgram(linux, "ipam reclaim beside an agent", () => {
  let node: CniNode;
  let agent: AgentProcess;
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
    const config = { reconcile: { enabled: false } };
    agent = await AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, config });
  });
  afterAll(async () => {
    await agent.end("SIGKILL");
    await node.close();
  });

  it("leaves to the agent what that works on", async () => {
    await node.add(await node.makePod());
    const pod = await node.makePod();
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "hang", nth: 1 });
    const adding = node.call("ADD", pod, { config: { callTimeoutSeconds: 20 } }).catch(() => undefined);
    while ((await node.emulator.faults())[0]?.seen !== 1);
    await node.emulator.deleteNamespace(pod.netns); // nothing but the call's lease says now that somebody wants it
    const reclaim = await linux.run({ env: {}, stdin: "", args: ["ipam", "reclaim", "--state-dir", node.stateDir] }, node.emulator.address);
    expect(reclaim).toMatchObject({ code: 0, stderr: "" });
    expect(reclaim.stdout).toContain(`(container ${pod.containerId}, eth0) kept: a process works on it\n`);
    await agent.end("SIGKILL"); // HNS answers no more
    await adding;
  });
});
