/** Making the first network on a card: what the uplink goes through, and what of it is put right. */
import { normalise } from "../../../../../src/core/config/normalise.ts";
import type { Settings } from "../../../../emulator/model/world.ts";
import { buildRaw, NETWORK } from "../../../../support/engine-fixture.ts";
import { CARD, PrepareNode, type RunChanges, SWITCH } from "../../../../support/prepare-node.ts";

let node: PrepareNode;

afterEach(() => node.close());

async function failure(changes: RunChanges = {}): Promise<unknown> {
  return await node.prepare(changes).then(
    (report) => report,
    (thrown: unknown) => thrown,
  );
}

/** The whole uplink on its carrier, whatever it is called. */
const WHOLE = {
  addresses: [{ address: "10.0.0.4/24", origin: "static" }],
  routes: [{ destination: "0.0.0.0/0", nextHop: "10.0.0.1" }, CARD.routes?.[0]],
  dns: CARD.dns,
};

function expectWhole(name: string): void {
  const found = node.uplinks().find((uplink) => uplink.name === name);
  expect(found).toMatchObject({ addresses: WHOLE.addresses, dns: WHOLE.dns });
  expect(found?.routes.map(({ destination }) => destination).sort()).toEqual(["0.0.0.0/0", "169.254.169.254/32"]);
}

/** Nothing is left of an attempt. */
function expectAsBefore(): void {
  expect(node.networks()).toEqual([]);
  expectWhole("Ethernet");
  expect(node.snapshot).toBeUndefined();
}

describe("a switch that takes everything over", () => {
  test("is told as prepared, with the uplink before and after, and no snapshot is left", async () => {
    node = new PrepareNode();
    const report = await node.prepare();
    expect(report).toMatchObject({
      outcome: "prepared",
      network: NETWORK,
      adapter: "Ethernet",
      isResumed: false,
      before: { name: "Ethernet", ...WHOLE },
      after: { name: SWITCH, ...WHOLE },
      gateways: ["10.0.0.1"],
      restored: [],
      missing: [],
      changes: [],
    });
    expect(node.networks()).toEqual([NETWORK]);
    expect(node.snapshot).toBeUndefined();
    expect(node.engine.model.handles.list()).toEqual([]);
  });

  test("the snapshot is on disk before HNS is asked to make anything", async () => {
    node = new PrepareNode();
    node.engine.model.faults.add({ call: "HcnCreateNetwork", kind: "kill" });
    await failure();
    expect(JSON.parse(node.snapshot ?? "")).toMatchObject({
      version: 1,
      network: NETWORK,
      uplink: { name: "Ethernet", ...WHOLE },
      gateways: ["10.0.0.1"],
    });
    expect(node.networks()).toEqual([]);
  });

  test("the network is ours from then on, and the first ADD uses it", async () => {
    node = new PrepareNode();
    await node.prepare();
    expect(node.engine.store.read((tx) => tx.findNetwork(NETWORK))).toMatchObject({ isOurs: true, isCreating: false });
    node.engine.clearCalls();
    await node.engine.add(node.engine.pod("c1"));
    expect(node.engine.calls()).not.toContain("HcnCreateNetwork");
  });

  test("HNS is told the card, so that it does not choose another", async () => {
    node = new PrepareNode({ adapters: [{ name: "Spare", address: "192.168.9.4/24", mac: "00-0D-3A-00-00-05" }, CARD] });
    expect(await node.prepare()).toMatchObject({ adapter: "Ethernet" });
    expect([...node.engine.model.world.networks.values()].map(({ adapter }) => adapter)).toEqual(["Ethernet"]);
  });
});

const TROUBLES: readonly (readonly [string, Partial<Settings>, readonly string[]])[] = [
  ["routes", { vSwitchLosesRoutes: true }, ["route 169.254.169.254/32 via 10.0.0.1"]],
  ["name servers", { vSwitchLosesDns: true }, ["name servers 10.0.0.53"]],
  [
    "the static address, for one that Windows made up",
    { managementIp: "link-local" },
    ["address 10.0.0.4/24", "default route via 10.0.0.1"],
  ],
  ["the static address", { managementIp: "none" }, ["address 10.0.0.4/24", "default route via 10.0.0.1"]],
  [
    "the static address to DHCP",
    { vSwitchMakesDhcp: true },
    ["address 10.0.0.4/24", "default route via 10.0.0.1", "name servers 10.0.0.53"],
  ],
];

