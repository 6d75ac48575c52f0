/** How many calls of HNS a command costs, closes counted, on an empty node and on one with 250 endpoints. */
import { attachmentId } from "../../src/core/engine/attachment.ts";
import { formatGuid } from "../../src/core/base/ids.ts";
import { addressAt, type Cidr, findCidr, formatIp } from "../../src/core/base/ip.ts";
import { CniNode, makeContainerId, type Pod } from "../support/cni-node.ts";
import { describePrograms, linux, type CniProgram } from "../support/programs.ts";

/** Room for 250 endpoints beside those of the test. */
const CIDR = "10.244.0.0/20";
const config = { ipam: { type: "hns-cni", cidr: CIDR } };
/** The 250 endpoints lie far behind the addresses that are given out first. */
const FAR = 2048;
const CROWD = 250;

const BUDGET = { firstAdd: 14, add: 8, check: 4, del: 4, repeatedDel: 1 };
const NETWORK_DOCUMENT = {
  SchemaVersion: { Major: 2, Minor: 0 },
  Name: "pods",
  Type: "L2Bridge",
  Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: CIDR, Routes: [{ NextHop: "10.244.0.1", DestinationPrefix: "0.0.0.0/0" }] }] }],
  Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }],
};

type Crowd = "none" | "foreign names" | "names like ours" | "ours, in no namespace" | "ours, in a namespace";

describePrograms("calls of HNS", (program: CniProgram) => {
  // The calls are the same engine's; a crowd that HNS shows to both need not be shown twice.
  const on = (...crowds: Crowd[]): Crowd[] => (program === linux ? crowds : crowds.slice(0, 1));

  let node: CniNode;

  beforeAll(async () => {
    node = await CniNode.start(program);
  });
  afterAll(() => node.close());
  beforeEach(() => node.renew());

  /** Calls made by `work`, without those given; the names are shown when a budget is exceeded. */
  async function count(work: () => Promise<unknown>, allowed: readonly string[] = []): Promise<string[]> {
    await node.emulator.clearCalls();
    await work();
    const names = (await node.emulator.calls()).map(({ name, args }) => (name === "HNSCall" ? `${name} ${args[0]} ${args[1]}` : name));
    for (const name of allowed) {
      const at = names.indexOf(name);
      if (at >= 0) names.splice(at, 1);
    }
    return names;
  }

  function expectWithin(calls: readonly string[], budget: number): void {
    expect({ calls, isWithin: calls.length <= budget }).toEqual({ calls, isWithin: true });
    expect(calls.length).toBeGreaterThan(0);
  }

  async function crowd(network: string, kind: Exclude<Crowd, "none">): Promise<void> {
    const cidr = findCidr(CIDR) as Cidr;
    for (let index = 0; index < CROWD; index++) {
      const containerId = makeContainerId();
      const name = kind === "foreign names" ? `other-${index}` : `${containerId}_pods`;
      const id = kind.startsWith("ours") ? formatGuid(attachmentId({ network: "pods", containerId, ifname: "eth0" })) : undefined;
      const document = {
        SchemaVersion: { Major: 2, Minor: 0 },
        Name: name,
        IpConfigurations: [{ IpAddress: formatIp(addressAt(cidr, FAR + index)) }],
      };
      const { ID } = await node.emulator.createEndpoint(network, document, id);
      if (kind !== "ours, in a namespace") continue;
      const namespace = await node.emulator.createNamespace();
      await node.emulator.modifyNamespace(namespace, { ResourceType: "Endpoint", RequestType: "Add", Settings: { EndpointId: ID } });
    }
  }

  /** ADD, CHECK, DEL and DEL again of one pod on a node whose network is known. */
  async function expectLifeWithinBudget(pod: Pod): Promise<void> {
    let prevResult: unknown;
    const add = await count(async () => (prevResult = await node.add(pod, { config })));
    const check = await count(() => node.callSilently("CHECK", pod, { config, prevResult }));
    const del = await count(() => node.callSilently("DEL", pod, { config, prevResult }));
    const repeated = await count(() => node.callSilently("DEL", pod, { config, env: { CNI_NETNS: "" } }));
    expectWithin(add, BUDGET.add);
    expectWithin(check, BUDGET.check);
    expectWithin(del, BUDGET.del);
    expect(repeated.length).toBeLessThanOrEqual(BUDGET.repeatedDel);
  }

  it("are 14 at most for the first pod, beyond creating the network and its host endpoint", async () => {
    const pod = await node.makePod();
    expectWithin(await count(() => node.add(pod, { config }), ["HcnCreateNetwork", "HcnCreateEndpoint"]), BUDGET.firstAdd);
  });

  it.each(on("none", "foreign names", "names like ours"))("stay within the budget for every pod after it: %s", async (kind) => {
    await node.add(await node.makePod(), { config });
    const [network] = await node.emulator.networks();
    if (kind !== "none") await crowd(network?.id ?? "", kind);
    await expectLifeWithinBudget(await node.makePod());
  });

  it.each(on("none", "foreign names", "names like ours", "ours, in a namespace"))(
    "stay within the budget on a network that somebody else made: %s",
    async (kind) => {
      const { ID } = await node.emulator.createNetwork(NETWORK_DOCUMENT);
      if (kind !== "none") await crowd(ID, kind);
      const pod = await node.makePod();
      expectWithin(await count(() => node.add(pod, { config })), BUDGET.firstAdd);
      await expectLifeWithinBudget(await node.makePod());
    },
  );

  it("are three more, once, for each endpoint of ours that HNS places in no namespace while the state knows nothing of it", async () => {
    const { ID } = await node.emulator.createNetwork(NETWORK_DOCUMENT);
    await crowd(ID, "ours, in no namespace");
    expectWithin(await count(async () => node.add(await node.makePod(), { config })), BUDGET.firstAdd + 3 * CROWD);
    await expectLifeWithinBudget(await node.makePod());
  });

  it("of STATUS are at most 1 once the network is known", async () => {
    await node.add(await node.makePod(), { config });
    expectWithin(await count(() => node.callForNetwork("STATUS", { config })), 1);
  });
});
