/** An IPAM plugin that the agent runs: what it finds in its environment. */
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentProcess } from "../../support/agent-process.ts";
import { buildVariables, CniNode } from "../../support/cni-node.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";

jest.setTimeout(60_000);

/** Answers an ADD, and keeps the environment of its last call. */
const STUB = `#!${process.execPath}
const { dirname, join } = require("node:path");
require("node:fs").writeFileSync(join(dirname(process.argv[1]), "environment.json"), JSON.stringify(process.env));
if (process.env.CNI_COMMAND === "ADD") console.log('{"cniVersion":"1.1.0","ips":[{"address":"10.244.3.9/24"}]}');
`;

describeProgram(linux, "an IPAM plugin of the agent", () => {
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-delegate-"));
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };
  let node: CniNode;
  let agent: AgentProcess;

  beforeAll(async () => {
    writeFileSync(join(folder, "stub-ipam"), STUB);
    chmodSync(join(folder, "stub-ipam"), 0o755);
    node = await CniNode.start(overSocket);
    const env = { PATH: "/usr/bin:/bin", ACCESS_TOKEN: "secret", UV_THREADPOOL_SIZE: "8" };
    agent = await AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, env });
  });
  afterAll(async () => {
    await agent.end("SIGKILL");
    await node.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("gets the call's variables over the system's, and nothing of the service's own", async () => {
    const pod = await node.makePod();
    const options = { config: { ipam: { type: "stub-ipam" } }, env: { CNI_PATH: folder, TRACEPARENT: "00-1-2-01" } };
    const { CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS } = buildVariables("ADD", pod);
    await node.add(pod, { ...options, env: { ...options.env, CNI_ARGS: CNI_ARGS ?? "" } });
    const found = JSON.parse(readFileSync(join(folder, "environment.json"), "utf8")) as object;
    const call = { CNI_COMMAND: "ADD", CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME, CNI_ARGS, CNI_PATH: folder, TRACEPARENT: "00-1-2-01" };
    expect(found).toEqual({ PATH: "/usr/bin:/bin", ...call });
    await node.callSilently("DEL", pod, options);
  });
});
