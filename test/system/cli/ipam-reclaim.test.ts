/** `ipam reclaim` of the packaged program, over HNS as the emulator plays it. */
import { CniNode } from "../../support/cni-node.ts";
import { packagedReason, type ProgramResult, runPackaged } from "../../support/packaged.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { linux } from "../../support/programs.ts";
import { describeUnless } from "../../support/skip.ts";

describeUnless(packagedReason(), "the packaged command ipam reclaim", () => {
  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  /** With the node's own configuration on stdin, and no grace time. */
  function reclaim(args: readonly string[] = [], config: object = {}): Promise<ProgramResult> {
    const input = node.buildInput({ config: { ...config, ipam: { type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: 0 } } }, {});
    return runPackaged({
      args: ["ipam", "reclaim", "--conf=-", ...args],
      stdin: JSON.stringify(input),
      env: { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: node.emulator.address },
    });
  }

  /** Two pods, one of which HNS loses with its sandbox; its container id. */
  async function losePod(): Promise<string> {
    const [alive, lost] = [await node.makePod(), await node.makePod()];
    for (const pod of [alive, lost]) await node.add(pod);
    const endpoint = (await node.emulator.endpoints()).find(({ name }) => name === `${lost.containerId}_pods`);
    await node.emulator.deleteEndpoint(endpoint?.id ?? "");
    await node.emulator.deleteNamespace(lost.netns);
    return lost.containerId;
  }

  const states = (): string[] => node.state().addresses.map(({ address, state }) => `${address} ${state}`);

  it("releases in the second run what both found gone, and leaves the pod that lives", async () => {
    const container = await losePod();
    const first = await reclaim();
    expect(first).toMatchObject({ code: 0, stderr: "" });
    expect(first.stdout).toBe(
      "pods: 1 of 2 attachments stand, 0 addresses reclaimed\n" +
        `  10.244.3.4 (container ${container}, eth0) kept: endpoint and namespace are gone; run this again after 0 s\n`,
    );
    const dry = await reclaim(["--dry-run", "-o", "json"]);
    expect(JSON.parse(dry.stdout)).toMatchObject([{ dryRun: true, alive: 1, reclaimed: [{ addresses: ["10.244.3.4"] }], kept: [] }]);
    expect(states()).toEqual(["10.244.3.3 assigned", "10.244.3.4 assigned"]);
    const second = await reclaim();
    expect(second).toMatchObject({ code: 0, stderr: "" });
    expect(second.stdout).toContain("1 address reclaimed\n");
    expect(states()).toEqual(["10.244.3.3 assigned", "10.244.3.4 cooling"]);
    expect(await node.emulator.handles()).toEqual([]);
  });

  it("without a configuration looks at all that the state knows", async () => {
    await losePod();
    const { code, stdout } = await runPackaged({
      args: ["ipam", "reclaim", "--state-dir", node.stateDir],
      env: { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: node.emulator.address },
    });
    expect([code, stdout]).toEqual([0, expect.stringMatching(/run this again after 60 s\n$/)]);
  });

  it.each(["fail", "hang"] as const)("ends with 1 and releases nothing when HNS does not answer (%s)", async (kind) => {
    await losePod();
    await reclaim();
    await node.emulator.addFault({ call: "HcnEnumerateNamespaces", kind, hresult: 0x8000ffff });
    const result = await reclaim([], { callTimeoutSeconds: 1 });
    expect(result).toMatchObject({ code: 1, stdout: "" });
    expect(result.stderr).toMatch(/^hns-cni: .+\n.+\n$/);
    expect(states()).toEqual(["10.244.3.3 assigned", "10.244.3.4 assigned"]);
  });
});
