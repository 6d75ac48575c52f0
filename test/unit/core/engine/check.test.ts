import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import { deleteEndpoint } from "../../../emulator/model/endpoints.ts";
import type { EndpointRecord } from "../../../emulator/model/world.ts";
import { buildConfig, EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
let pod: AttachRequest;
let result: CniResult;

beforeEach(async () => {
  node = new EngineFixture();
  pod = node.pod("c1");
  result = await node.add(pod);
});
afterEach(() => node.close());

/** The pod's endpoint, to be changed behind our back; the fields of HNS itself are changed, as another tool would. */
function endpoint(): { -readonly [K in keyof EndpointRecord]: EndpointRecord[K] } {
  const found = node.endpointOf(pod);
  if (found === undefined) throw new Error("no endpoint");
  return found;
}

async function differences(request: AttachRequest = pod, prevResult?: CniResult): Promise<string> {
  const failure: unknown = await node.check(request, prevResult).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(failure).toMatchObject({ code: "CHECK_FAILED" });
  return (failure as Error).message;
}

describe("CHECK", () => {
  test("succeeds for what ADD made, with and without prevResult", async () => {
    await node.check(pod);
    await node.check(pod, result);
  });

  test("does not mind what later plugins of a chain added", async () => {
    const { interfaces, ips } = result;
    const chained = {
      ...result,
      interfaces: [{ name: "host0" }, ...interfaces],
      ips: [...ips.map((ip) => ({ ...ip, interface: 1 })), { address: "192.0.2.7/24", interface: 0 }],
    };
    endpoint().policies.push({ Type: "ACL", Settings: { Action: "Allow" } });
    endpoint().routes.push({ nextHop: "10.244.3.9", destination: "192.0.2.0/24" });
    await node.check(pod, chained);
  });

  test("does not mind an interface of the node, or of another sandbox, that has the same name", async () => {
    const others = [{ name: "eth0" }, { name: "eth0", sandbox: node.pod("c2").netns }];
    const ips = others.map((_, index) => ({ address: `192.0.2.${index + 7}/24`, interface: index + 1 }));
    await node.check(pod, { ...result, interfaces: [...result.interfaces, ...others], ips: [...result.ips, ...ips] });
  });

  test("does not mind fields that HNS adds to a policy", async () => {
    for (const policy of endpoint().policies) policy["Settings"] = { ...(policy["Settings"] as object), Flags: 1 };
    await node.check(pod);
  });

  test("a missing endpoint", async () => {
    deleteEndpoint(node.model.world, endpoint().id);
    expect(await differences()).toContain(`HNS has no endpoint ${attachmentId(pod)}`);
  });

  test("an endpoint in no namespace", async () => {
    endpoint().namespace = null;
    const message = await node.check(pod).catch((thrown: unknown) => String(thrown));
    expect(message).toContain(`the endpoint is in no namespace, wanted ${pod.netns}`);
  });

  test("an endpoint in another namespace", async () => {
    const other = node.pod("c2").netns;
    expect(await differences({ ...pod, netns: other })).toContain(`the endpoint is in namespace ${pod.netns}, wanted ${other}`);
  });

  test("another address", async () => {
    endpoint().addresses[0] = { address: "10.244.3.99", prefix: 24 };
    expect(await differences()).toContain("the endpoint lacks the address 10.244.3.3 of the result of ADD (it has 10.244.3.99)");
  });

  test("an address that prevResult has on this interface and the endpoint has not", async () => {
    const prevResult = { ...result, ips: [...result.ips, { address: "10.244.3.42/24", interface: 0 }] };
    expect(await differences(pod, prevResult)).toContain("the endpoint lacks the address 10.244.3.42 of prevResult");
  });

  test("a missing default route", async () => {
    endpoint().routes.length = 0;
    expect(await differences()).toContain("the endpoint has no default route through 10.244.3.2");
  });

  test("a missing policy", async () => {
    endpoint().policies = endpoint().policies.filter((policy) => policy["Type"] !== "SDNRoute");
    expect(await differences()).toContain('the endpoint lacks the policy SDNRoute {"DestinationPrefix":"10.96.0.0/12","NeedEncap":true}');
  });

  test("a policy with another value", async () => {
    node.config = buildConfig({ serviceCidrs: ["10.112.0.0/12"] });
    expect(await differences()).toContain('SDNRoute {"DestinationPrefix":"10.112.0.0/12","NeedEncap":true}');
  });

  test("an address that is reserved for somebody else", async () => {
    const record = node.store.read((tx) => tx.listOwned(attachmentId(pod)))[0];
    if (record === undefined) throw new Error("no address");
    node.store.transaction((tx) => tx.putAddress({ ...record, owner: "conflict" }));
    expect(await differences()).toContain("the address 10.244.3.3 is not reserved for this attachment");
  });

  test("an attachment that is unknown, or already removed", async () => {
    expect(await differences({ ...pod, containerId: "c2" })).toContain("the attachment is unknown");
    await node.del(pod);
    expect(await differences()).toContain('the attachment is in phase "gone"');
  });

  test("names every difference at once, each once", async () => {
    endpoint().routes.length = 0;
    endpoint().addresses[0] = { address: "10.244.3.99", prefix: 24 };
    const message = await differences(pod, result);
    expect(message.match(/10\.244\.3\.3 of the result of ADD/g)).toHaveLength(1);
    expect(message).toContain("of prevResult");
    expect(message).toContain("default route");
  });

  test("HNS that does not answer is no CHECK_FAILED", async () => {
    node.model.faults.add({ call: "HcnOpenEndpoint", kind: "hang" });
    await expect(node.check(pod)).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
  });
});
