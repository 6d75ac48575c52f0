/** Sandboxes as Docker's runtime names them: the first container of a pod is "none", the others "container:<its id>". */
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import type { EndpointRecord } from "../../../emulator/model/world.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

let node: EngineFixture;

afterEach(() => node.close());

const PAUSE: AttachRequest = { network: NETWORK, containerId: "pause1", ifname: "eth0", netns: "none" };
const WEB: AttachRequest = { network: NETWORK, containerId: "web1", ifname: "eth0", netns: "container:pause1" };

function attachedTo(): EndpointRecord["attachments"] {
  return node.podEndpoints().flatMap(({ attachments }) => attachments);
}

describe.each(["ours", "hns"] as const)("with addresses of %s", (addresses) => {
  beforeEach(() => {
    node = new EngineFixture({ addresses, ...(addresses === "hns" && { config: { subnet: "10.244.3.0/24" } }) });
  });

  test("the first container gets the endpoint, the second that one's result and no endpoint", async () => {
    const first = await node.add(PAUSE);
    expect(first.interfaces).toMatchObject([{ name: "eth0", sandbox: "none" }]);
    expect(attachedTo()).toEqual(["pause1"]);
    const second = await node.add(WEB);
    expect(second).toEqual({ ...first, interfaces: [{ ...first.interfaces[0], sandbox: "container:pause1" }] });
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`pause1_${NETWORK}`]);
    expect(attachedTo()).toEqual(["pause1", "web1"]);
    node.clearCalls();
    expect(await node.add(PAUSE)).toEqual(first);
    expect(await node.add(WEB)).toEqual(second);
    expect(node.calls().filter((name) => name === "HcnCreateEndpoint" || name === "HcnDeleteEndpoint")).toEqual([]);
    await node.check(PAUSE, first);
    await node.check(WEB, second);
  });

  test("DEL of the second leaves the first; DEL of the first leaves nothing", async () => {
    const first = await node.add(PAUSE);
    await node.add(WEB);
    await node.del(WEB);
    await node.check(PAUSE, first);
    await node.del(PAUSE);
    await node.del(PAUSE);
    expect(node.podEndpoints()).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("a first container that is not attached is INVALID_NAMESPACE, and nothing is made", async () => {
    await expect(node.add(WEB)).rejects.toMatchObject({ code: "INVALID_NAMESPACE", message: containing("pause1") });
    await node.add(PAUSE);
    await node.del(PAUSE);
    await expect(node.add(WEB)).rejects.toMatchObject({ code: "INVALID_NAMESPACE" });
    expect(node.podEndpoints()).toEqual([]);
  });

  test("an attach that HNS refuses is taken back", async () => {
    await node.add({ ...PAUSE, containerId: "other" }); // the network and its host endpoint stand
    node.model.faults.add({ call: "HNSCall", kind: "fail", match: "/attach", hresult: 0x80070057 });
    const before = node.held();
    await expect(node.add(PAUSE)).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`other_${NETWORK}`]);
    expect(node.held()).toEqual(before);
  });
});

test("an attachment in a namespace is not checked as one of Docker's", async () => {
  node = new EngineFixture();
  const pod = node.pod("c1");
  const result = await node.add(pod);
  await expect(node.check({ ...pod, netns: "none" }, result)).rejects.toMatchObject({ code: "CHECK_FAILED" });
});

test.each(["container:", "", "host", "00000000-0000-0000-0000-000000000000"])("CNI_NETNS %j names no sandbox", async (netns) => {
  node = new EngineFixture();
  await expect(node.add({ ...PAUSE, netns })).rejects.toMatchObject({ code: "INVALID_ENVIRONMENT", message: containing("CNI_NETNS") });
});
