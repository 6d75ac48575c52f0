import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { deleteNetwork } from "../../../emulator/model/networks.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

async function attached(containerId: string, ifname = "eth0"): Promise<AttachRequest> {
  const pod = node.pod(containerId, ifname);
  await node.add(pod);
  return pod;
}

/** The record of an attachment is lost; its endpoint and its address stay. */
function forget(pod: AttachRequest): void {
  node.database.run("DELETE FROM attachments WHERE id = ?", attachmentId(pod));
}

function podNames(): string[] {
  return node.podEndpoints().map(({ name }) => name);
}

describe("GC", () => {
  test("removes what belongs to no valid attachment, and leaves the valid ones", async () => {
    const valid = await attached("c1");
    await attached("c2");
    await attached("c1", "eth1");
    await node.gc([valid]);
    expect(podNames()).toEqual([`c1_${NETWORK}`]);
    expect(node.held().addresses.map(({ owner }) => owner)).toEqual([attachmentId(valid)]);
    await node.check(valid);
    expect(node.model.handles.list()).toEqual([]);
  });

  test("removes endpoints of ours that no record names, and frees their addresses", async () => {
    const valid = await attached("c1");
    forget(await attached("c2"));
    await node.gc([valid]);
    expect(podNames()).toEqual([`c1_${NETWORK}`]);
    expect(node.address("10.244.3.4")).toMatchObject({ state: "cooling" });
  });

  test("finds such an endpoint also where the interface's name holds the network's", async () => {
    const stray = await attached("c2", `a_${NETWORK}1`);
    forget(stray);
    await node.gc([]);
    expect(podNames()).toEqual([]);
    expect(node.held().addresses).toEqual([]);
  });

  test("keeps such an endpoint of a valid attachment", async () => {
    const pod = await attached("c2");
    forget(pod);
    await node.gc([pod]);
    expect(podNames()).toEqual([`c2_${NETWORK}`]);
    expect(node.held().addresses).toHaveLength(1);
  });

  test("promise 5: never touches endpoints of others, whatever they are called", async () => {
    await attached("c1");
    node.foreignEndpoint(`c9_${NETWORK}`, "10.244.3.50");
    node.foreignEndpoint("calico_ep", "10.244.3.51");
    node.foreignEndpoint(`_${NETWORK}`, "10.244.3.52");
    node.foreignEndpoint("", "10.244.3.53");
    await node.gc([]);
    expect(podNames()).toEqual([`c9_${NETWORK}`, "calico_ep", `_${NETWORK}`, ""]);
  });

  test("removes an endpoint whose id HNS chose when its record says that it was ours", async () => {
    node = new EngineFixture({ settings: { ignoreCallerIds: true } });
    const pod = await attached("c1");
    const row = node.attachment(pod);
    if (row === undefined) throw new Error("no row");
    node.store.transaction((tx) => tx.putAttachment({ ...row, phase: "gone" }));
    await node.gc([]);
    expect(podNames()).toEqual([]);
    expect(node.held().addresses).toEqual([]);
  });

  test("settles attachments that a DEL left as deleting", async () => {
    const pod = await attached("c1");
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1 });
    await expect(node.del(pod)).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    await node.gc([]);
    expect(podNames()).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("frees addresses that no attachment holds also when the network is gone", async () => {
    forget(await attached("c1"));
    for (const id of node.model.world.networks.keys()) deleteNetwork(node.model.world, id);
    await node.gc([]);
    expect(node.held().addresses).toEqual([]);
  });

  test("leaves attachments of other networks alone", async () => {
    const pod = await attached("c1");
    const other = { ...pod, network: "other" };
    const row = node.attachment(pod);
    if (row === undefined) throw new Error("no row");
    node.store.transaction((tx) => tx.putAttachment({ ...row, network: "other", id: attachmentId(other) }));
    await node.gc([]);
    expect(node.attachment(other)).toMatchObject({ phase: "attached" });
  });

  test("goes on after a failure and reports every one", async () => {
    await attached("c1");
    await attached("c2");
    await attached("c3");
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1 });
    const failure = await node.gc([]).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: "CLEANUP_FAILED", retryable: true, data: { hresult: 0x8000ffff } });
    // The second half of GC found the endpoint whose removal had failed, by its name.
    expect(podNames()).toEqual([]);
    await node.gc([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("on a node without network and state does nothing and succeeds", async () => {
    await node.gc([]);
    expect(node.calls()).toEqual(["HcnEnumerateNetworks"]);
  });
});
