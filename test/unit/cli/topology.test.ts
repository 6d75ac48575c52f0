import { type TopologyArguments, showTopology } from "../../../src/cli/topology.ts";
import { networkId } from "../../../src/core/engine/attachment.ts";
import { EngineFixture, NETWORK } from "../../support/engine-fixture.ts";
import { ModelBackend } from "../../emulator/model-backend.ts";
import { createNetwork } from "../../emulator/model/networks.ts";
import { FakeWorld } from "./fake-world.ts";

const ZERO = "00000000-0000-0000-0000-000000000000";
const FOREIGN = "11111111-0000-4000-8000-000000000001";
const CONTAINER = "0".repeat(64);

const ask = (changes: Partial<TopologyArguments> = {}): TopologyArguments => ({
  network: undefined,
  charset: undefined,
  stateDir: undefined,
  timeout: 30,
  output: "tree",
  ...changes,
});

describe("topology", () => {
  let node: EngineFixture;
  let world: FakeWorld;

  beforeEach(async () => {
    node = new EngineFixture();
    const pod = node.pod(CONTAINER);
    await node.add(pod);
    createNetwork(node.model.world, FOREIGN, { Name: "other", Type: "NAT" });
    world = new FakeWorld();
    world.hns = new ModelBackend(node.model);
    world.states.set(world.defaultStateDir, node.store);
  });

  afterEach(() => node.close());

  it("shows all networks, and which are ours", async () => {
    expect(await showTopology(world, ask())).toBe(0);
    const [namespace] = node.podEndpoints().map((endpoint) => endpoint.namespace?.toLowerCase() ?? "");
    expect(world.out).toBe(`node: 2 networks, 2 endpoints, 1 namespace
├─ network other  NAT  [foreign]
│  └─ id ${FOREIGN}
└─ network pods  L2Bridge  [ours]
   ├─ id ${networkId("node-1", NETWORK)}
   ├─ subnet 10.244.3.0/24  gateway 10.244.3.1
   ├─ host endpoint pods_ep  10.244.3.2/24  00:15:5d:40:00:00  [ours]
   └─ endpoint 000000000000…_pods  10.244.3.3/24  00:15:5d:40:00:01  [ours]
      ├─ namespace ${namespace ?? ""}
      ├─ policies OutBoundNAT 2, SDNRoute 1
      └─ route 0.0.0.0/0 → 10.244.3.2
`);
  });

  it("marks nothing when there is no state", async () => {
    world.states.clear();
    await showTopology(world, ask());
    expect(world.out).not.toMatch(/ours|foreign/);
    expect(world.states.size).toBe(0);
  });

  it("takes another state folder, which must have a state", async () => {
    world.states.clear();
    await expect(showTopology(world, ask({ stateDir: "D:\\state" }))).rejects.toThrow(/no state in D:\\state/);
    world.states.set("D:\\state", node.store);
    await showTopology(world, ask({ stateDir: "D:\\state" }));
    expect(world.out).toContain("[ours]");
  });

  it("shows what HNS holds also when the state cannot be read", async () => {
    node.close();
    await showTopology(world, ask());
    expect(world.out).toContain("network pods");
    expect(world.out).toMatch(/remarks\n {3}└─ what is ours is not known: /);
    expect(world.out).not.toContain("[");
    node = new EngineFixture();
  });

  it.each([NETWORK, networkId("node-1", NETWORK).toUpperCase()])("shows one network alone: %s", async (network) => {
    await showTopology(world, ask({ network, output: "json" }));
    expect(JSON.parse(world.out)).toMatchObject({ networks: [{ name: NETWORK, owner: "ours" }], namespaces: [{}] });
  });

  it("names the networks there are when the wanted one is not", async () => {
    const failure = expect(showTopology(world, ask({ network: "nix" }))).rejects;
    await failure.toMatchObject({ message: 'no network "nix": HNS has none of this name or id', next: 'name one of "other", "pods"' });
    expect(world.out).toBe("");
  });

  it.each([
    ["json", /^\{\n {2}"networks": \[/],
    ["yaml", /^networks:\n {2}- id: /],
    ["svg", /^<svg xmlns/],
    ["html", /^<!doctype html>/],
  ] as const)("prints %s", async (output, expected) => {
    expect(await showTopology(world, ask({ output }))).toBe(0);
    expect(world.out).toMatch(expected);
  });

  it("keeps to ASCII where that is wanted", async () => {
    await showTopology(world, ask({ charset: "ascii" }));
    expect(world.out).toContain("   `- endpoint 000000000000..._pods");
    // eslint-disable-next-line no-control-regex -- that is what ASCII is
    expect(world.out).toMatch(/^[\u0000-\u007f]*$/);
  });

  it("colours for a terminal", async () => {
    world.terminal = { isTerminal: true, isWindows: false, variables: {} };
    await showTopology(world, ask());
    expect(world.out).toContain("\u001b[32m[ours]\u001b[0m");
  });

  it("asks HNS with a deadline, the user's", async () => {
    node.model.faults.add({ call: "HcnEnumerateEndpoints", kind: "hang" });
    world.hns = new ModelBackend(node.model, { sleep: (ms) => world.clock.sleep(ms) });
    const before = world.clock.uptime();
    await expect(showTopology(world, ask({ timeout: 5 }))).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    expect(world.clock.uptime() - before).toBe(5_000);
  });

  it.each([0, Number.NaN, 1.5])("wants a timeout that is one: %p", async (timeout) => {
    await expect(showTopology(world, ask({ timeout }))).rejects.toThrow(/--timeout is not usable/);
  });

  it("changes nothing", async () => {
    const before = node.model.world.snapshot();
    await showTopology(world, ask());
    expect(node.model.world.snapshot()).toEqual(before);
    expect(node.rows("networks")).toHaveLength(1);
  });
});

it("an empty node is shown as one, and another network of the name is not ours", async () => {
  const world = new FakeWorld();
  await showTopology(world, ask());
  expect(world.out).toBe("node: 0 networks, 0 endpoints, 0 namespaces\n");
  const node = new EngineFixture();
  await node.add(node.pod(CONTAINER));
  world.states.set(world.defaultStateDir, node.store);
  const other = new ModelBackend();
  world.hns = other;
  createNetwork(other.model.world, ZERO, { Name: NETWORK, Type: "NAT" });
  world.out = "";
  await showTopology(world, ask());
  expect(world.out).toContain("network pods  NAT  [foreign]");
  node.close();
});
