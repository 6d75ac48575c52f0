import { findGuid } from "../../../../src/core/base/ids.ts";
import { networkId } from "../../../../src/core/engine/attachment.ts";
import { buildRaw } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";
import { lose } from "./reclaim-kit.ts";
import { actions, ReconcileKit } from "./reconcile-kit.ts";

let kit: ReconcileKit;

beforeEach(() => (kit = new ReconcileKit()));
afterEach(() => kit.node.close());

describe("policies of an endpoint that stands", () => {
  type Policy = ReturnType<ReconcileKit["endpoint"]>["policies"][number];
  const foreign: Policy[] = [
    { Type: "OutBoundNAT", Settings: { Destinations: ["10.0.0.9"] } },
    { Type: "SDNRoute", Settings: { DestinationPrefix: "10.200.0.0/16", NeedEncap: true } },
    { Type: "ACL", Settings: { Action: "Block", Direction: "In", RuleType: "Switch", Priority: 100 } },
  ];
  const texts = (policies: readonly Policy[]): string[] => policies.map((policy) => JSON.stringify(policy)).sort();

  test("what others added stays, where ours are there and where ours are put right", async () => {
    const { pod } = await kit.add("c1");
    const endpoint = kit.endpoint(pod);
    const own = structuredClone(endpoint.policies);
    endpoint.policies = [...own, ...foreign];
    expect(actions(await kit.pass())).toEqual([]);
    expect(texts(endpoint.policies)).toEqual(texts([...own, ...foreign]));
    endpoint.policies = foreign;
    expect(actions(await kit.pass())).toEqual(["policies done"]);
    expect(texts(endpoint.policies)).toEqual(texts([...own, ...foreign]));
  });

  test("one of ours that was changed is replaced, with no second one beside it, and its siblings stay", async () => {
    const { pod } = await kit.add("c1");
    const endpoint = kit.endpoint(pod);
    const own = structuredClone(endpoint.policies);
    endpoint.policies = [...own, ...foreign].map((policy) => {
      if (policy["Type"] === "OutBoundNAT" && !JSON.stringify(policy).includes("Destinations")) {
        return { Type: "OutBoundNAT", Settings: { Exceptions: ["192.168.0.0/16"] } };
      }
      const isOurs = policy["Type"] === "SDNRoute" && JSON.stringify(policy).includes("10.96.0.0");
      return isOurs ? { Type: "SDNRoute", Settings: { DestinationPrefix: "10.96.0.0/12", NeedEncap: false } } : policy;
    });
    expect(actions(await kit.pass())).toEqual(["policies done"]);
    expect(texts(endpoint.policies)).toEqual(texts([...own, ...foreign]));
    expect(actions(await kit.pass())).toEqual([]);
  });

  test("one that HNS refuses is told with its error, and holds up no other", async () => {
    const { pod } = await kit.add("c1");
    const endpoint = kit.endpoint(pod);
    const types = new Set(endpoint.policies.map(({ Type }) => Type));
    endpoint.policies = [];
    kit.node.model.faults.add({ call: "HcnModifyEndpoint", kind: "fail", nth: 1, hresult: 0x803b000d });
    const report = await kit.pass();
    expect(report.entries).toMatchObject([{ action: "policies", outcome: "failed", detail: containing("it failed: ") }]);
    expect(new Set(endpoint.policies.map(({ Type }) => Type)).size).toBe(types.size - 1);
    expect(actions(await kit.pass())).toEqual(["policies done"]);
    expect(new Set(endpoint.policies.map(({ Type }) => Type))).toEqual(types);
  });
});

test("a look whose program is ending begins nothing more, and the next one goes on", async () => {
  const pods = [await kit.add("c1"), await kit.add("c2"), await kit.add("c3")];
  for (const { pod } of pods) lose(kit.node, pod, "endpoint");
  const isEnding = (): boolean => kit.node.podEndpoints().length > 0;
  expect(actions(await kit.pass({ isEnding }))).toEqual(["endpoint done"]);
  expect(actions(await kit.pass())).toEqual(["endpoint done", "endpoint done"]);
});

test("a MAC address that the pod asked for is not asked for again where another endpoint has it by now", async () => {
  const mac = "00:15:5d:aa:00:01";
  const { pod, result } = await kit.add("c1", buildRaw({ runtimeConfig: { mac } }));
  const before = "00-15-5D-AA-00-01";
  kit.node.store.transaction((tx) => {
    const attachment = tx.listAttachments({ network: pod.network, phases: ["attached"] }).find(({ containerId }) => containerId === "c1");
    const [first] = result.interfaces;
    if (attachment !== undefined)
      tx.putAttachment({ ...attachment, result: JSON.stringify({ ...result, interfaces: [{ ...first, mac }] }) });
  });
  lose(kit.node, pod, "endpoint");
  const { id } = kit.node.foreignEndpoint("somebody's", "10.244.3.60");
  const other = kit.node.model.world.endpoints.get(id);
  if (other === undefined) throw new Error("there is no such endpoint");
  kit.node.model.world.endpoints.set(id, { ...other, mac: before });
  expect(actions(await kit.pass())).toEqual(["endpoint done"]);
  expect(kit.endpoint(pod).mac).not.toBe(before);
  const told = kit.endpoint(pod).mac.replaceAll("-", ":").toLowerCase();
  expect((await kit.node.add(pod)).interfaces[0]?.mac).toBe(told);
});