describe("a switch that loses something", () => {
  test.each(TROUBLES)("%s: it is restored", async (_, settings, restored) => {
    node = new PrepareNode(settings);
    expect(await node.prepare()).toMatchObject({ outcome: "prepared", restored, missing: [] });
    expectWhole(SWITCH);
    expect(node.snapshot).toBeUndefined();
    for (const what of restored) expect(node.lines).toContain(`${SWITCH}: restored ${what}`);
  });

  test("interfaces that are not told for a moment, after the addresses were seen, are no lost connection", async () => {
    node = new PrepareNode();
    await node.prepare({ dryRun: true });
    const before = node.steps.length;
    node.stepFault = { at: before + 3, kind: "fail" }; // after the write of the snapshot and the first look
    expect(await node.prepare()).toMatchObject({ outcome: "prepared" });
    expect(node.steps.slice(before, before + 3)).toEqual(["write", "list", "list"]);
    expect(node.networks()).toEqual([NETWORK]);
  });

  test("name servers that a DHCP server gave are left to it, and told", async () => {
    node = new PrepareNode({}, { dhcp: true });
    const { model } = node.engine;
    const call = model.call.bind(model);
    model.call = (name, args, caller) => {
      if (model.world.switches.size > 0) model.world.hostDns = [{ interface: SWITCH, servers: ["10.0.0.99"] }];
      return call(name, args, caller);
    };
    const changes = ["the name servers are 10.0.0.99, and were 10.0.0.53"];
    expect(await node.prepare()).toMatchObject({ outcome: "prepared", restored: [], changes });
  });

  test("a leased address is waited for, not written by hand, while it may still come", async () => {
    node = new PrepareNode({ managementIp: "link-local-first", managementIpDelayMs: 60_000 }, { dhcp: true });
    expect(await node.prepare()).toMatchObject({ outcome: "prepared", restored: [] });
    expect(node.carrier()?.addresses).toEqual([{ address: "10.0.0.4/24", origin: "dhcp" }]);
  });

  test("a leased address that does not come within the timeout is written by hand", async () => {
    node = new PrepareNode({ managementIp: "link-local" }, { dhcp: true });
    const report = await node.prepare({ timeoutMs: 20_000 });
    expect(report).toMatchObject({ outcome: "prepared", restored: ["address 10.0.0.4/24 (leased before)", "default route via 10.0.0.1"] });
    expect(node.carrier()?.addresses).toEqual([{ address: "10.0.0.4/24", origin: "dhcp" }]);
  });

  test("a static address that does not come is not waited for to the end of the timeout", async () => {
    node = new PrepareNode({ managementIp: "none" });
    const begin = node.engine.clock.now();
    await node.prepare({ timeoutMs: 120_000 });
    expect(node.engine.clock.now() - begin).toBeLessThan(20_000);
  });

  test("what cannot be given back is told, and the snapshot stays for the next prepare, which does it", async () => {
    node = new PrepareNode({ vSwitchLosesDns: true });
    const { model } = node.engine;
    const call = model.call.bind(model);
    const refused = { hresult: 0x80070005, handle: 0, output: null, errorRecord: null };
    model.call = (name, args, caller) => ((args[0] ?? "").includes("set-dns") ? refused : call(name, args, caller));
    expect(await node.prepare()).toMatchObject({ outcome: "incomplete", missing: ["name servers 10.0.0.53"], restored: [] });
    expect(node.networks()).toEqual([NETWORK]);
    expect(node.snapshot).toBeDefined();
    model.call = call;
    expect(await node.prepare()).toMatchObject({ outcome: "prepared", isResumed: true, restored: ["name servers 10.0.0.53"] });
    expectWhole(SWITCH);
    expect(node.snapshot).toBeUndefined();
  });
});

