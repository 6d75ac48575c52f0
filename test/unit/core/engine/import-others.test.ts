/** State that was lost, of networks whose addresses another IPAM plugin or HNS chose: it is learned from HNS. */
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { normaliseDelegated } from "../../../../src/core/config/normalise.ts";
import type { DelegatedConfig } from "../../../../src/core/config/plugin-config.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { IpamDelegate } from "../../../../src/core/engine/delegate.ts";
import { attachDelegated, checkDelegated } from "../../../../src/core/engine/delegated.ts";
import { detach } from "../../../../src/core/engine/detach.ts";
import { Operation } from "../../../../src/core/engine/operation.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";
import { FakeIpam } from "../../../support/fake-ipam.ts";

interface Engine {
  add(pod: AttachRequest): Promise<CniResult>;
  check(pod: AttachRequest, prevResult?: CniResult): Promise<void>;
  del(pod: AttachRequest): Promise<void>;
}

let node: EngineFixture;
let ipam: FakeIpam;

function renew(options: ConstructorParameters<typeof EngineFixture>[0] = {}): void {
  node = new EngineFixture(options);
  ipam = new FakeIpam();
}

beforeEach(() => renew());
afterEach(() => node.close());

function delegating(changes: object = {}): Engine {
  const raw = { cniVersion: "1.1.0", name: NETWORK, type: "hns-cni", mode: "l2bridge", ipam: { type: "fake-ipam" }, ...changes };
  const operate = <T>(
    pod: AttachRequest,
    work: (operation: Operation<DelegatedConfig>, delegate: IpamDelegate) => Promise<T>,
  ): Promise<T> => {
    const process = node.spawn();
    const operation = new Operation(node.engine(process), normaliseDelegated(raw).config);
    return process.run(() => work(operation, new IpamDelegate(ipam.program(pod.containerId), node.clock)));
  };
  return {
    add: (pod) => operate(pod, (operation, delegate) => attachDelegated(operation, pod, delegate)),
    check: (pod, prevResult) => operate(pod, (operation, delegate) => checkDelegated(operation, { ...pod, prevResult }, delegate)),
    del: (pod) => operate(pod, (operation, delegate) => detach(operation, pod, () => delegate.del(operation.deadline))),
  };
}

function hnsAddressed(mode: string): Engine {
  renew({ addresses: "hns", config: { mode, subnet: "10.244.3.0/24" } });
  return node;
}

function loseState(): void {
  for (const table of ["attachments", "networks", "addresses", "blocks", "pools", "requests"]) node.database.run(`DELETE FROM ${table}`);
}

/** What a pod is in HNS. */
function inHns(): unknown {
  return node
    .podEndpoints()
    .map(({ id, name, addresses, namespace, policies, routes }) => [id, name, addresses, namespace, policies, routes]);
}

const ENGINES: readonly (readonly [string, () => Engine])[] = [
  ["another IPAM plugin", () => delegating()],
  ["another IPAM plugin, with its gateway", () => delegating({ gatewayMode: "ipam" })],
  ["HNS, on a bridge", () => hnsAddressed("l2bridge")],
  ["HNS, with NAT", () => hnsAddressed("nat")],
];

test.each(ENGINES)("addresses of %s: pods that run are known again, CHECK and DEL are as before", async (_, build) => {
  const engine = build();
  const pods = [node.pod("c1"), node.pod("c2")];
  const results = [];
  for (const pod of pods) results.push(await engine.add(pod));
  const before = inHns();
  const given = [...ipam.held];
  loseState();
  const [first, second] = pods;
  if (first === undefined || second === undefined) throw new Error("there are two pods");
  await engine.check(first, results[0]);
  expect(node.rows("attachments").map(({ container, phase }) => [container, phase])).toEqual(
    expect.arrayContaining([
      ["c1", "attached"],
      ["c2", "attached"],
    ]),
  );
  await engine.check(second, results[1]);
  expect([inHns(), [...ipam.held]]).toEqual([before, given]);
  for (const pod of pods) await engine.del(pod);
  expect([node.podEndpoints(), [...ipam.held], node.held().attachments]).toEqual([[], [], []]);
});

test.each(ENGINES)("addresses of %s: an ADD that comes again finds the pod that runs, and answers with its addresses", async (_, build) => {
  const engine = build();
  const pod = node.pod("c1");
  const result = await engine.add(pod);
  const before = inHns();
  const calls = ipam.calls.length;
  loseState();
  const again = await engine.add(pod);
  expect(again.ips).toEqual(result.ips);
  expect(again.routes).toEqual(result.routes);
  expect(again.interfaces).toEqual(result.interfaces);
  expect(inHns()).toEqual(before);
  expect(ipam.calls.slice(calls)).toEqual([]);
});

test.each(ENGINES)("addresses of %s: endpoints of others are not taken for ours, nor are their addresses kept", async (_, build) => {
  const engine = build();
  await engine.add(node.pod("c1"));
  node.foreignEndpoint(`stranger_${NETWORK}`, "10.244.3.200");
  loseState();
  await engine.add(node.pod("c2"));
  const containers = node.rows("attachments").map(({ container }) => container);
  expect(containers.sort()).toEqual(["c1", "c2"]);
  expect(node.rows("addresses")).toEqual([]);
});

test("an endpoint that is in no namespace is no pod that runs: ADD makes it anew, and DEL removes it", async () => {
  const engine = delegating();
  const pod = node.pod("c1");
  await engine.add(pod);
  for (const endpoint of node.podEndpoints()) endpoint.namespace = null;
  loseState();
  await engine.add(node.pod("c2"));
  expect(node.attachment(pod)).toMatchObject({ phase: "created", netns: "" });
  await engine.del(pod);
  expect(node.podEndpoints()).toHaveLength(1);
  expect([...ipam.held.keys()]).toEqual(["c2"]);
});
