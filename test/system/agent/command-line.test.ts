/** The command line beside an agent that runs, and without one. */
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode } from "../../support/cni-node.ts";
import { type CniProgram, describeProgram, linux, type ProgramOutcome } from "../../support/programs.ts";

jest.setTimeout(60_000);

describeProgram(linux, "the command line and the agent", () => {
  let node: CniNode;
  let agent: AgentProcess;
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
    agent = await AgentProcess.start({
      address: node.emulator.address,
      stateDir: node.stateDir,
      config: { reconcile: { intervalSeconds: 600, graceSeconds: 0 } },
    });
  });
  afterAll(async () => {
    await agent.end("SIGKILL");
    await node.close();
  });

  const run = (...args: string[]): Promise<ProgramOutcome> =>
    linux.run({ env: { HNS_CNI_SOCKET: agent.socket }, stdin: "", args }, node.emulator.address);

  it("shows a running agent, its pods and its log", async () => {
    const pod = await node.makePod();
    await node.add(pod);
    const status = await run("status");
    expect(status).toMatchObject({ code: 0, stderr: "" });
    expect(status.stdout).toMatch(/^agent {5}ready, version \S+, process \d+[^]*\nHNS {7}answers, run [^]*\npods {6}1 attached\n/);
    const list = await run("attachment", "list", "--state-dir", node.stateDir, "-o", "wide");
    expect(list.stdout).toMatch(new RegExp(`\\n${pod.containerId} +eth0 +${node.list.name} +attached +10\\.244\\.3\\.3 +`));
    const log = await run("agent", "logs", "--state-dir", node.stateDir);
    expect(log).toMatchObject({ code: 0, stderr: "" });
    expect(log.stdout).toMatch(/^\S+Z {2}info {3}endpoint attached {2}.*container=/m);
  });

  it("tells what the agent would repair, and the same without an agent", async () => {
    const [endpoint] = (await node.emulator.endpoints()).filter(({ namespace }) => namespace !== null);
    await node.emulator.deleteEndpoint(endpoint?.id ?? "");
    const asked = await run("reconcile", "--dry-run", "-o", "json");
    expect(asked).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(asked.stdout)).toMatchObject([{ action: "endpoint", outcome: "planned" }]);
    await agent.end();
    const looked = await run("reconcile", "--dry-run", "--state-dir", node.stateDir, "-o", "json");
    expect(looked).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(looked.stdout)).toEqual(JSON.parse(asked.stdout));
    expect(await run("agent", "status")).toMatchObject({ code: 1, stdout: "agent    none listens\n" });
    expect((await run("status", "--state-dir", node.stateDir)).stdout).toContain("none listens: plugins work alone");
  });
});
