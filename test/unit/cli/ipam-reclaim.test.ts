import { reclaimAddresses, type ReclaimArguments } from "../../../src/cli/ipam-reclaim.ts";
import { CliError } from "../../../src/cli/world.ts";
import { attachmentId } from "../../../src/core/engine/attachment.ts";
import { EngineFixture } from "../../support/engine-fixture.ts";
import { attached, GRACE_MS, lose, states } from "../core/engine/reclaim-kit.ts";
import { FakeWorld } from "./fake-world.ts";

const DIR = "C:\\ProgramData\\hns-cni";
const CONF = {
  cniVersion: "1.1.0",
  name: "pods",
  type: "hns-cni",
  mode: "l2bridge",
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: 5 },
};

let node: EngineFixture;
let world: FakeWorld;

beforeEach(() => {
  node = new EngineFixture();
  world = buildWorld({ "a.conf": JSON.stringify(CONF) });
});
afterEach(() => node.close());

function buildWorld(files: Record<string, string>): FakeWorld {
  const built = new FakeWorld(files);
  built.states.set(DIR, node.store);
  const { machine } = node.operation(node.spawn());
  built.hns = node.spawn().backend;
  built.machine = machine;
  return built;
}

async function run(changes: Partial<ReclaimArguments> = {}): Promise<string> {
  world.out = "";
  expect(await reclaimAddresses(world, { stateDir: undefined, conf: undefined, dryRun: false, output: "text", ...changes })).toBe(0);
  return world.out;
}

describe("ipam reclaim", () => {
  test("says what stands, what it watches, and what it reclaimed", async () => {
    const pods = [await attached(node, "c1"), await attached(node, "c2"), await attached(node, "c3")];
    for (const [index, pod] of pods.entries()) if (index > 0) lose(node, pod, index === 1 ? "sandbox" : "endpoint");
    const halfGone = "  10.244.3.5 (container c3, eth0) kept: its endpoint is gone and its sandbox is not: delete the pod\n";
    expect(await run()).toBe(
      "pods: 1 of 3 attachments stand, 0 addresses reclaimed\n" +
        "  10.244.3.4 (container c2, eth0) kept: endpoint and namespace are gone; run this again after 60 s\n" +
        halfGone,
    );
    const since = new Date(node.clock.now()).toISOString();
    expect(await run()).toContain(`  10.244.3.4 (container c2, eth0) kept: gone since ${since}; run this again 60 s after that\n`);
    await node.clock.advance(GRACE_MS);
    expect(await run({ dryRun: true })).toBe(
      "pods: 1 of 3 attachments stand, 1 address would be reclaimed\n" +
        "  10.244.3.4 (container c2, eth0) would be reclaimed\n" +
        halfGone,
    );
    expect(await run()).toBe(
      "pods: 1 of 3 attachments stand, 1 address reclaimed\n" +
        "  10.244.3.4 (container c2, eth0) reclaimed: it rests now, and is free after the cool-down\n" +
        halfGone,
    );
    expect(pods.map((pod) => states(node, pod))).toEqual([["assigned"], ["cooling"], ["assigned"]]);
  });

  test("a dry run begins no grace time, and says so", async () => {
    lose(node, await attached(node, "c1"));
    const expected = "kept: endpoint and namespace are gone; a run without --dry-run begins the grace time of 60 s\n";
    for (let round = 0; round < 2; round++) expect(await run({ dryRun: true })).toContain(expected);
  });

  test.each(["json", "yaml"] as const)("gives all of it as %s", async (output) => {
    const [pod] = [await attached(node, "c1"), await attached(node, "c2")];
    lose(node, pod);
    const text = await run({ output });
    const since = new Date(node.clock.now()).toISOString();
    if (output === "yaml") expect(text).toMatch(new RegExp(`^- network: pods\n[^]*\n {4}- attachment: ${attachmentId(pod)}\n`));
    else {
      expect(JSON.parse(text)).toEqual([
        {
          network: "pods",
          dryRun: false,
          alive: 1,
          wanted: 0,
          reclaimed: [],
          kept: [
            {
              attachment: attachmentId(pod),
              network: "pods",
              containerId: "c1",
              ifname: "eth0",
              addresses: ["10.244.3.3"],
              since,
              reason: "seen-once",
            },
          ],
        },
      ]);
    }
  });

  test("takes network, state folder and grace time from a configuration", async () => {
    lose(node, await attached(node, "c1"));
    world = buildWorld({ "a.conflist": JSON.stringify({ name: "pods", cniVersion: "1.1.0", plugins: [{ ...CONF, stateDir: "D:\\s" }] }) });
    world.states.set("D:\\s", node.store);
    world.states.delete(DIR);
    expect(await run({ conf: "a.conflist" })).toContain("run this again after 5 s");
    await node.clock.advance(5_000);
    expect(await run({ conf: "a.conflist" })).toContain("1 address reclaimed");
  });

  test("without a configuration looks at the networks that the state knows, and at none of another plugin", async () => {
    expect(await run()).toBe("no networks: no pod has been attached yet\n");
    expect(await run({ output: "json" })).toBe("[]\n");
    const pod = await attached(node, "c1");
    node.database.run("DELETE FROM attachments WHERE id = ?", attachmentId(pod));
    node.database.run("DELETE FROM networks");
    expect(await run()).toBe("no networks: no pod has been attached yet\n");
  });

  test("fails as HNS does, and changes nothing", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await run();
    await node.clock.advance(GRACE_MS);
    node.model.faults.add({ call: "HcnEnumerateNamespaces", kind: "fail", nth: 1 });
    await expect(run()).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(world.out).toBe("");
    expect(states(node, pod)).toEqual(["assigned"]);
  });

  test.each([
    ["a file that is not there", { conf: "nowhere" }, "cannot read nowhere"],
    ["a file without a plugin of ours", { conf: "other" }, "other cannot be used: it has no plugin of the type hns-cni"],
    ["a file with faults", { conf: "broken" }, "broken cannot be used: it has faults"],
    ["no state", { stateDir: "E:\\" }, "no state in E:\\"],
    ["no state where the configuration says", { conf: "a.conf", stateDir: "E:\\" }, "no state in E:\\"],
  ])("refuses %s", async (_, changes, expected) => {
    const broken = JSON.stringify({ ...CONF, ipam: { ...CONF.ipam, reclaimGraceSeconds: -1 } });
    world = buildWorld({ "a.conf": JSON.stringify(CONF), other: JSON.stringify({ ...CONF, type: "win-bridge" }), broken });
    const failure = await run(changes).catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(CliError);
    expect(String(failure)).toContain(expected);
    expect(node.calls()).toEqual([]);
  });
});
