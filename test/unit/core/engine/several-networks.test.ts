/** A pod with interfaces on several networks, and sandboxes of every kind of namespace. */
import { findGuid } from "../../../../src/core/base/ids.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { createNamespace } from "../../../emulator/model/namespaces.ts";
import { buildConfig, EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";

const ZERO_ID = "00000000-0000-0000-0000-000000000000";

let node: EngineFixture;
const pods = buildConfig();

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

/** Does `work` with the configuration of a second network. */
async function onOther<T>(name: string, work: () => Promise<T>): Promise<T> {
  node.config = buildConfig({ name, ipam: { cidr: "10.245.7.0/24" } });
  try {
    return await work();
  } finally {
    node.config = pods;
  }
}

function names(): string[] {
  return node.podEndpoints().map(({ name }) => name);
}

describe("eth0 and net1 of two configurations in one pod", () => {
  // The second name is the one whose endpoints could be taken for net1 of the first.
  test.each(["storage", `${NETWORK}_net1`])("the other network is %s: neither touches the other", async (other) => {
    const eth0 = node.pod("c1");
    const net1: AttachRequest = { ...eth0, network: other, ifname: "net1" };
    const first = await node.add(eth0);
    const second = await onOther(other, () => node.add(net1));
    expect(first.ips[0]?.address).toBe("10.244.3.3/24");
    expect(second.ips[0]?.address).toBe("10.245.7.3/24");
    expect(second.interfaces[0]?.name).toBe("net1");
    expect(names().filter((name) => !name.endsWith("_ep"))).toEqual([`c1_${NETWORK}`, `c1_${other}_net1`]);
    expect(await node.add(eth0)).toEqual(first);
    expect(await onOther(other, () => node.add(net1))).toEqual(second);
    await node.check(eth0, first);

    await node.del(eth0);
    await onOther(other, () => node.check(net1, second));
    await node.gc([]);
    await onOther(other, () => node.check(net1, second));
    await onOther(other, () => node.del(net1));
    expect(names().filter((name) => !name.endsWith("_ep"))).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("two interfaces on one network have an endpoint each", async () => {
    const eth0 = node.pod("c1");
    const net1 = { ...eth0, ifname: "net1" };
    await node.add(eth0);
    const second = await node.add(net1);
    await node.del(eth0);
    await node.check(net1, second);
    expect(names()).toEqual([`c1_${NETWORK}_net1`]);
  });

  test("endpoints of one name: a DEL without a record leaves the other attachment's", async () => {
    const other = `${NETWORK}_net1`;
    const eth0: AttachRequest = { ...node.pod("c1"), network: other };
    const result = await onOther(other, () => node.add(eth0));
    const net1 = { ...eth0, network: NETWORK, ifname: "net1" };
    await node.del(net1);
    await onOther(other, () => node.check(eth0, result));
    const added = await node.add(net1);
    expect(names().filter((name) => name === `c1_${other}`)).toHaveLength(2);
    await onOther(other, () => node.del(eth0));
    await node.check(net1, added);
  });
});

test.each(["Host", "Guest", "GuestDefault"])("a sandbox whose namespace is of type %s is attached by its namespace", async (Type) => {
  // Pods under Hyper-V isolation have Guest namespaces; their machine is told by HNS.
  const namespace = createNamespace(node.model.world, ZERO_ID, { Type });
  const pod = { network: NETWORK, containerId: "c1", ifname: "eth0", netns: namespace.id.toLowerCase() };
  const result = await node.add(pod);
  expect(findGuid(node.endpointOf(pod)?.namespace ?? "")).toBe(findGuid(namespace.id));
  await node.check(pod, result);
  await node.del(pod);
  expect(namespace.endpoints).toEqual([]);
});