describe("a connection that does not come back", () => {
  test.each([
    ["the gateway does not answer", { gatewayAnswers: "without-switch" }],
    ["nor do routes and name servers come back", { gatewayAnswers: "without-switch", vSwitchLosesRoutes: true, vSwitchLosesDns: true }],
    ["the address is leased", { gatewayAnswers: "without-switch", managementIp: "link-local" }],
  ] as const)("%s: the network is taken away and the card restored", async (_, settings) => {
    node = new PrepareNode(settings);
    expect(await failure()).toMatchObject({
      code: "NETWORK_NOT_READY",
      message: expect.stringContaining("the uplink is as it was") as unknown,
    });
    expectAsBefore();
    expect(node.engine.store.read((tx) => tx.findNetwork(NETWORK))).toMatchObject({ isOurs: false, isCreating: false });
  });

  test("the card is known among others with its MAC address, as a virtual function has it", async () => {
    const functionOfCard = { name: "Ethernet 2", address: "169.254.7.7/16" };
    node = new PrepareNode({ gatewayAnswers: "without-switch", adapters: [functionOfCard, CARD] });
    expect(await failure()).toMatchObject({ message: expect.stringContaining("the uplink is as it was") as unknown });
    expectAsBefore();
  });

  test("also where HNS chose the network's id", async () => {
    node = new PrepareNode({ gatewayAnswers: "without-switch", ignoreCallerIds: true });
    expect(await failure()).toMatchObject({ code: "NETWORK_NOT_READY" });
    expectAsBefore();
  });

  test("a pod that came meanwhile keeps the network, and what is wrong is told", async () => {
    node = new PrepareNode({ gatewayAnswers: "without-switch" });
    const sleep = node.engine.clock.sleep.bind(node.engine.clock);
    node.engine.clock.sleep = async (ms) => {
      node.engine.clock.sleep = sleep;
      node.engine.foreignEndpoint("web-0", "10.244.3.9");
      await sleep(ms);
    };
    expect(await failure()).toMatchObject({
      code: "NETWORK_NOT_READY",
      message: expect.stringContaining("it is in use by web-0") as unknown,
    });
    expect(node.networks()).toEqual([NETWORK]);
    expect(node.snapshot).toBeDefined();
  });

  test("an interruption takes back what was begun", async () => {
    node = new PrepareNode({ managementIpDelayMs: 60_000, vSwitchLosesRoutes: true });
    expect(await failure({ interruptAt: "waiting for the addresses" })).toMatchObject({
      code: "NETWORK_NOT_READY",
      message: expect.stringContaining("interrupted") as unknown,
    });
    expectAsBefore();
  });

  test("an interruption that comes when all is well again changes nothing", async () => {
    node = new PrepareNode();
    expect(await node.prepare({ interruptAt: "waiting for the addresses" })).toMatchObject({ outcome: "prepared" });
  });
});

describe("nothing to do", () => {
  test("a network of the name stands", async () => {
    node = new PrepareNode();
    await node.prepare();
    const before = node.uplinks();
    node.engine.clearCalls();
    expect(await node.prepare()).toMatchObject({ outcome: "standing", network: NETWORK, adapter: "Ethernet", after: { name: SWITCH } });
    expect(node.uplinks()).toEqual(before);
    expect(node.engine.calls().filter((name) => /Create|Delete|Modify/.test(name))).toEqual([]);
  });

  test("a network of somebody else stands on the card", async () => {
    node = new PrepareNode();
    node.engine.foreignNetwork({ Name: "External" });
    expect(await node.prepare()).toMatchObject({ outcome: "standing", network: "External", adapter: "Ethernet" });
    expect(node.networks()).toEqual(["External"]);
    expect(node.snapshot).toBeUndefined();
  });

  test("a network that stands on no card is not in the way", async () => {
    node = new PrepareNode();
    node.engine.foreignNetwork({ Name: "nat", Type: "NAT" });
    expect(await node.prepare()).toMatchObject({ outcome: "prepared" });
  });
});

describe("a network of the name that brings no switch to the card", () => {
  test.each([
    ["it stands on no card", { Type: "NAT" }, {}, "Type is NAT"],
    [
      "it stands on another card",
      { Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }] },
      { adapter: "Spare" },
      'adapter is "Ethernet", wanted "Spare"',
    ],
  ] as const)("%s: a mismatch is told", async (_, document, raw, difference) => {
    node = new PrepareNode({ adapters: [CARD, { name: "Spare", address: "192.168.9.4/24", mac: "00-0D-3A-00-00-05" }] });
    node.engine.foreignNetwork({ Name: NETWORK, ...document });
    const { config } = normalise(buildRaw(raw));
    expect(await failure({ config })).toMatchObject({ code: "NETWORK_MISMATCH", message: expect.stringContaining(difference) as unknown });
    expect(node.snapshot).toBeUndefined();
  });
});

