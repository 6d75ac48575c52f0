/** The packaged program with another program as its IPAM plugin: a stub that says what it was given and answers as it is told. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNode } from "../emulator/client.ts";
import { buildVariables, CniNode, expectSilence, parseError, README_LIST } from "../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../support/leftovers.ts";
import { describeProgram, linux } from "../support/programs.ts";
import { containing } from "../unit/core/cni/matchers.ts";

/** Answers with the entry of answers.json for its command, or as an IPAM plugin with one address does. */
const STUB = `
  const fs = require("node:fs");
  const folder = require("node:path").dirname(__filename);
  const stdin = fs.readFileSync(0, "utf8");
  const command = process.env.CNI_COMMAND;
  fs.appendFileSync(folder + "/calls.jsonl", JSON.stringify({ command, env: process.env, stdin }) + "\\n");
  process.stderr.write("stub sees " + command + "\\n");
  const answers = fs.existsSync(folder + "/answers.json") ? JSON.parse(fs.readFileSync(folder + "/answers.json", "utf8")) : {};
  const answer = answers[command] ?? {};
  if (answer.hangs) setInterval(() => undefined, 1000);
  if (answer.leavesChild) {
    const child = require("node:child_process").spawn("sleep", ["600"], { stdio: "inherit", detached: true });
    fs.writeFileSync(folder + "/child.pid", String(child.pid));
    child.unref();
  }
  if (answer.stdout !== undefined) process.stdout.write(answer.stdout);
  else if (command === "ADD") process.stdout.write(JSON.stringify({ cniVersion: "1.0.0", ips: [{ address: "10.244.3.9/24" }] }));
  process.exitCode = answer.exitCode ?? 0;
`;

interface StubCall {
  readonly command: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: string;
}

describeProgram(linux, "delegation to another IPAM plugin", () => {
  let node: CniNode;
  let folder: string;

  beforeAll(async () => {
    node = await CniNode.start(linux, {
      ...README_LIST,
      plugins: README_LIST.plugins.map((plugin) => ({ ...plugin, ipam: { type: "stub", own: [1] } })),
    });
  });
  afterAll(() => node.close());
  beforeEach(async () => {
    await node.renew();
    folder = mkdtempSync(join(tmpdir(), "hns-cni-stub-"));
    writeFileSync(join(folder, "stub"), `#!${findNode()}\n${STUB}`);
    chmodSync(join(folder, "stub"), 0o755);
  });
  afterEach(() => {
    const child = join(folder, "child.pid");
    if (existsSync(child)) process.kill(Number(readFileSync(child, "utf8")), "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const options = (config: object = {}): { env: Record<string, string>; config: Record<string, unknown>; timeoutMs: number } => ({
    env: { CNI_PATH: `/nonexistent:${folder}`, EXTRA: "kept" },
    config: { ...config },
    timeoutMs: 20_000,
  });
  const answer = (answers: object): void => writeFileSync(join(folder, "answers.json"), JSON.stringify(answers));
  const calls = (): StubCall[] => {
    const path = join(folder, "calls.jsonl");
    const lines = existsSync(path) ? readFileSync(path, "utf8").split("\n") : [];
    return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as StubCall);
  };
  const commands = (): string[] => calls().map(({ command }) => command);

  it("point 73: each command is passed on with the same environment and the whole configuration", async () => {
    const pod = await node.makePod();
    const result = await node.add(pod, options());
    expect(result.ips).toEqual([{ address: "10.244.3.9/24", interface: 0, gateway: "10.244.3.2" }]);
    expect((await endpointsOf(node, pod)).map(({ addresses }) => addresses)).toEqual([["10.244.3.9/24"]]);
    await node.callSilently("CHECK", pod, { ...options(), prevResult: result });
    expectSilence(await node.callForNetwork("STATUS", options()));
    expectSilence(
      await node.callForNetwork("GC", options({ "cni.dev/valid-attachments": [{ containerID: pod.containerId, ifname: "eth0" }] })),
    );
    await node.callSilently("DEL", pod, options());
    await expectNothingLeft(node);

    expect(commands()).toEqual(["ADD", "CHECK", "STATUS", "GC", "DEL"]);
    const [add] = calls();
    const { CNI_CONTAINERID, CNI_NETNS, CNI_IFNAME } = buildVariables("ADD", pod);
    expect(add?.env).toMatchObject({
      CNI_CONTAINERID,
      CNI_NETNS,
      CNI_IFNAME,
      CNI_COMMAND: "ADD",
      CNI_PATH: `/nonexistent:${folder}`,
      EXTRA: "kept",
      HNS_EMULATOR_ADDRESS: node.emulator.address,
    });
    expect(add?.stdin).toBe(JSON.stringify(node.buildInput(options(), pod.runtimeConfig)));
    expect(node.log()).toContainEqual(expect.objectContaining({ message: "message of the IPAM plugin", line: "stub sees ADD" }));
  });

  it("point 50: the plugin's error on DEL comes after our own cleanup, and is settled by the next one", async () => {
    const pod = await node.makePod();
    await node.add(pod, options());
    answer({ DEL: { exitCode: 1, stdout: '{"code": 5, "msg": "file not found"}' } });
    expect(parseError(await node.call("DEL", pod, options()))).toMatchObject({ code: 5, msg: containing("stub") });
    expect(await endpointsOf(node, pod)).toEqual([]);
    answer({});
    await node.callSilently("DEL", pod, options());
    await expectNothingLeft(node);
  });

  it("point 75: an ADD that HNS refuses gives the address back", async () => {
    const pod = { ...(await node.makePod()), netns: "11111111-2222-3333-4444-555555555555" };
    expect(parseError(await node.call("ADD", pod, options()))).toMatchObject({ code: 8 });
    expect(commands()).toEqual([]);
    const first = await node.makePod();
    await node.add(first, options());
    await node.callSilently("DEL", first, options());
    await node.emulator.addFault({ call: "HcnCreateEndpoint", kind: "fail", hresult: 0x80004005 });
    expect(parseError(await node.call("ADD", await node.makePod(), options()))).toMatchObject({ code: 101 });
    expect(commands()).toEqual(["ADD", "DEL", "ADD", "DEL"]);
    await expectNothingLeft(node);
  });

  it("point 72: a plugin that is in no folder is named, with the folders", async () => {
    const error = parseError(await node.call("ADD", await node.makePod(), { ...options(), config: { ipam: { type: "absent" } } }));
    expect(error).toMatchObject({ code: 5, msg: containing('"absent"') });
    expect(error.msg).toContain(`/nonexistent, ${folder}`);
    expect(parseError(await node.call("ADD", await node.makePod(), { ...options(), config: { ipam: { type: "../stub" } } }))).toMatchObject(
      { code: 7 },
    );
    await expectNothingLeft(node, "never made");
  });

  it("a plugin that hangs is ended, and told to give the address back", async () => {
    answer({ ADD: { hangs: true } });
    const error = parseError(await node.call("ADD", await node.makePod(), options({ operationTimeoutSeconds: 6 })));
    expect(error).toMatchObject({ code: 11, msg: containing("did not end in time") });
    expect(commands()).toEqual(["ADD", "DEL"]);
    await expectNothingLeft(node, "never made");
  });

  it("point 10: a program that the plugin leaves behind keeps neither us nor our stdout", async () => {
    answer({ ADD: { leavesChild: true } });
    const pod = await node.makePod();
    expect((await node.add(pod, options())).ips[0]?.address).toBe("10.244.3.9/24");
    await node.callSilently("DEL", pod, options());
  });
});
