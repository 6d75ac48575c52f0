/** Pods with an address of each family, and pools of namespaces and nodes, from the ADD to HNS. */
import { formatCidr, formatIp } from "../../../../src/core/base/ip.ts";
import type { PluginConfig } from "../../../../src/core/config/plugin-config.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { forNetworkNode } from "../../../../src/core/engine/node-pools.ts";
import { poolSpec } from "../../../../src/core/engine/pool-spec.ts";
import { allocateAddress, releaseOwned } from "../../../../src/core/ipam/allocator.ts";
import { buildConfig, EngineFixture } from "../../../support/engine-fixture.ts";

const V6 = "fd00:10:244:3::";
const BOTH = { cidrs: ["10.244.3.0/24", `${V6}/64`] };

let node: EngineFixture;
afterEach(() => node.close());

/** A node on a network that has a subnet for each pool. */
function makeNode(ipam: object = BOTH, autoAdvance = true): PluginConfig {
  node = new EngineFixture({ autoAdvance });
  const config = buildConfig({ clusterCidrs: ["10.244.0.0/16", "fd00:10:244::/48"], ipam: { cidr: undefined, ...ipam } });
  node.config = config;
  const subnets = config.ipam.pools.map(({ cidr, gateway }) => {
    const all = cidr.address.family === 4 ? "0.0.0.0/0" : "::/0";
    return { IpAddressPrefix: formatCidr(cidr), Routes: [{ NextHop: formatIp(gateway), DestinationPrefix: all }] };
  });
  node.foreignNetwork({ Ipams: [{ Type: "Static", Subnets: subnets }] });
  return config;
}

/** From here on pods are of this namespace. */
function enterNamespace(namespace: string): void {
  node.config = { ...node.config, request: { pod: { namespace, name: "web" }, addresses: [] } };
}

function heldAddresses(): unknown[] {
  return node.held().addresses.map(({ address }) => address);
}

function addressesOf(pod: AttachRequest): string[] {
  return node.endpointOf(pod)?.addresses.map(({ address }) => address) ?? [];
}

async function passTime(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await node.settle();
    await node.clock.advance(50);
  }
  await node.settle();
}

describe("a pod of a network with two families", () => {
  test("gets an address of each, keeps them over a repeat, and gives both back", async () => {
    makeNode();
    const pod = node.pod("a");
    const result = await node.add(pod);
    expect(result.ips.map(({ address }) => address.split("/")[0])).toEqual(["10.244.3.3", `${V6}3`]);
    expect(addressesOf(pod)).toEqual(["10.244.3.3", `${V6}3`]);
    expect(await node.add(pod)).toEqual(result);
    await node.check(pod, result);
    expect(heldAddresses()).toEqual(["10.244.3.3", `${V6}3`]);
    await node.del(pod);
    expect(heldAddresses()).toEqual([]);
    expect([node.address("10.244.3.3"), node.address(`${V6}3`)]).toMatchObject([{ state: "cooling" }, { state: "cooling" }]);
  });

  test("gets another address for the one of two that HNS refuses, and keeps the other", async () => {
    makeNode();
    await node.add(node.pod("first"));
    node.foreignEndpoint("left by another tool", "10.244.3.4");
    const pod = node.pod("a");
    await node.add(pod);
    expect(addressesOf(pod)).toEqual(["10.244.3.5", `${V6}4`]);
    expect(node.address("10.244.3.4")).toMatchObject({ state: "quarantined", owner: "conflict" });
  });

  test("waits with empty hands while one family has none, and then gets both", async () => {
    const few = { cidr: `${V6}/64`, exclude: [`${V6}4-fd00:10:244:3:ffff:ffff:ffff:ffff`] };
    makeNode({ pools: [{ cidr: "10.244.3.0/24" }, few] }, false);
    const first = node.pod("first");
    await node.add(first);
    const pod = node.pod("a");
    const waiting = node.add(pod);
    await passTime(200);
    expect(heldAddresses()).toEqual(["10.244.3.3", `${V6}3`]);
    await node.del(first);
    await passTime(5_500);
    await waiting;
    expect(addressesOf(pod)).toEqual(["10.244.3.4", `${V6}3`]);
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toEqual([]);
  });

  test("does not ask HNS again and again while the family it lacks has nothing that could be had early", async () => {
    const few = { cidr: `${V6}/64`, exclude: [`${V6}4-fd00:10:244:3:ffff:ffff:ffff:ffff`] };
    const config = makeNode({ pools: [{ cidr: "10.244.3.0/24" }, few] }, false);
    await node.add(node.pod("first"));
    node.store.transaction((tx) => {
      allocateAddress(tx, node.clock, poolSpec(config), "gone");
      releaseOwned(tx, node.clock, "gone");
    });
    const waiting = expect(node.add(node.pod("a"))).rejects.toMatchObject({
      code: "ADDRESS_EXHAUSTED",
      data: { field: "ipam.pools[1].cidr" },
    });
    await passTime(200);
    node.clearCalls();
    await passTime(15_000);
    expect(node.calls()).toEqual([]);
    await passTime(6_000);
    await waiting;
  });

  test("leaves both as they were when its ADD fails", async () => {
    makeNode();
    await node.add(node.pod("first"));
    const before = node.rows("addresses");
    node.model.faults.add({ call: "HcnCreateEndpoint", kind: "fail", nth: 1, hresult: 0x80070005 });
    await expect(node.add(node.pod("a"))).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(node.rows("addresses")).toEqual(before);
  });

  test("has both addresses or none after a crash at any commit, and the next ADD and DEL settle it", async () => {
    let crashes = 0;
    while (await crashAt(crashes + 1)) crashes += 1;
    expect(crashes).toBeGreaterThanOrEqual(3);
  });
});