describe("refused before anything is made", () => {
  const second = { name: "Ethernet 2", address: "10.1.0.4/24", gateway: "10.1.0.1", mac: "00-0D-3A-00-00-05" };
  const config = (changes: object) => ({ config: normalise(buildRaw(changes as Record<string, unknown>)).config });

  afterEach(() => {
    expect(node.snapshot).toBeUndefined();
    expect(node.engine.calls()).not.toContain("HcnCreateNetwork");
  });

  test.each([
    ["several cards with a default route", { adapters: [CARD, second] }, {}, "INVALID_CONFIG", '"Ethernet", "Ethernet 2"'],
    ["no card", { adapters: [] }, {}, "NETWORK_NOT_READY", "no network card"],
    ["a card that is not there", {}, config({ adapter: "Ethernet 7" }), "NETWORK_NOT_READY", '"Ethernet 7"'],
    ["a mode without a switch", {}, config({ mode: "nat" }), "INVALID_CONFIG", '"nat"'],
  ] as const)("%s", async (...[, settings, changes, code, named]) => {
    node = new PrepareNode(settings as Partial<Settings>);
    expect(await failure(changes)).toMatchObject({ code, message: expect.stringContaining(named) as unknown });
  });

  test("the adapter of the configuration chooses among several, in any case", async () => {
    node = new PrepareNode({ adapters: [CARD, second] });
    expect(await node.prepare({ ...config({ adapter: "ethernet 2" }), dryRun: true })).toMatchObject({ adapter: "Ethernet 2" });
  });

  test("an interruption before the snapshot", async () => {
    node = new PrepareNode({ gatewayAnswers: "never" });
    expect(await failure({ interruptAt: "no gateway answers now" })).toMatchObject({ code: "NETWORK_NOT_READY" });
  });
});

test("where no gateway answers before, none is waited for after", async () => {
  node = new PrepareNode({ gatewayAnswers: "never" });
  expect(await node.prepare()).toMatchObject({ outcome: "prepared", gateways: [] });
});

test("a dry run tells snapshot, document and plan, and changes nothing", async () => {
  node = new PrepareNode();
  const before = node.uplinks();
  const report = await node.prepare({ dryRun: true });
  expect(report).toMatchObject({
    outcome: "planned",
    before: WHOLE,
    document: { Name: NETWORK, Type: "L2Bridge" },
    gateways: ["10.0.0.1"],
  });
  expect(report.document?.Policies).toContainEqual({ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } });
  expect(report.plan).toHaveLength(6);
  expect(node.uplinks()).toEqual(before);
  expect(node.networks()).toEqual([]);
  expect(node.snapshot).toBeUndefined();
  expect(node.engine.store.read((tx) => tx.listNetworks())).toEqual([]);
});

test("a dry run beside a snapshot of before tells what is missing, and leaves it", async () => {
  node = new PrepareNode({ vSwitchLosesDns: true });
  node.engine.model.faults.add({ call: "HcnCreateNetwork", kind: "kill-after" });
  await failure();
  node.engine.model.faults.clear();
  const { snapshot } = node;
  expect(await node.prepare({ dryRun: true })).toMatchObject({ outcome: "planned", missing: ["name servers 10.0.0.53"] });
  expect(node.snapshot).toBe(snapshot);
  expect(node.carrier()?.dns).toEqual([]);
});

test("a dry run beside a snapshot of a card that is not here says that nothing can be done", async () => {
  node = new PrepareNode();
  node.engine.model.faults.add({ call: "HcnCreateNetwork", kind: "kill" });
  await failure();
  node.engine.model.faults.clear();
  node.snapshot = node.snapshot?.replaceAll(/00:0d:3a:00:00:04/gi, "00:0d:3a:00:00:99");
  const { plan } = (await node.prepare({ dryRun: true })) as { plan: readonly string[] };
  expect(plan.at(-1)).toBe("nothing: the machine has no card with MAC address 00:0d:3a:00:00:99");
});

test.each(["", "[]", '{"version":2}', '{"version":1,"takenAt":"","network":"x","gateways":[],"uplink":{"name":"e"}}'])(
  "a snapshot that cannot be read stops everything: %s",
  async (text) => {
    node = new PrepareNode();
    node.snapshot = text;
    expect(await failure()).toMatchObject({ code: "IO_FAILURE" });
    expect(node.networks()).toEqual([]);
    expect(node.snapshot).toBe(text);
  },
);
