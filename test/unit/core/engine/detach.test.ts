import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { deleteEndpoint } from "../../../emulator/model/endpoints.ts";
import { deleteNamespace } from "../../../emulator/model/namespaces.ts";
import { deleteNetwork } from "../../../emulator/model/networks.ts";
import { EngineFixture, LATE_MS, NETWORK, upper } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
let pod: AttachRequest;

beforeEach(async () => {
  node = new EngineFixture();
  pod = node.pod("c1");
  await node.add(pod);
});
afterEach(() => node.close());

function loseState(): void {
  for (const table of ["attachments", "addresses", "blocks", "pools", "leases", "networks"]) node.database.run(`DELETE FROM ${table}`);
}

function dropNetwork(): void {
  for (const id of node.model.world.networks.keys()) deleteNetwork(node.model.world, id);
}

type Loss = readonly [what: string, lose: () => AttachRequest];

const LOSSES: readonly Loss[] = [
  ["nothing", () => pod],
  ["the netns of the request", () => ({ ...pod, netns: "" })],
  ["a netns that is no GUID", () => ({ ...pod, netns: "/var/run/netns/x" })],
  ["the namespace", () => (deleteNamespace(node.model.world, upper(pod.netns)), pod)],
  ["the namespace, and no netns", () => (deleteNamespace(node.model.world, upper(pod.netns)), { ...pod, netns: "" })],
  ["the network", () => (dropNetwork(), pod)],
  ["the endpoint", () => (deleteEndpoint(node.model.world, upper(attachmentId(pod))), pod)],
  ["the state", () => (loseState(), pod)],
  ["the state and the netns", () => (loseState(), { ...pod, netns: "" })],
  ["everything after a reboot", () => (node.model.reboot(), node.clock.reboot("boot-2"), pod)],
];

describe("DEL", () => {
  test.each(LOSSES)("promise 3: succeeds when %s is missing, and again", async (_what, lose) => {
    const request = lose();
    for (let time = 0; time < 3; time++) {
      await node.del(request);
      expect(node.podEndpoints()).toEqual([]);
      expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
      expect(node.model.handles.list()).toEqual([]);
    }
  });

  test("leaves the namespace without the endpoint, and network and host endpoint as they are", async () => {
    const networks = [...node.model.world.networks.keys()];
    await node.del(pod);
    expect(node.model.world.namespaces.get(upper(pod.netns))?.endpoints).toEqual([]);
    expect([...node.model.world.networks.keys()]).toEqual(networks);
    expect(node.model.world.endpoints.size).toBe(1);
  });

  test("puts the address to rest, so that the next pod gets another", async () => {
    await node.del(pod);
    expect(node.address("10.244.3.3")).toMatchObject({ state: "cooling", released_uptime: node.clock.uptime() });
    expect((await node.add(node.pod("c2"))).ips[0]?.address).toBe("10.244.3.4/24");
  });

  test("promise 3: never matches by address: an endpoint of others with the pod's address stays", async () => {
    deleteEndpoint(node.model.world, upper(attachmentId(pod)));
    const foreign = node.foreignEndpoint("somebody", "10.244.3.3");
    await node.del(pod);
    expect(node.podEndpoints()).toEqual([foreign]);
  });

  test("a second interface of the pod stays", async () => {
    const second = { ...pod, ifname: "eth1" };
    await node.add(second);
    await node.del(pod);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}_eth1`]);
    await node.check(second);
  });

  test.each([
    ["refused", { kind: "fail" }, "CLEANUP_FAILED"],
    ["never answered", { kind: "hang" }, "HNS_TIMEOUT"],
    ["done too late", { kind: "late", ms: LATE_MS }, "HNS_TIMEOUT"],
  ] as const)("promise 3: a deletion that HNS %s keeps the address from everybody until HNS confirms it", async (_how, fault, code) => {
    node.model.faults.add({ call: "HcnDeleteEndpoint", ...fault });
    await expect(node.del(pod)).rejects.toMatchObject({ code, retryable: true });
    expect(node.address("10.244.3.3")).toMatchObject({ state: "quarantined" });
    expect(node.attachment(pod)?.phase).toBe("deleting");
    expect((await node.add(node.pod("c2"))).ips[0]?.address).toBe("10.244.3.4/24");
    node.model.faults.clear();
    await node.release(LATE_MS);
    await node.del({ ...pod, netns: "" });
    expect(node.address("10.244.3.3")).toMatchObject({ state: "cooling" });
    expect(node.attachment(pod)?.phase).toBe("gone");
  });

  test("goes on to delete the endpoint when the namespace cannot be left", async () => {
    node.model.faults.add({ call: "HcnModifyNamespace", kind: "fail" });
    await node.del(pod);
    expect(node.podEndpoints()).toEqual([]);
    expect(node.model.handles.list()).toEqual([]);
  });

  test("HNS that is not there is HNS_UNAVAILABLE, and the address stays held", async () => {
    node.model.faults.add({ call: "*", kind: "fail", hresult: 0x800706ba });
    await expect(node.del(pod)).rejects.toMatchObject({ code: "HNS_UNAVAILABLE" });
    expect(node.address("10.244.3.3")).toMatchObject({ state: "quarantined" });
  });

  test("forgets finished attachments after an hour", async () => {
    await node.del(pod);
    await node.clock.advance(3_600_001);
    const next = node.pod("c2");
    await node.add(next);
    await node.del(next);
    expect(node.rows("attachments").map(({ container }) => container)).toEqual(["c2"]);
  });

  test("an ADD after a DEL of the same container makes it anew", async () => {
    await node.del(pod);
    await node.clock.advance(30_000);
    expect((await node.add(pod)).ips[0]?.address).toBe("10.244.3.4/24");
    await node.check(pod);
  });
});

test("promise 5: an endpoint that HNS gives under our name and that has another is left alone", async () => {
  node.foreignEndpoint("not ours", "10.244.3.9");
  const process = node.spawn();
  const { enumerate } = process.backend;
  process.backend.enumerate = (kind, _filter, options) => enumerate(kind, {}, options);
  await node.del({ ...pod, containerId: "never added" }, process);
  expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}`, "not ours"]);
});
