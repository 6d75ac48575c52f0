import { findGuid } from "../../../../src/core/base/ids.ts";
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { type AttachRequest, attachmentId, endpointName } from "../../../../src/core/engine/attachment.ts";
import { Reconciler, type PassOptions } from "../../../../src/core/engine/reconcile/reconciler.ts";
import type { ReconcileReport } from "../../../../src/core/engine/reconcile/report.ts";
import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import { buildRaw, EngineFixture, HOST_ENDPOINT, HOLD_MS, NETWORK, upper } from "../../../support/engine-fixture.ts";
import { lose, states } from "./reclaim-kit.ts";

const GRACE_MS = 60_000;
const SERVICE_PORT = { runtimeConfig: { portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] } };

let node: EngineFixture;
let reconciler: Reconciler;

function renew(options: ConstructorParameters<typeof EngineFixture>[0] = {}): void {
  node = new EngineFixture(options);
  reconciler = new Reconciler({ graceMs: GRACE_MS });
}

beforeEach(() => renew());
afterEach(() => node.close());

/** An ADD as the program runs it: what it asks for is remembered. */
async function add(
  containerId: string,
  changes: Readonly<Record<string, unknown>> = {},
): Promise<{ pod: AttachRequest; result: CniResult }> {
  const pod = node.pod(containerId);
  const asked = { config: buildRaw({ ...changes, prevResult: { ips: [] } }), program: "hns-cni" };
  return { pod, result: await node.add({ ...pod, asked }) };
}

function pass(options: Partial<PassOptions> = {}, process = node.spawn()): Promise<ReconcileReport> {
  return process.run(() => reconciler.pass(node.engine(process), { dryRun: false, isFull: true, ...options }));
}

/** Two looks, the grace time apart. */
async function twice(): Promise<ReconcileReport> {
  await pass();
  await node.clock.advance(GRACE_MS);
  return pass();
}

function actions({ entries }: ReconcileReport): string[] {
  return entries.map(({ action, outcome }) => `${action} ${outcome}`);
}

function dropNetwork(): void {
  node.model.world.endpoints.clear();
  node.model.world.networks.clear();
}

function endpoint(pod: AttachRequest): NonNullable<ReturnType<EngineFixture["endpointOf"]>> {
  const found = node.endpointOf(pod);
  if (found === undefined) throw new Error("the pod has no endpoint");
  return found;
}

describe("a look at a node where all is well", () => {
  test("finds nothing, changes nothing, and counts what stands", async () => {
    const { pod, result } = await add("c1");
    node.foreignEndpoint("somebody's", "10.244.3.77");
    node.clearCalls();
    const report = await pass();
    expect(report.entries).toEqual([]);
    expect(report.endpoints.get(NETWORK)).toEqual({ standing: 1, missing: 0, orphaned: 0, foreign: 1 });
    expect(node.calls().filter((name) => /Create|Modify|Delete/.test(name))).toEqual([]);
    expect(await node.add(pod)).toEqual(result);
  });
});

