import { listNetworks } from "../../../src/cli/network.ts";
import { type ShowArguments, showNetwork } from "../../../src/cli/network-show.ts";
import { networkId } from "../../../src/core/engine/attachment.ts";
import { createNetwork } from "../../emulator/model/networks.ts";
import { ModelBackend } from "../../emulator/model-backend.ts";
import { EngineFixture, NETWORK } from "../../support/engine-fixture.ts";
import { FakeWorld } from "./fake-world.ts";

const FOREIGN = "11111111-0000-4000-8000-000000000001";
const CONTAINER = "0".repeat(64);
const OWN = networkId("node-1", NETWORK);

const CONF = {
  cniVersion: "1.1.0",
  name: NETWORK,
  type: "hns-cni",
  mode: "l2bridge",
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
};
const DELEGATING = { ...CONF, ipam: { type: "host-local", subnet: "10.244.3.0/24" } };

const FILES = {
  same: JSON.stringify(CONF),
  list: JSON.stringify({ cniVersion: "1.1.0", name: NETWORK, plugins: [{ ...CONF, name: undefined, cniVersion: undefined }] }),
  moved: JSON.stringify({ ...CONF, adapter: "Ethernet 9", ipam: { ...CONF.ipam, cidr: "10.9.0.0/24" } }),
  faulty: JSON.stringify({ ...CONF, mode: "nix" }),
  other: JSON.stringify({ ...CONF, name: "third" }),
  delegating: JSON.stringify(DELEGATING),
  delegatingElsewhere: JSON.stringify({ ...DELEGATING, subnet: "10.9.0.0/24" }),
  "-": JSON.stringify(CONF),
};

let node: EngineFixture;
let world: FakeWorld;

beforeEach(async () => {
  node = new EngineFixture({ config: { adapter: "Ethernet" } });
  await node.add(node.pod(CONTAINER));
  createNetwork(node.model.world, FOREIGN, {
    Name: "other",
    Type: "NAT",
    Flags: 8 + 1024,
    Dns: { ServerList: ["10.0.0.1"], Search: ["corp.example"] },
    Ipams: [{ Subnets: [{ IpAddressPrefix: "172.20.0.0/20" }] }],
  });
  world = new FakeWorld(FILES);
  world.hns = new ModelBackend(node.model);
  world.states.set(world.defaultStateDir, node.store);
});

afterEach(() => node.close());

describe("network list", () => {
  const list = (output: "text" | "wide" | "json" | "yaml"): Promise<number> =>
    listNetworks(world, { stateDir: undefined, timeout: 30, output });

  it("has a line for each network", async () => {
    expect(await list("text")).toBe(0);
    expect(world.out).toBe(
      [
        "NAME   TYPE      SUBNETS        ENDPOINTS  OWNER",
        "other  NAT       172.20.0.0/20  0          foreign",
        "pods   L2Bridge  10.244.3.0/24  2          ours",
        "",
      ].join("\n"),
    );
  });

  it("says more when that is asked", async () => {
    await list("wide");
    expect(world.out.split("\n").slice(1)).toEqual([
      `other  NAT       172.20.0.0/20  0          foreign  ${FOREIGN}  -         -           -`,
      `pods   L2Bridge  10.244.3.0/24  2          ours     ${OWN}  Ethernet  10.244.3.1  NetAdapterName 1`,
      "",
    ]);
  });

  it("has for programs what topology has of networks", async () => {
    await list("json");
    expect(JSON.parse(world.out)).toMatchObject([
      { id: FOREIGN, endpoints: [] },
      { id: OWN, endpoints: [{ attached: "host" }, {}] },
    ]);
  });

  it("of an empty node says so", async () => {
    world.hns = new ModelBackend();
    expect(await list("text")).toBe(0);
    expect(world.out).toBe("HNS has no networks\n");
  });
});

