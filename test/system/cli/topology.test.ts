/** The commands that read HNS, inside the executables, against the emulated service. */
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CniNode, type Pod, README_LIST } from "../../support/cni-node.ts";
import { packagedReason, runPackaged } from "../../support/packaged.ts";
import { describePrograms, type ProgramOutcome } from "../../support/programs.ts";
import { describeUnless } from "../../support/skip.ts";
import { listElements, parseXml } from "../../support/xml.ts";

const FOREIGN = "11111111-0000-4000-8000-000000000001";
const FOREIGN_NAME = `<Default> & "Switch" ${"x".repeat(300)}`;
const STORAGE = { ...README_LIST, name: "storage" };
const STORAGE_CONFIG = { ipam: { type: "hns-cni", cidr: "10.245.3.0/24" } };

interface Listed {
  readonly name: string;
  readonly owner: string;
  readonly endpoints: readonly { readonly owner: string; readonly attached: string; readonly namespace: string | null }[];
}

describePrograms("topology and network", (program) => {
  let node: CniNode;
  let pods: Pod[];

  beforeAll(async () => {
    node = await CniNode.start(program);
    pods = [await node.makePod(), await node.makePod(), await node.makePod()];
    const [first, second, third] = pods;
    if (first === undefined || second === undefined || third === undefined) throw new Error("no pods");
    await node.add(first);
    await node.add(second);
    // The same node again, called with another configuration list.
    const storage = new CniNode(program, node.emulator, STORAGE);
    await storage.add(third, { config: { ...STORAGE_CONFIG, stateDir: program.path(node.stateDir) } });
    rmSync(storage.stateDir, { recursive: true });
    await node.emulator.createNetwork({ Name: FOREIGN_NAME, Type: "NAT" }, FOREIGN);
  }, 240_000);

  afterAll(() => node.close());

  const ask = (args: readonly string[], env = {}): Promise<ProgramOutcome> =>
    node.program.run({ args: [...args, "--state-dir", program.path(node.stateDir)], env, stdin: "" }, node.emulator.address);

  const succeed = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await ask(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };

  it("shows our networks and a foreign one, with their endpoints, and leaves no handle open", async () => {
    const { networks } = JSON.parse(await succeed("topology", "-o", "json")) as { networks: Listed[] };
    const namespaces = pods.map(({ netns }) => netns.toLowerCase());
    const host = { owner: "ours", attached: "host", namespace: null };
    const pod = (namespace?: string): object => ({ owner: "ours", attached: "namespace", namespace });
    expect(networks).toMatchObject([
      { name: FOREIGN_NAME, owner: "foreign", endpoints: [] },
      { name: "pods", owner: "ours", endpoints: [host, pod(namespaces[0]), pod(namespaces[1])] },
      { name: "storage", owner: "ours", endpoints: [host, pod(namespaces[2])] },
    ]);
    expect(await node.emulator.handles()).toEqual([]);
  });

  it("draws the tree in the characters of the platform, without colours into a file", async () => {
    const tree = await succeed("topology");
    expect(tree).toMatch(program.name.includes("Windows") ? /^\|- network pods/m : /^├─ network pods/m);
    expect(tree).not.toContain("\u001b");
  });

  it("draws a picture", async () => {
    const texts = listElements(parseXml(await succeed("topology", "-o", "svg"))).flatMap(({ name, text }) =>
      name === "text" ? [text] : [],
    );
    expect(texts).toEqual(expect.arrayContaining(["3 networks, 5 endpoints, 3 namespaces", "pods", "storage", "pods_ep", "storage_ep"]));
  });

  it("lists networks", async () => {
    expect((await succeed("network", "list")).split("\n").map((line) => line.split(/ {2,}/).slice(1))).toEqual([
      ["TYPE", "SUBNETS", "ENDPOINTS", "OWNER"],
      ["NAT", "-", "0", "foreign"],
      ["L2Bridge", "10.244.3.0/24", "3", "ours"],
      ["L2Bridge", "10.245.3.0/24", "2", "ours"],
      [],
    ]);
  });

  it("compares a network with its configuration", async () => {
    const file = join(node.stateDir, "conf.json");
    writeFileSync(file, JSON.stringify(README_LIST));
    expect(await succeed("network", "show", "pods", "--conf", program.path(file))).toMatch(/\nas .*conf\.json wants it\n$/);
    writeFileSync(file, JSON.stringify(STORAGE));
    const differing = await ask(["network", "show", "storage", "--conf", program.path(file)]);
    expect(differing).toMatchObject({ code: 1, stderr: "" });
    expect(differing.stdout).toContain("\n  subnet is 10.245.3.0/24, wanted 10.244.3.0/24 (ipam.cidr)\n");
  });

  it("fails with one error when HNS does not answer in time, and ends", async () => {
    const { id } = await node.emulator.addFault({ call: "HcnEnumerateEndpoints", kind: "hang" });
    const outcome = await ask(["topology", "--timeout", "1"]);
    await node.emulator.clearFaults(id);
    expect(outcome).toMatchObject({ code: 1, stdout: "" });
    expect(outcome.stderr).toMatch(/^hns-cni: HNS did not answer "enumerate endpoints" within \S+ s[^\n]*\n[^\n]+\n$/);
  });

  it("fails with one error when HNS cannot be reached", async () => {
    const { code, stdout, stderr } = await ask(["topology"], { HNS_EMULATOR_ADDRESS: "127.0.0.1:1" });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^hns-cni: HNS refused "enumerate networks" with 0x800706ba [^\n]*\n[^\n]+\n$/);
  });

  it("tells of a state that is damaged, and shows HNS all the same", async () => {
    const fresh = new CniNode(program, node.emulator, README_LIST);
    writeFileSync(join(fresh.stateDir, "state.db"), "this is no database, and much longer than a header of one would be ".repeat(20));
    const outcome = await program.run(
      { args: ["topology", "--charset", "ascii", "--state-dir", program.path(fresh.stateDir)], env: {}, stdin: "" },
      node.emulator.address,
    );
    rmSync(fresh.stateDir, { recursive: true });
    expect(outcome).toMatchObject({ code: 0, stderr: "" });
    expect(outcome.stdout).toMatch(/\|- network pods {2}L2Bridge on Ethernet\n[^]*`- remarks\n {3}`- what is ours is not known: /);
  });

  it("shows an empty node as one", async () => {
    await node.renew();
    const { code, stdout } = await node.program.run({ args: ["topology"], env: {}, stdin: "" }, node.emulator.address);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "node: 0 networks, 0 endpoints, 0 namespaces\n" });
  });
});

describeUnless(packagedReason(), "topology where there is no HNS", () => {
  it("fails with one error that says what is missing", async () => {
    const { code, stdout, stderr } = await runPackaged({ args: ["topology"], env: {} });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^hns-cni: there is no Host Networking Service on Linux[^\n]*\nset HNS_CNI_HCN_LIBRARY [^\n]*\n$/);
  });
});
