/** Addresses that somebody else's endpoints are believed to have: others come first, and HNS has the last word. */
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { attach } from "../../../../src/core/engine/attach.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { Operation } from "../../../../src/core/engine/operation.ts";
import { findInconsistencies } from "../../../../src/core/ipam/consistency.ts";
import { NETWORK } from "../../../support/engine-fixture.ts";
import { ReconcileKit } from "./reconcile-kit.ts";

let kit: ReconcileKit;
let believed: Set<string> | undefined;

function renew(config: Readonly<Record<string, unknown>> = {}): void {
  kit = new ReconcileKit({ config });
  believed = undefined;
}

beforeEach(() => renew());
afterEach(() => {
  const problems = kit.node.store.read((tx) => findInconsistencies(tx));
  kit.node.close();
  expect(problems).toEqual([]);
});

function add(pod: AttachRequest): Promise<CniResult> {
  const { node } = kit;
  const process = node.spawn();
  const { config } = node.operation(process);
  const operation = new Operation({ ...node.engine(process), foreign: (network) => (network === NETWORK ? believed : undefined) }, config);
  return process.run(() => attach(operation, pod));
}

async function addressOf(name: string): Promise<string | undefined> {
  return (await add(kit.node.pod(name))).ips[0]?.address;
}

const creates = (): number => kit.node.calls().filter((name) => name === "HcnCreateEndpoint").length;
const quarantined = (): unknown[] => kit.node.rows("addresses").flatMap(({ address, state }) => (state === "quarantined" ? [address] : []));

test("they are passed over without a call, and nothing is quarantined", async () => {
  await addressOf("first");
  for (const last of [4, 5]) kit.node.foreignEndpoint(`somebody-${last}`, `10.244.3.${last}`);
  believed = new Set((await kit.pass()).foreign.get(NETWORK));
  expect([...believed].sort()).toEqual(["10.244.3.4", "10.244.3.5"]);
  kit.node.clearCalls();
  expect(await addressOf("c1")).toBe("10.244.3.6/24");
  expect(await addressOf("c2")).toBe("10.244.3.7/24");
  expect([creates(), quarantined()]).toEqual([2, []]);
});

test("what the looks tell of endpoints of ours is nothing to pass over", async () => {
  await kit.add("c1");
  kit.node.foreignEndpoint(`stranger_${NETWORK}`, "10.244.3.200"); // may be an ADD of ours that began meanwhile
  expect([...((await kit.pass()).foreign.get(NETWORK) ?? [])]).toEqual([]);
});

test("a belief that is out of date refuses no pod: what is passed over is given out when there is nothing else", async () => {
  renew({ ipam: { cidr: "10.244.3.0/28" } });
  believed = new Set(Array.from({ length: 6 }, (_, index) => `10.244.3.${index + 3}`));
  const given = [];
  for (let index = 0; index < 12; index++) given.push(await addressOf(`c${index}`));
  expect(given.slice(0, 6)).toEqual([9, 10, 11, 12, 13, 14].map((last) => `10.244.3.${last}/28`));
  expect(new Set(given).size).toBe(12);
  expect(quarantined()).toEqual([]);
});

test("one that is out of date about all of a pool costs the pods nothing", async () => {
  renew({ ipam: { cidr: "10.244.3.0/26" } });
  believed = new Set(Array.from({ length: 64 }, (_, index) => `10.244.3.${index}`));
  const given = new Set<string | undefined>();
  for (let index = 0; index < 20; index++) given.add(await addressOf(`c${index}`));
  expect(given.size).toBe(20);
});

test("an endpoint that came since is met by HNS's refusal, as ever", async () => {
  await addressOf("first");
  believed = new Set();
  kit.node.foreignEndpoint("somebody", "10.244.3.4");
  expect(await addressOf("c1")).toBe("10.244.3.5/24");
  expect(quarantined()).toEqual(["10.244.3.4"]);
});
