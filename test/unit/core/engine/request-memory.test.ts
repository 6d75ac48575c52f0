import { attachmentId, networkId } from "../../../../src/core/engine/attachment.ts";
import { configOfAttachment, configOfNetwork, rememberRequest } from "../../../../src/core/engine/request-memory.ts";
import { buildRaw, EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
beforeEach(() => (node = new EngineFixture()));
afterEach(() => node.close());

const call = (key: Parameters<typeof attachmentId>[0], rawConfig = buildRaw()): Parameters<typeof rememberRequest>[1] => {
  return { key, nodeName: "node-1", rawConfig, program: "hns-cni" };
};

test("an ADD that stands is remembered for the pod and for its network, without what only passes through", async () => {
  const pod = node.pod("c1");
  await node.add(pod);
  const raw = buildRaw({ prevResult: { ips: [] }, "cni.dev/valid-attachments": [] });
  node.store.transaction((tx) => rememberRequest(tx, call(pod, raw)));
  const found = node.store.read((tx) => [tx.findRequest(attachmentId(pod)), tx.findRequest(networkId("node-1", "pods"))]);
  expect(found.map((request) => request?.config)).toEqual([JSON.stringify(buildRaw()), JSON.stringify(buildRaw())]);
  const [request] = found;
  const attachment = node.attachment(pod);
  if (request === undefined || attachment === undefined) throw new Error("nothing is remembered");
  expect(configOfAttachment(request, attachment)).toEqual(node.config);
  expect(configOfNetwork(request)).toEqual(node.config);
});

test("one that does not stand is not remembered, and a DEL forgets the pod and not the network", async () => {
  const pod = node.pod("c1");
  node.store.transaction((tx) => rememberRequest(tx, call(pod)));
  expect(node.store.read((tx) => tx.findRequest(networkId("node-1", "pods")))).toBeUndefined();
  await node.add(pod);
  node.store.transaction((tx) => rememberRequest(tx, call(pod)));
  await node.del(pod);
  expect(node.store.read((tx) => tx.findRequest(attachmentId(pod)))).toBeUndefined();
  expect(node.store.read((tx) => tx.findRequest(networkId("node-1", "pods")))).toBeDefined();
});

test("with addresses of another IPAM plugin, the pod's result tells its range; a network alone tells none", async () => {
  const pod = node.pod("c1");
  await node.add(pod);
  const raw = { ...buildRaw(), ipam: { type: "host-local" } };
  node.store.transaction((tx) => rememberRequest(tx, call(pod, raw)));
  const request = node.store.read((tx) => tx.findRequest(attachmentId(pod)));
  const attachment = node.attachment(pod);
  if (request === undefined || attachment === undefined) throw new Error("nothing is remembered");
  expect(configOfNetwork(request)).toBeUndefined();
  const own = "ipam" in node.config ? node.config.ipam.pools[0].cidr : undefined;
  expect(configOfAttachment(request, attachment)?.ipam.pools[0].cidr).toEqual(own);
});