describe("routes of an endpoint that stands", () => {
  test.each([
    ["is gone", []],
    ["goes elsewhere", [{ nextHop: "10.244.3.9", destination: "0.0.0.0/0" }]],
  ])("one that %s is told with its remedy, and the endpoint stays: HNS cannot change it", async (_, routes) => {
    const { pod } = await kit.add("c1");
    const { id } = kit.endpoint(pod);
    kit.endpoint(pod).routes.splice(0, Infinity, ...routes);
    kit.node.clearCalls();
    const { entries } = await kit.pass();
    const where = routes.length === 0 ? "" : " (it goes through 10.244.3.9)";
    const detail = containing(`no default route through 10.244.3.2${where}; HNS cannot change the routes`);
    expect(entries).toMatchObject([{ action: "difference", outcome: "found", subject: "c1 eth0", detail }]);
    expect(entries[0]?.detail).toContain("delete the pod");
    expect(kit.changes()).toEqual([]);
    expect(kit.endpoint(pod).id).toBe(id);
  });
});

describe("networks", () => {
  test("one of ours whose mode only HNS told is made again as it was", async () => {
    await kit.add("c1");
    const { mode, ...config } = { ...kit.node.config };
    expect(mode).toBe("l2bridge");
    kit.node.config = config;
    const { pod, result } = await kit.add("c2", buildRaw({ mode: undefined }));
    const before = [...kit.node.model.world.networks.values()].map(({ name, type, subnets }) => ({ name, type, subnets }));
    kit.dropNetworks();
    expect(actions(await kit.pass())).toEqual(["network done", "endpoint done", "endpoint done"]);
    expect([...kit.node.model.world.networks.values()].map(({ name, type, subnets }) => ({ name, type, subnets }))).toEqual(before);
    expect(await kit.node.add(pod)).toEqual(result);
  });

  test("a configuration that is no longer accepted stops nothing else", async () => {
    const { pod } = await kit.add("c1");
    const bad = { id: networkId("node-1", "pods"), config: JSON.stringify(buildRaw({ mode: "bogus" })), program: "hns-cni" };
    kit.node.store.transaction((tx) => tx.putRequest(bad));
    lose(kit.node, pod, "endpoint");
    const { entries } = await kit.pass();
    expect(entries).toMatchObject([
      { action: "difference", outcome: "found", subject: "", detail: containing("mode") },
      { action: "endpoint", outcome: "done" },
    ]);
  });

  test("one that lost HostRoute gets it again, and it is counted", async () => {
    kit.node.close();
    kit = new ReconcileKit({ config: { mode: "overlay" } });
    await kit.add("c1", buildRaw({ mode: "overlay" }));
    const [network] = kit.node.model.world.networks.values();
    if (network === undefined) throw new Error("there is no network");
    network.policies = network.policies.filter(({ Type }) => Type !== "HostRoute");
    kit.node.model.world.hnsStart = "another run";
    expect(actions(await kit.pass({ dryRun: true }))).toEqual(["policies planned"]);
    expect(actions(await kit.pass())).toEqual(["policies done"]);
    expect(network.policies.map(({ Type }) => Type)).toContain("HostRoute");
    expect(actions(await kit.pass())).toEqual([]);
  });
});

describe("where HNS chose the address", () => {
  const raw = (changes: object = {}): Record<string, unknown> => {
    const { ipam, ...rest } = buildRaw({ mode: "nat", subnet: "10.244.3.0/24", ...changes });
    return ipam === undefined ? {} : rest;
  };

  test("network and endpoint are made again, with the address that the pod has", async () => {
    kit.node.close();
    kit = new ReconcileKit({ addresses: "hns", config: { mode: "nat", subnet: "10.244.3.0/24" } });
    const gone = await kit.add("gone", raw());
    const { pod, result } = await kit.add("c1", raw());
    await kit.node.del(gone.pod); // so that HNS would choose another address now
    kit.dropNetworks();
    expect(actions(await kit.pass())).toEqual(["network done", "endpoint done"]);
    expect(findGuid(kit.endpoint(pod).id)).toBe(kit.node.attachment(pod)?.endpoint);
    expect(await kit.node.add(pod)).toEqual(result);
    await kit.node.check(pod, result);
    expect(actions(await kit.pass())).toEqual([]);
  });

  test("a lease of a DHCP server cannot be asked for: that is told", async () => {
    kit.node.close();
    kit = new ReconcileKit({ addresses: "hns", config: { mode: "transparent" } });
    const { pod } = await kit.add("c1", raw({ mode: "transparent", subnet: undefined }));
    lose(kit.node, pod, "endpoint");
    const { entries } = await kit.pass();
    expect(entries).toMatchObject([{ action: "difference", outcome: "found", detail: containing("a DHCP server leased its address") }]);
    expect(kit.node.podEndpoints()).toEqual([]);
  });
});
