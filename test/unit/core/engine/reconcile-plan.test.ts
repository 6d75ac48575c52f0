import { attachmentId, type AttachRequest, endpointName } from "../../../../src/core/engine/attachment.ts";
import type { ReconcileReport } from "../../../../src/core/engine/reconcile/report.ts";
import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import { buildRaw, NETWORK, upper } from "../../../support/engine-fixture.ts";
import { createRandom } from "../../../support/random.ts";
import { lose } from "./reclaim-kit.ts";
import { GRACE_MS, ReconcileKit } from "./reconcile-kit.ts";

const ROUNDS = 60;

let kit: ReconcileKit;

/** What can become of a pod that was attached. */
const ACCIDENTS: Readonly<Record<string, (pod: AttachRequest) => unknown>> = {
  nothing: () => undefined,
  "endpoint lost": (pod) => lose(kit.node, pod, "endpoint"),
  "namespace lost": (pod) => lose(kit.node, pod, "namespace"),
  "both lost": (pod) => lose(kit.node, pod),
  "out of its namespace": (pod) => {
    const endpoint = kit.endpoint(pod);
    for (const { endpoints } of kit.node.model.world.namespaces.values()) remove(endpoints, endpoint.id);
    endpoint.namespace = null;
  },
  "policies lost": (pod) => kit.endpoint(pod).policies.splice(0),
  "routes lost": (pod) => kit.endpoint(pod).routes.splice(0),
  "what it asked for unknown": (pod) => {
    kit.node.database.run("DELETE FROM requests WHERE id = ?", attachmentId(pod));
    lose(kit.node, pod, "endpoint");
  },
  "a DEL that HNS refused": async (pod) => {
    kit.node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1, hresult: 0x80004005 });
    await kit.node.del(pod).catch(() => undefined);
    kit.node.model.faults.clear();
  },
  "a DEL that died": async (pod) => {
    kit.node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "kill-after", nth: 1 });
    await kit.node.del(pod).catch(() => undefined);
    kit.node.model.faults.clear();
  },
};

/** What can become of the node. */
const EVENTS: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  "HNS started anew": () => (kit.node.model.world.hnsStart = "another run"),
  "host endpoint lost": () => kit.dropHostEndpoint(),
  "networks lost": () => kit.dropNetworks(),
  "an ADD that died": async () => {
    kit.node.model.faults.add({ call: "HcnModifyNamespace", kind: "kill-after", nth: 1 });
    await kit.node.add(kit.node.pod("died")).catch(() => undefined);
    kit.node.model.faults.clear();
  },
  "an ADD that died, and its sandbox with it": async () => {
    const pod = kit.node.pod("died");
    kit.node.model.faults.add({ call: "HcnModifyNamespace", kind: "kill-after", nth: 1 });
    await kit.node.add(pod).catch(() => undefined);
    kit.node.model.faults.clear();
    lose(kit.node, pod);
  },
  "an endpoint without an attachment": () => {
    const key = { network: NETWORK, containerId: "late", ifname: "eth0" };
    const [network] = kit.node.model.world.networks.keys();
    const document = { Name: endpointName(key), IpConfigurations: [{ IpAddress: "10.244.3.99", PrefixLength: 24 }] };
    createEndpoint(kit.node.model.world, network ?? "", upper(attachmentId(key)), document);
  },
  "endpoints of others": () => kit.node.foreignEndpoint(`stranger_${NETWORK}`, "10.244.3.200"),
};

function remove<T>(list: T[], item: T): void {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
}

/** What was done, planned or found; what only waits for its time is told by a later look. */
function told({ entries }: ReconcileReport): string[] {
  return entries.flatMap(({ action, outcome, subject }) => (outcome === "waiting" ? [] : [`${action} of "${subject}"`]));
}

function pick(random: () => number, names: readonly string[]): string {
  return names[Math.floor(random() * names.length)] ?? "";
}

async function damage(random: () => number): Promise<string[]> {
  const happened: string[] = [];
  for (let index = 0; index < 4; index++) {
    const { pod } = await kit.add(`c${index}`);
    const name = pick(random, Object.keys(ACCIDENTS));
    happened.push(`c${index}: ${name}`);
    await ACCIDENTS[name]?.(pod);
  }
  const event = pick(random, Object.keys(EVENTS));
  await EVENTS[event]?.();
  return [...happened, event];
}

test("a dry run lists what the looks to come do, and leaves HNS and state as they are", async () => {
  const kinds = new Set<string>();
  for (let seed = 0; seed < ROUNDS; seed++) {
    kit = new ReconcileKit();
    const happened = await damage(createRandom(seed));
    const rows = (["attachments", "addresses", "networks", "leases"] as const).map((table) => kit.node.rows(table));
    kit.node.clearCalls();
    const planned = told(await kit.pass({ dryRun: true }));
    expect({ seed, happened, changes: kit.changes() }).toEqual({ seed, happened, changes: [] });
    expect((["attachments", "addresses", "networks", "leases"] as const).map((table) => kit.node.rows(table))).toEqual(rows);
    const first = told(await kit.pass());
    await kit.node.clock.advance(GRACE_MS);
    const done = new Set([...first, ...told(await kit.pass())]);
    expect({ seed, happened, told: [...done].sort() }).toEqual({ seed, happened, told: [...new Set(planned)].sort() });
    for (const entry of done) kinds.add(entry.split(" ")[0] ?? "");
    kit.node.close();
  }
  const all = ["difference", "endpoint", "host-endpoint", "leak", "network", "orphan", "policies", "rejoin", "settle"];
  expect([...kinds].sort()).toEqual(all);
});

test("what is to be done is listed at once, whether or not an earlier look has seen it", async () => {
  kit = new ReconcileKit();
  const pods = [await kit.add("c1"), await kit.add("c2")];
  if (pods[0] !== undefined) lose(kit.node, pods[0].pod, "namespace");
  if (pods[1] !== undefined) lose(kit.node, pods[1].pod);
  const plan = ['leak of "c2 eth0"', 'orphan of "c1 eth0"'];
  const real = ["leak waiting", "orphan waiting"];
  expect(told(await kit.pass({ dryRun: true })).sort()).toEqual(plan);
  const { entries } = await kit.pass();
  expect(entries.map(({ action, outcome }) => `${action} ${outcome}`).sort()).toEqual(real);
  expect(told(await kit.pass({ dryRun: true })).sort()).toEqual(plan);
  kit.node.close();
});

test("a network that differs is told by a dry run too", async () => {
  kit = new ReconcileKit();
  await kit.add("c1", buildRaw({ ipam: { cidr: "10.244.3.0/24" } }));
  kit.dropNetworks();
  kit.node.model.world.hnsStart = "later";
  kit.node.foreignNetwork({ Ipams: [{ Type: "Static", Subnets: [{ IpAddressPrefix: "10.9.0.0/24", Routes: [] }] }] });
  const tell = ({ entries }: ReconcileReport): string[] =>
    entries.flatMap(({ action, detail }) => (action === "difference" ? [detail] : []));
  const planned = tell(await kit.pass({ dryRun: true }));
  expect(planned).toHaveLength(1);
  expect(planned[0]).toContain("10.9.0.0/24");
  expect(tell(await kit.pass())).toEqual(planned);
  kit.node.close();
});
