import { deleteNetwork } from "../../../emulator/model/networks.ts";
import { buildConfig, EngineFixture } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

describe("STATUS", () => {
  test("succeeds on a fresh node and makes nothing", async () => {
    await node.status();
    expect(node.model.world.networks.size).toBe(0);
    expect(node.rows("networks")).toEqual([]);
  });

  test("compares a network only until an ADD has verified it", async () => {
    node.foreignNetwork();
    await node.status();
    expect(node.calls()).toEqual(["HcnEnumerateNetworks", "HcnOpenNetwork", "HcnQueryNetworkProperties", "HcnCloseNetwork"]);
    await node.add(node.pod("c1"));
    node.clearCalls();
    await node.status();
    expect(node.calls()).toEqual(["HcnEnumerateNetworks"]);
  });

  test("a network that differs is NETWORK_MISMATCH", async () => {
    node.foreignNetwork({ Type: "Transparent" });
    await expect(node.status()).rejects.toMatchObject({ code: "NETWORK_MISMATCH", message: containing("Type is Transparent") });
  });

  test("a network replaced under running pods says that they suffer too (code 51)", async () => {
    await node.add(node.pod("c1"));
    for (const id of node.model.world.networks.keys()) deleteNetwork(node.model.world, id);
    node.foreignNetwork({ Type: "Transparent" });
    await expect(node.status()).rejects.toMatchObject({ code: "NETWORK_MISMATCH", data: { existingContainersAffected: true } });
  });

  test("a configuration changed since the last ADD is seen", async () => {
    await node.add(node.pod("c1"));
    node.config = buildConfig({ ipam: { cidr: "10.244.8.0/24" } });
    await expect(node.status()).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
  });

  test("a network that is gone while attachments are recorded is logged, not an error: the next ADD makes it", async () => {
    await node.add(node.pod("c1"));
    for (const id of node.model.world.networks.keys()) deleteNetwork(node.model.world, id);
    await node.status();
    expect(node.log).toContainEqual({ level: "warn", message: "network gone while attachments are recorded", fields: { attachments: 1 } });
  });

  test.each([
    ["refuses", { kind: "fail", hresult: 0x800706ba }, "HNS_UNAVAILABLE"],
    ["hangs", { kind: "hang" }, "HNS_TIMEOUT"],
  ] as const)("HNS that %s fails it", async (_how, fault, code) => {
    node.model.faults.add({ call: "HcnEnumerateNetworks", ...fault });
    await expect(node.status()).rejects.toMatchObject({ code });
  });

  test("a pool used up fails it only where the configuration asks for that, and only until an address has rested", async () => {
    const ipam = { cidr: "10.244.3.0/29", blockSize: 29 };
    node = new EngineFixture({ config: { ipam } });
    const pods = ["c1", "c2", "c3", "c4"].map((name) => node.pod(name));
    for (const pod of pods) await node.add(pod);
    await node.status();
    node.config = buildConfig({ ipam, statusFailsOnExhaustion: true });
    await expect(node.status()).rejects.toMatchObject({ code: "ADDRESS_EXHAUSTED" });
    const [first] = pods;
    if (first !== undefined) await node.del(first);
    await expect(node.status()).rejects.toMatchObject({ code: "ADDRESS_EXHAUSTED" });
    await node.clock.advance(30_000);
    await node.status();
  });

  test("with room for another block it does not fail", async () => {
    node.config = buildConfig({ statusFailsOnExhaustion: true });
    await node.status();
  });
});
