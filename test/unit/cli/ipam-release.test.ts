/** `ipam release` and what HNS has. */
import { releaseAddresses, type ReleaseArguments } from "../../../src/cli/ipam-release.ts";
import { createEndpoint } from "../../emulator/model/endpoints.ts";
import { createNetwork } from "../../emulator/model/networks.ts";
import { EngineFixture } from "../../support/engine-fixture.ts";
import { containing } from "../../support/matchers.ts";
import { attached, lose, states } from "../core/engine/reclaim-kit.ts";
import { FakeWorld } from "./fake-world.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";

let node: EngineFixture;
let world: FakeWorld;

beforeEach(() => {
  node = new EngineFixture();
  world = new FakeWorld();
  world.states.set(world.defaultStateDir, node.store);
  world.hns = node.spawn().backend;
});
afterEach(() => node.close());

function run(changes: Partial<ReleaseArguments>): Promise<number> {
  const none = { stateDir: undefined, address: undefined, owner: undefined, network: undefined };
  return releaseAddresses(world, { ...none, yes: true, force: false, dryRun: false, output: "text", ...changes });
}

/** A pod whose attachment is gone and whose address is held all the same. */
async function forgotten(containerId: string): Promise<ReturnType<typeof attached>> {
  const pod = await attached(node, containerId);
  node.database.run("DELETE FROM attachments");
  return pod;
}

describe("an address that an endpoint has", () => {
  test.each([{ yes: true }, { yes: false }, { dryRun: true }])("is refused with %j, and says which", async (how) => {
    const pod = await forgotten("c1");
    const [endpoint] = node.podEndpoints();
    const id = endpoint?.id.toLowerCase() ?? "none";
    const refusal = { message: containing(`HNS has the endpoint "c1_pods" (${id}) with it`), next: containing("--force") };
    await expect(run({ address: "10.244.3.3", ...how })).rejects.toMatchObject(refusal);
    expect(node.address("10.244.3.3")).toMatchObject({ state: "assigned" });
    expect(world.out).toBe("");
    expect(node.endpointOf(pod)).toBeDefined();
  });

  test("is refused by owner too, and by the endpoint's id where HNS shows no address", async () => {
    await forgotten("c1");
    for (const endpoint of node.podEndpoints()) endpoint.addresses.splice(0);
    const owner = String(node.address("10.244.3.3")?.["owner"]);
    await expect(run({ owner })).rejects.toThrow("of its owner");
  });

  test("of another network with the same range does not hold it up", async () => {
    await forgotten("c1");
    node.model.world.endpoints.clear();
    const Ipams = [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.244.3.0/24" }] }];
    const other = createNetwork(node.model.world, ZERO_ID, { Name: "other", Type: "L2Bridge", Ipams });
    const document = { Name: "elsewhere", IpConfigurations: [{ IpAddress: "10.244.3.3", PrefixLength: 24 }] };
    createEndpoint(node.model.world, other.id, ZERO_ID, document);
    expect(await run({ address: "10.244.3.3" })).toBe(0);
    expect(node.address("10.244.3.3")).toMatchObject({ state: "cooling" });
  });

  test("that HNS refused to one of our pods is kept as long as somebody's endpoint has it", async () => {
    await attached(node, "c1");
    const foreign = node.foreignEndpoint("somebody", "10.244.3.4");
    await attached(node, "c2");
    await expect(run({ address: "10.244.3.4" })).rejects.toThrow('HNS has the endpoint "somebody"');
    node.model.world.endpoints.delete(foreign.id);
    expect(await run({ address: "10.244.3.4" })).toBe(0);
  });

  test("is released by force, without asking HNS", async () => {
    const pod = await attached(node, "c1");
    node.clearCalls();
    expect(await run({ address: "10.244.3.3", force: true })).toBe(0);
    expect(states(node, pod)).toEqual(["cooling"]);
    expect(node.calls()).toEqual([]);
  });
});

test("what no endpoint has is released", async () => {
  const pod = await forgotten("c1");
  lose(node, pod);
  node.model.world.endpoints.clear();
  expect(await run({ address: "10.244.3.3" })).toBe(0);
  expect(node.address("10.244.3.3")).toMatchObject({ state: "cooling" });
});

test("an HNS that does not answer is no leave to release", async () => {
  const pod = await forgotten("c1");
  node.model.faults.add({ call: "HcnEnumerateEndpoints", kind: "fail", hresult: 0x800706ba });
  await expect(run({ address: "10.244.3.3" })).rejects.toMatchObject({
    message: containing("HNS does not tell"),
    next: containing("--force"),
  });
  expect(node.address("10.244.3.3")).toMatchObject({ state: "assigned" });
  expect(node.endpointOf(pod)).toBeDefined();
});