describe("network show", () => {
  const show = (changes: Partial<ShowArguments> = {}): Promise<number> =>
    showNetwork(world, { name: NETWORK, conf: undefined, stateDir: undefined, timeout: 30, output: "text", ...changes });

  it("decodes a network", async () => {
    expect(await show()).toBe(0);
    const namespace = node.podEndpoints()[0]?.namespace?.toLowerCase() ?? "";
    expect(world.out).toBe(`pods
  id           ${OWN}
  owner        ours
  type         L2Bridge
  adapter      Ethernet
  flags        0
  MAC range    00-15-5D-40-00-00 to 00-15-5D-40-0F-FF
  DNS          the node's own

subnets
  10.244.3.0/24  gateway 10.244.3.1

policies
  NetAdapterName  {"NetworkAdapterName":"Ethernet"}

endpoints
  NAME                  ADDRESSES      MAC                ATTACHED TO                                     OWNER
  pods_ep               10.244.3.2/24  00:15:5d:40:00:00  the node itself                                 ours
  000000000000..._pods  10.244.3.3/24  00:15:5d:40:00:01  namespace ${namespace}  ours
`);
  });

  it("decodes flags and DNS, and says where there is nothing", async () => {
    await show({ name: FOREIGN });
    expect(world.out).toContain("  flags        1032: EnableNonPersistent, DisableHostPort\n");
    expect(world.out).toContain("  DNS          servers 10.0.0.1; search corp.example\n");
    expect(world.out).toMatch(/\n {2}172.20.0.0\/20 {2}no gateway\n\npolicies: none\n\nendpoints: none\n$/);
  });

  it("has the endpoints' rest and HNS's own document when that is asked", async () => {
    await show({ output: "wide" });
    expect(world.out).toMatch(/^ {2}0{64}_pods .* OutBoundNAT 2, SDNRoute 1 +0\.0\.0\.0\/0 -> 10\.244\.3\.2$/m);
    const document = world.out.slice(world.out.indexOf("HNS document\n") + "HNS document\n".length);
    expect(JSON.parse(document)).toMatchObject({ ID: OWN.toUpperCase(), Type: "L2Bridge" });
  });

  it("has all of it for programs", async () => {
    await show({ output: "json" });
    expect(JSON.parse(world.out)).toMatchObject({ network: { id: OWN, owner: "ours" }, document: { Name: NETWORK }, differences: null });
  });

  it.each(["same", "list", "delegating", ""])("succeeds when the configuration wants what there is: %p", async (conf) => {
    expect(await show({ conf })).toBe(0);
    expect(world.out).toMatch(new RegExp(`\nas ${conf === "" ? "-" : conf} wants it\n$`));
  });

  it.each([
    ["moved", ["subnet is 10.244.3.0/24, wanted 10.9.0.0/24 (ipam.cidr)", 'adapter is "Ethernet", wanted "Ethernet 9"']],
    ["delegatingElsewhere", ["subnet is 10.244.3.0/24, wanted 10.9.0.0/24 (ipam.cidr)"]],
  ])("fails when it wants something else, and says what: %s", async (conf, differences) => {
    expect(await show({ conf })).toBe(1);
    expect(world.out).toContain(`\ndiffers from ${conf}\n${differences.map((one) => `  ${one}\n`).join("")}  change the configuration`);
    world.out = "";
    expect(await show({ conf, output: "json" })).toBe(1);
    expect(JSON.parse(world.out)).toMatchObject({ differences });
  });

  it.each([
    ["other", /^other cannot be compared: it has no configuration of this plugin with the name "pods"$/],
    ["faulty", /^faulty cannot be used: it has faults$/],
    ["missing", /^cannot read missing: /],
  ])("does not compare with what is no configuration of the network: %s", async (conf, message) => {
    await expect(show({ conf })).rejects.toThrow(message);
    expect(world.out).toBe("");
  });

  it("does not choose between two of one name", async () => {
    const same = "11111111-0000-4000-8000-000000000002";
    const network = node.model.world.networks.get(FOREIGN);
    if (network === undefined) throw new Error("the network is not there");
    node.model.world.networks.set(same, { ...network, id: same });
    await expect(show({ name: "other" })).rejects.toMatchObject({
      message: 'which network "other": HNS has several of this name',
      next: `name one by its id: ${FOREIGN}, ${same}`,
    });
    expect(await show({ name: same })).toBe(0);
  });

  it("lets no name change the terminal", async () => {
    createNetwork(node.model.world, "11111111-0000-4000-8000-000000000003", { Name: "\u001b[2J\nx", Type: "NAT" });
    await show({ name: "\u001b[2J\nx" });
    await listNetworks(world, { stateDir: undefined, timeout: 30, output: "wide" });
    expect(world.out).not.toContain("\u001b");
    expect(world.out).toContain("\ufffd[2J\ufffdx\n");
  });
});
