import type { CniResult } from "../../../../src/core/cni/result.ts";
import { attachDelegated } from "../../../../src/core/engine/delegated.ts";
import { IpamDelegate } from "../../../../src/core/engine/delegate.ts";
import { normaliseDelegated } from "../../../../src/core/config/normalise.ts";
import { type AttachRequest, attachmentId, networkId } from "../../../../src/core/engine/attachment.ts";
import { Operation } from "../../../../src/core/engine/operation.ts";
import { configOfAttachment, configOfNetwork } from "../../../../src/core/engine/request-memory.ts";
import type { RequestRecord } from "../../../../src/core/engine/store.ts";
import { buildRaw, EngineFixture } from "../../../support/engine-fixture.ts";
import { FakeIpam } from "../../../support/fake-ipam.ts";

let node: EngineFixture;
const OF_NETWORK = networkId("node-1", "pods");

function renew(options: ConstructorParameters<typeof EngineFixture>[0] = {}): void {
  node = new EngineFixture(options);
}

beforeEach(() => renew());
afterEach(() => node.close());

const asking = (pod: AttachRequest, config: Record<string, unknown> = buildRaw()): AttachRequest => {
  return { ...pod, asked: { config, program: "hns-cni" } };
};

const find = (id: RequestRecord["id"]): RequestRecord | undefined => node.store.read((tx) => tx.findRequest(id));

function get(id: RequestRecord["id"]): RequestRecord {
  const found = find(id);
  if (found === undefined) throw new Error("nothing is remembered");
  return found;
}

function configOf(pod: AttachRequest): ReturnType<typeof configOfAttachment> {
  const attachment = node.attachment(pod);
  if (attachment === undefined) throw new Error("the pod is not attached");
  return configOfAttachment(get(attachmentId(pod)), attachment);
}

/** With addresses of another IPAM plugin. */
function addDelegated(pod: AttachRequest, raw: Record<string, unknown>): Promise<CniResult> {
  const process = node.spawn();
  const operation = new Operation(node.engine(process), normaliseDelegated(raw).config);
  const delegate = new IpamDelegate(new FakeIpam().program(pod.containerId), node.clock);
  return process.run(() => attachDelegated(operation, asking(pod, raw), delegate));
}

test("an ADD is remembered for the pod and for its network, without what only passes through", async () => {
  const pod = node.pod("c1");
  const own = { args: { cni: {} }, runtimeConfig: { mac: "00-15-5D-00-00-01" } };
  await node.add(asking(pod, buildRaw({ ...own, prevResult: { ips: [] }, "cni.dev/valid-attachments": [] })));
  expect(JSON.parse(get(attachmentId(pod)).config)).toEqual(buildRaw(own));
  expect(JSON.parse(get(OF_NETWORK).config)).toEqual(buildRaw());
  expect(configOfNetwork(get(OF_NETWORK))).toEqual(node.config);
});

test("it is durable together with the attachment: one that does not stand has none", async () => {
  const pod = node.pod("c1");
  node.model.faults.add({ call: "HcnModifyNamespace", kind: "fail", nth: 1, hresult: 0x80004005 });
  await expect(node.add(asking(pod))).rejects.toThrow();
  expect([find(attachmentId(pod)), find(OF_NETWORK)]).toEqual([undefined, undefined]);
});

test("a DEL forgets the pod and not the network", async () => {
  const pod = node.pod("c1");
  await node.add(asking(pod));
  await node.del(pod);
  expect(find(attachmentId(pod))).toBeUndefined();
  expect(find(OF_NETWORK)).toBeDefined();
});

test("a repeat adds what is not known, and leaves what is", async () => {
  const pod = node.pod("c1");
  await node.add(pod);
  await node.add(asking(pod));
  expect(configOf(pod)).toEqual(node.config);
  await node.add(asking(pod, buildRaw({ clusterCidrs: [] })));
  expect(configOf(pod)).toEqual(node.config);
});

test("a mode that the HNS network told is kept, whatever the configuration has in its place", async () => {
  node.foreignNetwork();
  const [unset, other] = [node.pod("c1"), node.pod("c2")];
  const { mode, ...config } = { ...node.config };
  node.config = config;
  await node.add(asking(unset, buildRaw({ mode: undefined })));
  await node.add(asking(other, buildRaw({ mode: undefined, Mode: null })));
  for (const id of [attachmentId(unset), attachmentId(other), OF_NETWORK]) {
    expect(JSON.parse(get(id).config)).toEqual({ ...buildRaw({ mode: undefined }), mode });
  }
  expect(configOf(unset)?.mode).toBe(mode);
});

test("with addresses of another IPAM plugin, the pod's result tells its range; a network alone tells none", async () => {
  const pod = node.pod("c1");
  await addDelegated(pod, { ...buildRaw(), ipam: { type: "fake-ipam" } });
  expect(configOfNetwork(get(OF_NETWORK))).toBeUndefined();
  const [subnet] = "ipam" in node.config ? node.config.ipam.pools : [];
  expect(configOf(pod)).toMatchObject({ ipam: { pools: [{ cidr: subnet?.cidr }] } });
});

test("with addresses that HNS chose, the pod's result tells them", async () => {
  renew({ addresses: "hns", config: { subnet: "10.244.3.0/24" } });
  const pod = node.pod("c1");
  const { ipam, ...raw } = buildRaw({ subnet: "10.244.3.0/24" });
  expect(ipam).toBeDefined();
  await node.add(asking(pod, raw));
  expect(configOf(pod)).toMatchObject({ hnsAddressed: { addresses: [{ address: { family: 4 }, prefix: 24 }] } });
  expect(configOfNetwork(get(OF_NETWORK))).toEqual(node.config);
});
