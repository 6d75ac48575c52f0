import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";
let node: EngineFixture;

afterEach(() => node.close());

/** A node with room for all, with `others` endpoints of other pods once the network is there. */
async function makeNode(others: number): Promise<void> {
  node = new EngineFixture({ config: { ipam: { cidr: "10.244.0.0/22" } } });
  if (others === 0) return;
  await node.add(node.pod("first"));
  const [network] = node.model.world.networks.keys();
  for (let index = 0; index < others; index++) {
    const address = `10.244.${2 + Math.floor(index / 200)}.${10 + (index % 200)}`;
    createEndpoint(node.model.world, network ?? "", ZERO_ID, {
      Name: `other-${index}_${NETWORK}`,
      IpConfigurations: [{ IpAddress: address }],
    });
  }
}

async function count(work: () => Promise<unknown>): Promise<string[]> {
  node.clearCalls();
  await work();
  return node.calls();
}

const ADD_VERIFIED = [
  "HcnOpenNamespace",
  "HcnOpenNetwork",
  "HcnCreateEndpoint",
  "HcnQueryEndpointProperties",
  "HcnCloseEndpoint",
  "HcnModifyNamespace",
  "HcnCloseNetwork",
  "HcnCloseNamespace",
];

describe("calls to HNS, closes counted", () => {
  test("the first ADD of a node makes at most 14 beside creating the network and its host endpoint", async () => {
    await makeNode(0);
    const calls = await count(() => node.add(node.pod("c1")));
    expect(calls.filter((name) => name === "HcnCreateNetwork")).toHaveLength(1);
    expect(calls.filter((name) => name === "HcnCreateEndpoint")).toHaveLength(2);
    expect(calls.length - 2).toBeLessThanOrEqual(14);
  });

  test("the first ADD after HNS started anew makes at most 14", async () => {
    await makeNode(250);
    node.model.restart({ loseEndpoints: false });
    expect((await count(() => node.add(node.pod("c1")))).length).toBeLessThanOrEqual(14);
  });

  test.each([0, 250])("with %i other endpoints: ADD 8, repeated ADD 3, CHECK 3, DEL 4, repeated DEL 1, STATUS 1", async (others) => {
    await makeNode(others);
    await node.add(node.pod("warm"));
    const pod = node.pod("c1");
    expect(await count(() => node.add(pod))).toEqual(ADD_VERIFIED);
    const describeEndpoint = ["HcnOpenEndpoint", "HcnQueryEndpointProperties", "HcnCloseEndpoint"];
    expect(await count(() => node.add(pod))).toEqual(describeEndpoint);
    expect(await count(() => node.check(pod))).toEqual(describeEndpoint);
    expect(await count(() => node.status())).toEqual(["HcnEnumerateNetworks"]);
    expect(await count(() => node.del(pod))).toEqual(["HcnOpenNamespace", "HcnModifyNamespace", "HcnCloseNamespace", "HcnDeleteEndpoint"]);
    expect(await count(() => node.del(pod))).toEqual(["HcnEnumerateEndpoints"]);
    expect(await count(() => node.del({ ...pod, netns: "" }))).toEqual(["HcnEnumerateEndpoints"]);
  });

  test("DEL without a netns that never had one is one call", async () => {
    await makeNode(0);
    const pod = { ...node.pod("c1"), netns: "" };
    expect(await count(() => node.del(pod))).toHaveLength(1);
  });
});
