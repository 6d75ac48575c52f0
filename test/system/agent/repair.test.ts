/** What the agent puts right for pods that a plugin working alone has attached, and what it tells instead. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, type Pod } from "../../support/cni-node.ts";
import { endpointsOf, expectNothingLeft } from "../../support/leftovers.ts";
import { describeProgram, linux } from "../../support/programs.ts";

jest.setTimeout(60_000);

interface Entry {
  readonly action: string;
  readonly outcome: string;
  readonly subject: string;
}

describeProgram(linux, "the agent after plugins that worked alone", () => {
  let node: CniNode;
  let agent: AgentProcess;

  beforeAll(async () => {
    node = await CniNode.start(linux);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());
  afterEach(() => agent.end("SIGKILL"));

  async function start(reconcile: object = {}): Promise<void> {
    const config = { reconcile: { intervalSeconds: 1, graceSeconds: 0, ...reconcile } };
    agent = await AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, config });
  }

  async function add(config: object = {}): Promise<Pod> {
    const pod = await node.makePod();
    await node.add(pod, { config: { ...config } });
    return pod;
  }

  async function inHns(): Promise<unknown[]> {
    const own = (await node.emulator.endpoints()).filter(({ name }) => name !== `${node.list.name}_ep`);
    return own.map(({ id, name, addresses, mac, namespace, document }) => [id, name, addresses, mac, namespace, document["Policies"]]);
  }

  /** The endpoint of the pod is gone from HNS. */
  async function loseEndpoint(pod: Pod): Promise<void> {
    for (const { id } of await endpointsOf(node, pod)) await node.emulator.deleteEndpoint(id);
  }

  it("makes the endpoint again that such a plugin made, as it was", async () => {
    const pod = await add();
    const before = await inHns();
    await loseEndpoint(pod);
    await start();
    await agent.waitFor("endpoint made again");
    await agent.looks(1);
    expect(await inHns()).toEqual(before);
    await agent.end();
    await node.callSilently("CHECK", pod, { prevResult: await node.add(pod) });
    await node.callSilently("DEL", pod);
    await expectNothingLeft(node);
  });

  it("makes a network again whose mode only HNS told", async () => {
    const pods = [await add(), await add({ mode: undefined })];
    const [network] = await node.emulator.networks();
    const before = await inHns();
    await node.emulator.deleteNetwork(network?.id ?? "");
    await start();
    await agent.looks(2);
    expect((await node.emulator.networks()).map(({ id, type, subnets }) => [id, type, subnets])).toEqual([
      [network?.id, network?.type, network?.subnets],
    ]);
    expect(await inHns()).toEqual(expect.arrayContaining(before));
    await agent.end();
    for (const pod of pods) await node.callSilently("DEL", pod);
    await expectNothingLeft(node);
  });

  it("puts changed policies back and leaves those of others; routes are told with the remedy", async () => {
    const pod = await add();
    const [endpoint] = await endpointsOf(node, pod);
    const policies = (endpoint?.document["Policies"] ?? []) as object[];
    const change = (RequestType: string, Policies: readonly object[]): Promise<void> =>
      node.emulator.modifyEndpoint(endpoint?.id ?? "", { ResourceType: "Policy", RequestType, Settings: { Policies } });
    const foreign = { Type: "SDNRoute", Settings: { DestinationPrefix: "10.200.0.0/16", NeedEncap: true } };
    await change("Remove", policies);
    await change("Add", [foreign, { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: false } }]);
    await start();
    await agent.looks(2);
    const texts = (list: readonly unknown[]): string[] => list.map((entry) => JSON.stringify(entry)).sort();
    const after = ((await endpointsOf(node, pod))[0]?.document["Policies"] ?? []) as object[];
    expect(texts(after)).toEqual(texts([...policies, foreign]));
    const snapshot = JSON.stringify(await node.emulator.snapshot());
    await node.emulator.restore(JSON.parse(snapshot.replaceAll('"destination":"0.0.0.0/0"', '"destination":"10.9.0.0/16"')) as never);
    await node.emulator.restart(); // so that the next look reads all
    await agent.waitFor("delete the pod so that it is attached anew");
    expect((await endpointsOf(node, pod)).map(({ id }) => id)).toEqual([endpoint?.id]);
  });

  it("a dry run lists what the looks to come do", async () => {
    const config = { ipam: { type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: 0 } };
    const [lost, gone, both] = [await add(config), await add(config), await add(config), await add(config)];
    for (const pod of [lost, both]) await loseEndpoint(pod);
    for (const pod of [gone, both]) await node.emulator.deleteNamespace(pod.netns);
    const before = [await inHns(), node.state().addresses];
    await start({ dryRun: true });
    const planned = await agent.query<readonly Entry[]>("reconcile");
    await agent.end();
    expect([await inHns(), node.state().addresses]).toEqual(before);
    await start();
    await agent.looks(4);
    const done = agent.stderr.split("\n").flatMap((line) => {
      const entry = line.startsWith("{") ? (JSON.parse(line) as Entry & { message: string }) : undefined;
      return entry?.message === "repair" && entry.outcome === "done" ? [`${entry.action} of ${entry.subject}`] : [];
    });
    expect(planned.map(({ outcome }) => outcome)).toEqual(["planned", "planned", "planned"]);
    expect(done.sort()).toEqual(planned.map(({ action, subject }) => `${action} of ${subject}`).sort());
    expect(planned.map(({ action }) => action).sort()).toEqual(["endpoint", "leak", "orphan"]);
  });

  it("state that was lost is learned again where HNS chose the addresses, and pods are repaired from then on", async () => {
    const config = { mode: "nat", subnet: "10.244.3.0/24", ipam: undefined };
    const pods = [await node.makePod(), await node.makePod()];
    const results = [];
    for (const pod of pods) results.push(await node.add(pod, { config }));
    const before = await inHns();
    for (const file of ["state.db", "state.db-wal", "state.db-shm", "state.db-checked"]) rmSync(join(node.stateDir, file), { force: true });
    for (const [index, pod] of pods.entries()) expect((await node.add(pod, { config })).ips).toEqual(results[index]?.ips);
    expect(await inHns()).toEqual(before);
    for (const pod of pods) await loseEndpoint(pod);
    await start();
    await agent.looks(2);
    expect(await inHns()).toEqual(expect.arrayContaining(before));
    expect(node.state().attachments.map(({ phase }) => phase)).toEqual(["attached", "attached"]);
  });
});