/** Whether an ADD met its end at that commit; what it left is then settled. */
async function crashAt(commit: number): Promise<boolean> {
  makeNode();
  const pod = node.pod("a");
  const dying = node.spawn();
  dying.commitFault = { at: commit, kind: "kill-after" };
  const isOver = await node.add(pod, dying).then(
    () => true,
    () => false,
  );
  if (isOver) return false;
  expect([0, 2]).toContain(heldAddresses().length);
  await node.add(pod);
  expect(heldAddresses()).toEqual(addressesOf(pod));
  expect(heldAddresses()).toHaveLength(2);
  await node.del(pod);
  expect(heldAddresses()).toEqual([]);
  node.close();
  return true;
}

describe("pools of namespaces", () => {
  test("serve the pods of theirs alone, which get no other's addresses", async () => {
    makeNode({
      pools: [{ cidr: "10.244.3.0/25" }, { cidr: "10.244.3.128/25", namespaces: ["shop"] }, { cidr: `${V6}/64`, namespaces: ["bank"] }],
    });
    const found: Record<string, string[]> = {};
    for (const namespace of ["shop", "bank", "other"]) {
      enterNamespace(namespace);
      const pod = node.pod(namespace);
      await node.add(pod);
      found[namespace] = addressesOf(pod);
    }
    expect(found).toEqual({ shop: ["10.244.3.131"], bank: ["10.244.3.3", `${V6}3`], other: ["10.244.3.4"] });
  });

  test("leave a pod without a pool to a clear error, and nothing of it", async () => {
    makeNode({ pools: [{ cidr: "10.244.3.0/24", namespaces: ["shop"] }] });
    enterNamespace("other");
    const before = node.held();
    await expect(node.add(node.pod("a"))).rejects.toMatchObject({ code: "INVALID_CONFIG", data: { field: "ipam.pools" } });
    expect(node.held()).toEqual(before);
    expect(node.podEndpoints()).toEqual([]);
  });

  test("that are full keep nobody else waiting", async () => {
    makeNode({ pools: [{ cidr: "10.244.3.0/25" }, { cidr: "10.244.3.128/29", namespaces: ["shop"] }] }, false);
    enterNamespace("shop");
    for (const name of ["a", "b", "c", "d"]) await node.add(node.pod(name));
    const waiting = expect(node.add(node.pod("e"))).rejects.toMatchObject({
      code: "ADDRESS_EXHAUSTED",
      data: { field: "ipam.pools[1].cidr" },
    });
    await passTime(100);
    enterNamespace("other");
    const pod = node.pod("f");
    await node.add(pod);
    expect(addressesOf(pod)).toEqual(["10.244.3.3"]);
    await passTime(21_000);
    await waiting;
  });
});

describe("pools of nodes", () => {
  test("that are for others are not there for the network either", () => {
    makeNode({
      pools: [
        { cidr: "10.244.9.0/24", nodeSelector: { "kubernetes.io/hostname": "node-9" } },
        { cidr: "10.244.3.0/24" },
        { cidr: `${V6}/64` },
      ],
    });
    const process = node.spawn();
    expect(forNetworkNode(node.operation(process)).config.ipam.pools.map(({ field }) => field)).toEqual([
      "ipam.pools[1].cidr",
      "ipam.pools[2].cidr",
    ]);
  });

  test("of IPv6 alone make no network", () => {
    makeNode({ pools: [{ cidr: "10.244.3.0/24", nodeSelector: { zone: "a" } }, { cidr: `${V6}/64` }], nodeLabels: { zone: "b" } });
    expect(() => forNetworkNode(node.operation(node.spawn()))).toThrow(/only IPv6 ranges are for this node/);
  });
});
