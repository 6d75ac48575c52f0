import { attachmentId, endpointName } from "../../../../src/core/engine/attachment.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture, upper } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
let pod: AttachRequest;

beforeEach(async () => {
  node = new EngineFixture();
  await node.add(node.pod("other"));
  pod = node.pod("c1");
  node.model.faults.add({ call: "HcnCreateEndpoint", kind: "hang", nth: 1 });
  await expect(node.add(pod)).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
});
afterEach(() => node.close());

/** HNS carries the call out after all, under our id or one of its own. */
function finishLate(id: string = upper(attachmentId(pod))): void {
  node.foreignEndpoint(endpointName(pod), "10.244.3.4", id);
}

describe("a creation that the ADD stopped waiting for", () => {
  test("promise 3: keeps its address from everybody, since HNS may still carry it out", async () => {
    expect(node.address("10.244.3.4")).toMatchObject({ state: "quarantined", owner: attachmentId(pod) });
    expect(node.attachment(pod)).toMatchObject({ phase: "deleting" });
    expect((await node.add(node.pod("c2"))).ips[0]?.address).toBe("10.244.3.5/24");
  });

  test.each([undefined, "99999999-9999-4999-8999-999999999999"])("promise 4: carried out under the id %s is undone by DEL", async (id) => {
    finishLate(id);
    await node.del({ ...pod, netns: "" });
    expect(node.podEndpoints().map(({ name }) => name)).toEqual(["other_pods"]);
    expect(node.address("10.244.3.4")).toMatchObject({ state: "cooling" });
  });

  test.each([undefined, "99999999-9999-4999-8999-999999999999"])(
    "promise 4: carried out under the id %s makes way for the next ADD",
    async (id) => {
      finishLate(id);
      expect((await node.add(pod)).ips[0]?.address).toBe("10.244.3.4/24");
      expect(node.podEndpoints().map(({ name }) => name)).toEqual(["other_pods", "c1_pods"]);
      await node.check(pod);
    },
  );

  test("promise 4: carried out only after the DEL is removed by GC", async () => {
    await node.del(pod);
    finishLate();
    await node.gc([{ containerId: "other", ifname: "eth0" }]);
    expect(node.podEndpoints().map(({ name }) => name)).toEqual(["other_pods"]);
  });
});
