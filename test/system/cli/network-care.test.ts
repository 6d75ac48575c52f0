/** `network ensure`, `repair` and `delete` of the packaged program, over HNS as the emulator plays it. */
import { CniNode } from "../../support/cni-node.ts";
import { packagedReason, type ProgramResult, runPackaged } from "../../support/packaged.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { linux } from "../../support/programs.ts";
import { describeUnless } from "../../support/skip.ts";

const ACCESS_DENIED = 0x80070005;

describeUnless(packagedReason(), "the packaged commands for networks", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  const call = (args: readonly string[], stdin = ""): Promise<ProgramResult> =>
    runPackaged({
      args: ["network", ...args],
      stdin,
      env: { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: node.emulator.address },
    });
  /** With the node's own configuration on stdin. */
  const withConf = (...args: string[]): Promise<ProgramResult> => call([...args, "--conf=-"], JSON.stringify(node.buildInput({}, {})));
  const remove = (...args: string[]): Promise<ProgramResult> => call(["delete", "pods", "--state-dir", node.stateDir, ...args]);
  const names = async (): Promise<string[]> => [
    ...(await node.emulator.networks()).map(({ name }) => name),
    ...(await node.emulator.endpoints()).map(({ name }) => name),
  ];

  it("makes the network before the first pod, repairs it beside the pod, and deletes it after the last", async () => {
    expect(await withConf("ensure")).toMatchObject({ code: 0, stdout: "pods: network created\npods: host endpoint created\n" });
    expect(await names()).toEqual(["pods", "pods_ep"]);
    const pod = await node.makePod();
    await node.emulator.clearCalls();
    await node.add(pod);
    expect(Object.keys(await node.emulator.counts())).not.toContain("HcnCreateNetwork");

    const host = (await node.emulator.endpoints()).find(({ name }) => name === "pods_ep");
    await node.emulator.deleteEndpoint(host?.id ?? "");
    expect(await withConf("repair", "pods")).toMatchObject({ code: 0, stdout: "pods: network verified\npods: host endpoint created\n" });
    expect((await names()).sort()).toEqual([`${pod.containerId}_pods`, "pods", "pods_ep"].sort());

    const refused = await remove();
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(`it is in use by ${pod.containerId}_pods\n`);
    await node.callSilently("DEL", pod);
    const dry = await remove("--dry-run", "-o", "json");
    expect(JSON.parse(dry.stdout)).toEqual({
      network: "pods",
      id: null,
      dryRun: true,
      steps: ["host endpoint deleted", "network deleted"],
      changes: [],
    });
    expect(await names()).toEqual(["pods", "pods_ep"]);
    const done = await remove();
    expect(done).toMatchObject({ code: 0, stdout: "pods: host endpoint deleted\npods: network deleted\n" });
    expect(done.stderr).toMatch(/^host endpoint deleted network=pods .*\nnetwork deleted network=pods .*\n$/);
    expect(await names()).toEqual([]);
    expect(await node.emulator.handles()).toEqual([]);
  });

  it("ends with 1 when HNS refuses, and finishes the next time", async () => {
    await withConf("ensure");
    await node.emulator.addFault({ call: "HcnDeleteNetwork", kind: "fail", hresult: ACCESS_DENIED, nth: 1 });
    const failed = await remove();
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("hns-cni: ");
    await node.emulator.clearFaults();
    expect(await names()).toEqual(["pods"]);
    expect(await remove()).toMatchObject({ code: 0, stdout: "pods: network deleted\n" });
  });

  it.each([[["ensure"]], [["repair", "pods"]], [["delete"]]])("ends with 2 when an argument is missing: %j", async (args) => {
    expect(await call(args)).toMatchObject({ code: 2, stdout: "" });
  });
});