describe("what HNS has lost", () => {
  test("an endpoint of a pod that runs is made again with its address, MAC, policies and id, in its namespace", async () => {
    const earlier = node.pod("c0");
    await node.add(earlier);
    node.config = { ...node.config, portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] };
    const { pod, result } = await add("c1", SERVICE_PORT);
    const before = endpoint(pod);
    lose(node, pod, "endpoint");
    await node.del(earlier); // HNS would choose its MAC address now
    const report = await pass();
    expect(actions(report)).toEqual(["endpoint done"]);
    const after = endpoint(pod);
    for (const field of ["id", "name", "mac", "addresses", "policies", "routes", "namespace"] as const) {
      expect([field, after[field]]).toEqual([field, before[field]]);
    }
    expect(await node.add(pod)).toEqual(result);
    await node.del(pod);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("a MAC address that another endpoint has by now stays that one's: HNS chooses one, and the pod's result tells it", async () => {
    const { pod, result } = await add("c1");
    const { mac: before } = endpoint(pod);
    lose(node, pod, "endpoint");
    expect(node.foreignEndpoint("somebody's", "10.244.3.60").mac).toBe(before);
    expect(actions(await pass())).toEqual(["endpoint done"]);
    const { mac } = endpoint(pod);
    expect(mac).not.toBe(before);
    const told = await node.add(pod);
    expect(told).toEqual({ ...result, interfaces: [{ ...result.interfaces[0], mac: mac.replaceAll("-", ":").toLowerCase() }] });
    expect(actions(await pass())).toEqual([]);
  });

  test("the network, with its host endpoint and every pod on it", async () => {
    const pods = [await add("c1"), await add("c2")];
    dropNetwork();
    const report = await pass();
    expect(actions(report)).toEqual(["network done", "endpoint done", "endpoint done"]);
    expect([...node.model.world.networks.values()].map(({ name, type }) => [name, type])).toEqual([[NETWORK, "L2Bridge"]]);
    expect([...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT)).toMatchObject({
      hostCompartment: 1,
      forwarding: true,
    });
    for (const { pod, result } of pods) expect(await node.add(pod)).toEqual(result);
    expect(actions(await pass())).toEqual([]);
  });

  test("the node's own endpoint alone", async () => {
    await add("c1");
    for (const [id, { name }] of node.model.world.endpoints) if (name === HOST_ENDPOINT) node.model.world.endpoints.delete(id);
    expect(actions(await pass())).toEqual(["host-endpoint done"]);
    expect([...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT)).toMatchObject({ hostCompartment: 1 });
  });

  test("an endpoint that is out of its namespace is put back", async () => {
    const { pod } = await add("c1");
    const found = endpoint(pod);
    for (const namespace of node.model.world.namespaces.values()) namespace.endpoints.splice(0);
    found.namespace = null;
    expect(actions(await pass({ isFull: false }))).toEqual(["rejoin done"]);
    expect(endpoint(pod).id).toBe(found.id);
  });

  test("policies are put back; a policy that differs is replaced", async () => {
    const { pod } = await add("c1");
    const before = structuredClone(endpoint(pod).policies);
    const found = endpoint(pod);
    found.policies = found.policies.filter(({ Type }) => Type !== "SDNRoute");
    expect(actions(await pass())).toEqual(["policies done"]);
    expect(endpoint(pod).policies).toHaveLength(before.length);
    found.policies = found.policies.map((policy) =>
      policy["Type"] === "OutBoundNAT" ? { Type: "OutBoundNAT", Settings: { Exceptions: [] } } : policy,
    );
    expect(actions(await pass())).toEqual(["policies done"]);
    expect(endpoint(pod).policies.filter(({ Type }) => Type === "OutBoundNAT")).toEqual(
      before.filter(({ Type }) => Type === "OutBoundNAT"),
    );
    expect(actions(await pass())).toEqual([]);
  });

  test("a route that is gone is told, since HNS has no way to put it back", async () => {
    const { pod } = await add("c1");
    endpoint(pod).routes.splice(0);
    const report = await pass();
    expect(actions(report)).toEqual(["difference found"]);
    expect(report.entries[0]?.detail).toContain("no default route through 10.244.3.2");
  });

  test("an endpoint whose ADD nobody remembers is told and left", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    lose(node, pod, "endpoint");
    const report = await pass();
    expect(report.entries).toMatchObject([{ action: "difference", outcome: "found", subject: "c1 eth0" }]);
    expect(node.podEndpoints()).toEqual([]);
  });

  test("a network that was not ours is told and never made", async () => {
    node.foreignNetwork();
    await add("c1");
    dropNetwork();
    expect(actions(await pass())).toEqual(["difference found"]);
    expect(node.model.world.networks.size).toBe(0);
  });

  test("a network that came back with another range is told and left, with all that is on it", async () => {
    await add("c1");
    dropNetwork();
    node.model.world.hnsStart = "later";
    node.foreignNetwork({ Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.9.0.0/24", Routes: [] }] }] });
    const report = await pass();
    expect(actions(report)).toContain("endpoint failed");
    expect([...node.model.world.networks.values()].map(({ subnets }) => subnets[0]?.prefix)).toEqual(["10.9.0.0/24"]);
  });
});

describe("what belongs to nobody", () => {
  test("an endpoint of ours without an attachment goes after two looks and the grace time, not before", async () => {
    await add("c1");
    const key = { network: NETWORK, containerId: "late", ifname: "eth0" };
    const [network] = node.model.world.networks.keys();
    createEndpoint(node.model.world, network ?? "", upper(attachmentId(key)), {
      Name: endpointName(key),
      IpConfigurations: [{ IpAddress: "10.244.3.99", PrefixLength: 24 }],
    });
    expect(actions(await pass())).toEqual(["orphan waiting"]);
    await node.clock.advance(GRACE_MS - 1);
    expect(actions(await pass())).toEqual(["orphan waiting"]);
    await node.clock.advance(1);
    expect(actions(await pass())).toEqual(["orphan done"]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}`]);
  });

  test("endpoints of others stay, whatever they are called", async () => {
    await add("c1");
    const names = ["somebody's", `stranger_${NETWORK}`, "default_ep"];
    names.forEach((name, index) => node.foreignEndpoint(name, `10.244.3.${200 + index}`));
    expect(actions(await twice())).toEqual([]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}`, ...names]);
  });

  test("an endpoint of ours in a namespace that lives stays", async () => {
    const { pod } = await add("c1");
    node.database.run("DELETE FROM attachments");
    expect(actions(await twice())).toEqual([]);
    expect(node.endpointOf(pod)).toBeDefined();
  });

  test("nothing is an orphan where the state is lost: HNS is read first, by the next ADD", async () => {
    const { pod } = await add("c1");
    node.database.run("DELETE FROM attachments");
    node.database.run("DELETE FROM networks");
    lose(node, pod, "namespace");
    expect(actions(await twice())).toEqual([]);
    expect(node.podEndpoints()).toHaveLength(1);
  });

  test("the endpoint of a sandbox that is gone without a DEL goes, and its address rests", async () => {
    const { pod } = await add("c1");
    lose(node, pod, "namespace");
    expect(actions(await twice())).toEqual(["orphan done"]);
    expect(node.podEndpoints()).toEqual([]);
    expect(states(node, pod)).toEqual(["cooling"]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("the addresses of a pod that is gone from HNS altogether are released", async () => {
    const { pod } = await add("c1");
    lose(node, pod);
    expect(actions(await twice())).toEqual(["leak done"]);
    expect(states(node, pod)).toEqual(["cooling"]);
  });
});

describe("what broke off", () => {
  test.each(["HcnCreateEndpoint", "HcnModifyNamespace"])("an ADD whose process died at %s is taken back", async (call) => {
    await add("c1");
    const pod = node.pod("c2");
    node.model.faults.add({ call, kind: "kill-after", nth: 1 });
    await expect(node.add(pod)).rejects.toThrow();
    node.model.faults.clear();
    expect(actions(await pass())).toEqual(["settle waiting"]);
    await node.clock.advance(GRACE_MS);
    expect(actions(await pass())).toEqual(["settle done"]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}`]);
    expect(node.held().attachments.map(({ container }) => container)).toEqual(["c1"]);
  });

  test("a DEL that HNS refused is finished", async () => {
    const { pod } = await add("c1");
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1, hresult: 0x80004005 });
    await expect(node.del(pod)).rejects.toThrow();
    expect(states(node, pod)).toEqual(["quarantined"]);
    expect(actions(await twice())).toEqual(["settle done"]);
    expect(states(node, pod)).toEqual(["cooling"]);
  });

  test("an ADD under way is left alone, however long it takes", async () => {
    await add("c1");
    const pod = node.pod("c2");
    node.model.faults.add({ call: "HcnCreateEndpoint", kind: "late", ms: HOLD_MS, nth: 1 });
    const process = node.spawn();
    const adding = node.add(pod, process).catch(() => undefined);
    await node.settle();
    await pass();
    expect(actions(await pass())).toEqual([]);
    await node.release(HOLD_MS);
    await adding;
  });
});

describe("what a look must not do", () => {
  test("a dry run says everything at once, and changes nothing in HNS or the state", async () => {
    const { pod } = await add("c1");
    const other = await add("c2");
    lose(node, pod, "endpoint");
    lose(node, other.pod, "namespace");
    const rows = node.rows("attachments");
    node.clearCalls();
    expect(actions(await pass({ dryRun: true })).sort()).toEqual(["endpoint planned", "orphan planned"]);
    expect(node.calls().filter((name) => /Create|Modify|Delete/.test(name))).toEqual([]);
    expect(node.rows("attachments")).toEqual(rows);
    // It was no look: the next real one is the first.
    expect(actions(await pass()).sort()).toEqual(["endpoint done", "orphan waiting"]);
  });

  test.each(["HcnEnumerateEndpoints", "HNSCall", "HcnEnumerateNetworks", "HcnEnumerateNamespaces"])(
    "nothing is done when %s fails, and what was seen before still counts",
    async (call) => {
      const { pod } = await add("c1");
      const other = await add("c2");
      lose(node, other.pod, "namespace");
      await pass();
      lose(node, pod, "endpoint");
      node.model.faults.add({ call, kind: "fail", hresult: 0x800706ba });
      node.clearCalls();
      expect(actions(await pass())).toEqual(["look failed"]);
      expect(node.calls().filter((name) => /Create|Modify|Delete/.test(name))).toEqual([]);
      node.model.faults.clear();
      await node.clock.advance(GRACE_MS);
      expect(actions(await pass()).sort()).toEqual(["endpoint done", "orphan done"]);
    },
  );

  test("an HNS that answers with nothing at all costs no address and no attachment within the grace time", async () => {
    const { pod } = await add("c1");
    const saved = node.model.world.snapshot();
    node.model.world.endpoints.clear();
    node.model.world.namespaces.clear();
    await pass();
    await node.clock.advance(GRACE_MS - 1);
    await pass();
    node.model.world.restore(saved);
    expect(actions(await pass())).toEqual([]);
    expect(states(node, pod)).toEqual(["assigned"]);
  });

  test("endpoints are read back a few at a time, all in turn", async () => {
    reconciler = new Reconciler({ graceMs: GRACE_MS, inspected: 2 });
    const pods = [];
    for (const name of ["c1", "c2", "c3"]) pods.push((await add(name)).pod);
    for (const pod of pods) endpoint(pod).routes.splice(0);
    const subjects: string[] = [];
    for (let look = 0; look < 2; look++) subjects.push(...(await pass({ isFull: false })).entries.map(({ subject }) => subject));
    expect(subjects).toHaveLength(4);
    expect(new Set(subjects)).toEqual(new Set(["c1 eth0", "c2 eth0", "c3 eth0"]));
  });
});

test.each([false, true])(
  "with ignoreCallerIds %s: an endpoint made again is the one that CHECK, ADD and DEL then know",
  async (ignoreCallerIds) => {
    renew({ settings: { ignoreCallerIds } });
    const { pod, result } = await add("c1");
    lose(node, pod, "endpoint");
    expect(actions(await pass())).toEqual(["endpoint done"]);
    expect(findGuid(endpoint(pod).id)).toBe(node.attachment(pod)?.endpoint);
    await node.check(pod, result);
    expect(await node.add(pod)).toEqual(result);
    await node.del(pod);
    expect(node.podEndpoints()).toEqual([]);
  },
);

describe("what cannot be told by the list of version 1", () => {
  function names(): string[] {
    return [...node.model.world.endpoints.values()].map(({ name }) => name);
  }

  function loseState(): void {
    for (const table of ["attachments", "networks", "addresses", "blocks", "pools", "requests"]) node.database.run(`DELETE FROM ${table}`);
  }

  test("a running pod of Docker's that is learned from HNS after the state was lost is not taken for a broken-off ADD", async () => {
    const docker = { ...node.pod("docker"), netns: "none" };
    await node.add(docker);
    loseState();
    await add("later");
    expect(actions(await twice())).not.toContain("settle done");
    expect(names()).toContain(endpointName(docker));
  });

  test("endpoints that somebody uses are no orphans, whether or not their namespace is told", async () => {
    renew({ addresses: "hns", config: { subnet: "10.244.3.0/24" } });
    const docker = { ...node.pod("docker"), netns: "none" };
    const pod = node.pod("pod");
    await node.add(docker);
    await node.add(pod);
    loseState();
    await node.add(node.pod("later"));
    expect(actions(await twice())).not.toContain("orphan done");
    expect(names()).toEqual(expect.arrayContaining([endpointName(docker), endpointName(pod)]));
  });

  test("the host endpoint of several ranges is compared with all its addresses", async () => {
    const ipam = { cidr: undefined, pools: [{ cidr: "10.244.3.0/24" }, { cidr: "10.244.4.0/24" }] };
    renew({ config: { ipam } });
    await add("c1", { ipam });
    node.model.world.hnsStart = "another run"; // so that the network is compared anew
    expect(actions(await pass())).toEqual([]);
    await add("c2", { ipam });
    expect(node.podEndpoints()).toHaveLength(2);
  });
});

test("a pod whose configuration is no longer accepted keeps the others from nothing", async () => {
  const [bad, good] = [await add("bad", { mode: "bogus" }), await add("good")];
  const lost = [bad, good].map(({ pod }) => endpointName(pod));
  for (const [id, { name }] of node.model.world.endpoints) if (lost.includes(name)) node.model.world.endpoints.delete(id);
  const report = await pass();
  expect(actions(report).sort()).toEqual(["difference found", "endpoint done"]);
  expect(node.endpointOf(good.pod)).toBeDefined();
});

test("of pools for certain nodes those of this one alone make the network again", async () => {
  const pools = ["node-1", "node-2"].map((name, index) => ({
    cidr: `10.244.${3 + index}.0/24`,
    nodeSelector: { "kubernetes.io/hostname": name },
  }));
  renew({ config: { ipam: { cidr: undefined, pools: pools.slice(0, 1) } } });
  await add("c1", { ipam: { cidr: undefined, pools } });
  dropNetwork();
  await pass();
  const [network] = [...node.model.world.networks.values()];
  expect(network?.subnets.map(({ prefix }) => prefix)).toEqual(["10.244.3.0/24"]);
});
