/** The agent brings HNS and the state together: after a start of HNS or of the machine, and when it finds what another agent left. */
import type { AgentStatus } from "../../../src/service/agent/admin-protocol.ts";
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, type Pod } from "../../support/cni-node.ts";
import { endpointsOf } from "../../support/leftovers.ts";
import { type CniProgram, describeProgram, linux } from "../../support/programs.ts";

jest.setTimeout(60_000);

const FOREIGN_SUBNET = { IpAddressPrefix: "10.77.0.0/24", Routes: [{ NextHop: "10.77.0.1", DestinationPrefix: "0.0.0.0/0" }] };

describeProgram(linux, "the agent's reconciler", () => {
  let node: CniNode;
  let agent: AgentProcess;
  let foreign: unknown;
  const overSocket: CniProgram = { ...linux, name: "the agent", run: (call) => agent.call(call) };

  beforeAll(async () => {
    node = await CniNode.start(overSocket);
  });
  afterAll(() => node.close());
  beforeEach(async () => {
    await node.renew();
    await makeForeign();
    foreign = await readForeign();
    agent = await start();
  });
  afterEach(() => agent.end("SIGKILL"));

  const start = (reconcile: object = {}): Promise<AgentProcess> =>
    AgentProcess.start({
      address: node.emulator.address,
      stateDir: node.stateDir,
      config: { reconcile: { intervalSeconds: 1, graceSeconds: 0, ...reconcile } },
    });

  /** A network of somebody else with an endpoint, and one of theirs on ours would be told by its name alone. */
  async function makeForeign(): Promise<void> {
    const network = await node.emulator.createNetwork({
      Name: "theirs",
      Type: "Transparent",
      Flags: 0,
      Ipams: [{ Type: "Static", Subnets: [FOREIGN_SUBNET] }],
      Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }],
    });
    await node.emulator.createEndpoint(network.ID, { Name: `stray_${node.list.name}` });
    await node.emulator.createEndpoint(network.ID, { Name: "theirs" });
  }

  async function readForeign(): Promise<unknown> {
    const networks = (await node.emulator.networks()).filter(({ name }) => name === "theirs");
    const endpoints = (await node.emulator.endpoints()).filter(({ networkName }) => networkName === "theirs");
    return { networks, endpoints };
  }

  async function own(): Promise<unknown> {
    const endpoints = (await node.emulator.endpoints()).filter(({ networkName }) => networkName === node.list.name);
    return endpoints.map(({ id, name, addresses, mac, namespace, hostCompartment, document }) => {
      return { id, name, addresses, mac, namespace, hostCompartment, policies: document["Policies"], routes: document["Routes"] };
    });
  }

  async function attachTwo(): Promise<Pod[]> {
    const pods = [await node.makePod(), await node.makePod()];
    for (const pod of pods) await node.add(pod);
    return pods;
  }

  it("HNS is started anew and has lost its endpoints: pods that run get theirs back as they were, by themselves", async () => {
    const pods = await attachTwo();
    const before = await own();
    await node.emulator.restart({ loseEndpoints: true });
    await agent.waitFor("hns was started anew");
    await agent.looks(1);
    expect(await own()).toEqual(expect.arrayContaining(before as unknown[]));
    for (const pod of pods) {
      await node.callSilently("CHECK", pod, { prevResult: await node.add(pod) });
      await node.callSilently("DEL", pod);
    }
    expect((await own()) as unknown[]).toHaveLength(1); // the node's own
  });

  it("HNS is started anew and has lost nothing: nothing is touched, not ours and not that of others", async () => {
    await attachTwo();
    const before = await own();
    await node.emulator.restart();
    await node.emulator.clearCalls();
    await agent.waitFor("hns was started anew");
    await agent.looks(1);
    expect(await own()).toEqual(before);
    expect(await readForeign()).toEqual(foreign);
    const names = (await node.emulator.calls()).map(({ name }) => name);
    expect(names.filter((name) => /Create|Delete/.test(name))).toEqual([]);
  });

  it("the machine starts anew and our network is gone: it is there again with its host endpoint, and what died gives its addresses back", async () => {
    await agent.end("SIGKILL");
    const conf = { ipam: { type: "hns-cni", cidr: "10.244.3.0/24", reclaimGraceSeconds: 1 } };
    agent = await start();
    const pods = [await node.makePod(), await node.makePod()];
    for (const pod of pods) await node.add(pod, { config: conf });
    const before = (await node.emulator.networks()).find(({ name }) => name === node.list.name);
    await agent.end("SIGKILL");
    await node.emulator.reboot();
    await node.emulator.deleteNetwork(before?.id ?? "");
    foreign = await readForeign();
    agent = await start();
    await agent.looks(1);
    expect((await node.emulator.networks()).find(({ name }) => name === node.list.name)).toMatchObject({
      id: before?.id,
      type: before?.type,
      subnets: before?.subnets,
      adapter: before?.adapter,
    });
    expect(await own()).toMatchObject([{ name: `${node.list.name}_ep`, hostCompartment: 1 }]);
    while (node.state().addresses.some(({ state }) => state === "assigned")) await agent.looks(1);
    expect(node.state().attachments.map(({ phase }) => phase)).toEqual(["gone", "gone"]);
    expect(await readForeign()).toEqual(foreign);
    await node.add(await node.makePod(), { config: conf });
  });

  it("the management address becomes 169.254: nothing is destroyed", async () => {
    const pods = await attachTwo();
    const before = await own();
    await node.emulator.set({ managementIp: "link-local" });
    await node.emulator.restart();
    await agent.waitFor("hns was started anew");
    await agent.looks(3);
    expect(await own()).toEqual(before);
    expect(await readForeign()).toEqual(foreign);
    await node.emulator.set({ managementIp: "adapter" });
    await agent.looks(1);
    expect(await own()).toEqual(before);
    for (const pod of pods) await node.callSilently("CHECK", pod, { prevResult: await node.add(pod) });
  });

  it("HNS that is not there for a while costs nothing", async () => {
    await attachTwo();
    const before = await own();
    await node.emulator.addFault({ call: "*", kind: "fail", hresult: 0x800706ba });
    await agent.waitFor("look at hns given up");
    await node.emulator.clearFaults();
    const look = await agent.looks(3);
    expect(look?.entries).toEqual([]);
    expect(await own()).toEqual(before);
    expect(await readForeign()).toEqual(foreign);
  });

  it("a dry run says what would be done, and does nothing", async () => {
    await agent.end("SIGKILL");
    agent = await start({ dryRun: true });
    const [pod] = await attachTwo();
    const endpoint = pod === undefined ? undefined : (await endpointsOf(node, pod))[0];
    await node.emulator.deleteEndpoint(endpoint?.id ?? "");
    const entries = await agent.query<readonly unknown[]>("reconcile");
    expect(entries).toMatchObject([{ action: "endpoint", outcome: "planned", subject: `${pod?.containerId ?? ""} eth0` }]);
    expect((await agent.looks(2))?.entries).toEqual(entries);
    expect(pod === undefined ? [] : await endpointsOf(node, pod)).toEqual([]);
  });

  it("an address that an endpoint of somebody else has is passed over, without HNS having to refuse it", async () => {
    await attachTwo();
    const network = (await node.emulator.networks()).find(({ name }) => name === node.list.name);
    const IpConfigurations = [{ IpAddress: "10.244.3.5", PrefixLength: 24 }];
    await node.emulator.createEndpoint(network?.id ?? "", { Name: "theirs", IpConfigurations });
    await agent.looks(1);
    await node.emulator.clearCalls();
    expect((await node.add(await node.makePod())).ips.map(({ address }) => address)).toEqual(["10.244.3.6/24"]);
    expect((await node.emulator.calls()).filter(({ name }) => name === "HcnCreateEndpoint")).toHaveLength(1);
    expect(node.state().addresses.map(({ state }) => state)).not.toContain("quarantined");
  });

  it("counts what it did, and the endpoints that it saw", async () => {
    await agent.end("SIGKILL");
    const config = { metrics: { enabled: true, port: 0 }, reconcile: { intervalSeconds: 1, graceSeconds: 0 } };
    agent = await AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, config });
    const [pod] = await attachTwo();
    const endpoint = pod === undefined ? undefined : (await endpointsOf(node, pod))[0];
    await node.emulator.deleteEndpoint(endpoint?.id ?? "");
    await agent.waitFor("endpoint made again");
    await agent.looks(1);
    expect(await agent.metric('hns_cni_reconcile_actions_total{action="endpoint",outcome="done"}')).toBe(1);
    expect(await agent.metric(`hns_cni_endpoints{network="${node.list.name}",state="standing"}`)).toBe(2);
  });

  describe("with HNS's callback and polls that never come", () => {
    const hns = { pollSeconds: 86_400, callbackPollSeconds: 86_400 };
    const reconcile = { intervalSeconds: 86_400, graceSeconds: 0 };

    beforeEach(async () => {
      await agent.end();
      agent = await startWith(hns);
    });

    const startWith = (more: object): Promise<AgentProcess> =>
      AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, config: { logLevel: "debug", hns: more, reconcile } });

    const callbacks = async (): Promise<unknown[]> => (await node.emulator.handles()).filter(({ kind }) => kind === "callback");

    it("each start of HNS is told by HNS: pods get their endpoints back as they were", async () => {
      const pods = await attachTwo();
      await agent.waitFor("hns callback registered");
      const before = await own();
      for (let i = 1; i <= 3; i++) {
        await node.emulator.restart({ loseEndpoints: true });
        while (agent.stderr.split("endpoint made again").length <= i * pods.length) await agent.query("status");
        expect(await own()).toEqual(expect.arrayContaining(before as unknown[]));
      }
      expect(agent.stderr.split('"hns went away"')).toHaveLength(4);
      expect(await agent.query("status")).toMatchObject({ hnsCallback: true });
      expect(await agent.end()).toBe(0);
      expect(await callbacks()).toEqual([]);
    });

    it("what the agent itself does to HNS is told too, and causes no look", async () => {
      await agent.waitFor("hns callback registered");
      const first = (await agent.query<AgentStatus>("status")).reconcile;
      const pod = await node.makePod();
      await node.add(pod);
      await agent.waitFor('"name":"endpoint attached"');
      await node.callSilently("DEL", pod);
      await agent.waitFor('"name":"endpoint detached"');
      expect(agent.stderr).toContain('"name":"network create"');
      expect((await agent.query<AgentStatus>("status")).reconcile?.at).toBe(first?.at);
    });

    it("an HNS that hangs at the registration delays neither start nor end, and keeps one thread", async () => {
      await agent.end();
      await node.emulator.clearCalls();
      await node.emulator.addFault({ call: "HcnRegisterServiceCallback", kind: "hang" });
      agent = await startWith(hns);
      const pod = await node.makePod();
      await node.callSilently("CHECK", pod, { prevResult: await node.add(pod) });
      expect(await agent.end()).toBe(0);
      expect((await node.emulator.counts())["HcnRegisterServiceCallback"]).toBe(1);
    });

    it("an HNS that hangs at the end of the registration does not keep the agent", async () => {
      await agent.waitFor("hns callback registered");
      await node.emulator.addFault({ call: "HcnUnregisterServiceCallback", kind: "hang" });
      expect(await agent.end()).toBe(0);
    });

    it("without the callback HNS is asked instead", async () => {
      await agent.end();
      await node.emulator.clearCalls();
      agent = await startWith({ callback: false, pollSeconds: 1 });
      await node.emulator.restart();
      await agent.waitFor("hns was started anew");
      expect(await agent.query("status")).toMatchObject({ hnsCallback: false });
      expect(Object.keys(await node.emulator.counts())).not.toContain("HcnRegisterServiceCallback");
    });
  });
});
