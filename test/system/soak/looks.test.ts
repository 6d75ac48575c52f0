/** What a soak looks for is found when it is there. */
import { attachmentId } from "../../../src/core/engine/attachment.ts";
import { findViolations, type NodeView } from "../../support/soak/check.ts";
import { Gate } from "../../support/soak/gate.ts";
import { judge } from "../../support/soak/limits.ts";
import { Population, type SoakPod } from "../../support/soak/population.ts";
import type { Sample } from "../../support/soak/samples.ts";
import { renderSoakPlot } from "../../support/soak/plot.ts";
import { containing } from "../../unit/core/cni/matchers.ts";

const NETWORK = "pods";
const NETNS = "11111111-2222-3333-4444-555555555555";
const MAC = "00-15-5D-00-00-01";

function makePod(containerId: string, address: string): SoakPod {
  const result = {
    cniVersion: "1.1.0",
    interfaces: [{ name: "eth0", mac: "00:15:5d:00:00:01", sandbox: NETNS }],
    ips: [{ address, gateway: "10.244.3.2", interface: 0 }],
    routes: [],
    dns: {},
  };
  const flags = { isSandboxGone: false, isUnknownToAgent: false, mayHaveNewMac: false, isRaced: false };
  return { containerId, netns: NETNS, ifname: "eth0", runtimeConfig: {}, args: "", result, ...flags };
}

function makeView(): NodeView {
  const pod = makePod("c1", "10.244.3.3/24");
  const id = attachmentId({ network: NETWORK, containerId: "c1", ifname: "eth0" });
  const host = { name: "pods_ep", addresses: ["10.244.3.2/24"], mac: "", namespace: null, hostCompartment: 1, forwarding: true };
  const own = { name: "c1_pods", addresses: ["10.244.3.3/24"], mac: MAC, namespace: NETNS, hostCompartment: null, forwarding: false };
  return {
    network: NETWORK,
    live: [pod],
    networks: [{ name: NETWORK }],
    endpoints: [host, own],
    namespaces: [{ id: NETNS, endpoints: ["e1"] }],
    rows: {
      attachments: [
        { id, container: "c1", endpoint: id, phase: "attached" },
        { id: "old", container: "c0", endpoint: "old", phase: "gone" },
      ],
      addresses: [
        { address: "10.244.3.3", state: "assigned", owner: id },
        { address: "10.244.3.4", state: "cooling", owner: "old" },
      ],
      leases: 0,
      networks: [{ name: NETWORK, hns_id: "n1" }],
    },
    waiting: 0,
    requests: 2,
  };
}

describe("a node at rest", () => {
  const view = makeView();
  const [host, own] = view.endpoints;
  const [pod] = view.live;
  const [address] = view.rows.addresses;
  const [attachment] = view.rows.attachments;
  if (host === undefined || own === undefined || pod === undefined || address === undefined || attachment === undefined) throw new Error();
  const rows = (changed: Partial<NodeView["rows"]>): NodeView["rows"] => ({ ...view.rows, ...changed });

  it("is right when HNS, the state and the runtime agree", () => expect(findViolations(view)).toEqual([]));

  it.each<[string, Partial<NodeView>, string]>([
    ["a pod without endpoint", { endpoints: [host] }, "pod c1 has no endpoint"],
    ["another address", { endpoints: [host, { ...own, addresses: ["10.244.3.9/24"] }] }, "10.244.3.9/24"],
    ["another MAC address", { endpoints: [host, { ...own, mac: "00-15-5D-00-00-02" }] }, "00155d000002"],
    ["an endpoint of nobody", { endpoints: [host, own, { ...own, namespace: "other" }] }, "belongs to nobody"],
    ["one MAC address twice", { endpoints: [{ ...host, mac: MAC }, own] }, "2 endpoints have 1 MAC addresses"],
    ["two endpoints of one pod", { endpoints: [host, own, own] }, "two endpoints"],
    ["no endpoint of the node", { endpoints: [own] }, "the node's own endpoint is missing"],
    ["one that does not forward", { endpoints: [{ ...host, forwarding: false }, own] }, "not attached"],
    ["another network", { networks: [{ name: NETWORK }, { name: "x" }] }, "networks: pods, x"],
    ["a namespace too many", { namespaces: [...view.namespaces, { id: "n", endpoints: [] }] }, "2 namespaces for 1 pods"],
    ["an address of nobody", { rows: rows({ addresses: [address, { ...address, address: "10.244.3.5" }] }) }, "10.244.3.5 is assigned"],
    ["a pod without address", { rows: rows({ addresses: [] }) }, "0 addresses are assigned"],
    ["quarantine", { rows: rows({ addresses: [address, { ...address, address: "10.244.3.5", state: "quarantined" }] }) }, "is quarantined"],
    ["an ADD that broke off", { rows: rows({ attachments: [attachment, { ...attachment, id: "b", phase: "intent" }] }) }, "b is intent"],
    ["an attachment too few", { rows: rows({ attachments: [] }) }, "0 attachments for 1 pods"],
    ["a lease", { rows: rows({ leases: 1 }) }, "1 leases are left"],
    ["a place in line", { waiting: 1 }, "1 places in line"],
    ["a configuration of nobody", { requests: 3 }, "3 configurations"],
  ])("is wrong with %s", (_, changed, text) => {
    expect(findViolations({ ...view, ...changed })).toContainEqual(containing(text));
  });
});

describe("two owners of one address", () => {
  const [first, second] = [makePod("c1", "10.244.3.3/24"), makePod("c2", "10.244.3.3/24")];
  const own = (pods: Population, pod: SoakPod): string | undefined => (pod.result === undefined ? "no result" : pods.own(pod, pod.result));

  it("are told at once, unless the DEL of the first one began", () => {
    const pods = new Population();
    expect(own(pods, first)).toBeUndefined();
    expect(own(pods, first)).toBeUndefined();
    expect(own(pods, second)).toContain("was given to c2 while c1 has it");
    const others = new Population();
    own(others, { ...first });
    const again = { ...first };
    own(others, again);
    others.disown(again);
    expect(own(others, second)).toContain("while c1 has it"); // another pod's DEL frees nothing
  });
});

describe("a gate", () => {
  it("lets one alone in when the others are out, and others only after it", async () => {
    const gate = new Gate();
    const seen: string[] = [];
    let leave: () => void = () => undefined;
    const inside = gate.shared(() => new Promise<void>((resolve) => (leave = resolve)).then(() => void seen.push("first")));
    const alone = gate.alone(
      () => Promise.resolve(void seen.push("alone")),
      () => Promise.resolve(void seen.push("closed")),
    );
    const after = gate.shared(() => Promise.resolve(void seen.push("after")));
    await Promise.resolve();
    leave();
    await Promise.all([inside, alone, after]);
    expect(seen).toEqual(["closed", "first", "alone", "after"]);
  });
});

describe("limits", () => {
  const sample: Sample = {
    ...{ weather: "calm", calls: 0, seconds: 0, life: 1, lifeCalls: 0, pods: 0, rssMb: 110, threads: 39, descriptors: 60, handles: 0 },
    ...{ stateKb: 200, walKb: 4_096, rows: 0, agentLogKb: 0, programLogKb: 0, metricsMs: 1 },
  };
  const walk = (change: (at: number) => Partial<Sample>): Sample[] =>
    Array.from({ length: 40 }, (_, at) => ({ ...sample, calls: at * 500, lifeCalls: at * 500, ...change(at) }));
  const exceeded = (samples: readonly Sample[]): string[] => judge(samples).flatMap(({ what, isKept }) => (isKept ? [] : [what]));

  it("are kept by a node that swings and does not grow", () => {
    expect(exceeded(walk((at) => ({ rssMb: 120 + (at % 3) * 10, rows: at * 200, stateKb: 200 + at * 120 })))).toEqual([]);
  });

  it.each<[string, (at: number) => Partial<Sample>, string]>([
    ["memory that grows", (at) => ({ rssMb: 100 + at }), "Memory of the agent (RSS)"],
    ["much memory", (at) => ({ rssMb: at === 20 ? 170 : 120 }), "Memory of the agent (RSS)"],
    ["threads that stay", (at) => ({ threads: 39 + at }), "Threads"],
    ["files that stay open", (at) => ({ descriptors: 50 + at }), "Open files and sockets"],
    ["handles that stay open", () => ({ handles: 1 }), "Open handles of HNS"],
    ["a state that outgrows its rows", (at) => ({ stateKb: 200 + at * 120 }), "state.db"],
    ["a journal that is never emptied", (at) => ({ walKb: at * 1_000 }), "state.db-wal"],
    ["a log that is not set aside", (at) => ({ agentLogKb: at * 5_000 }), "agent.log, all files"],
    ["the programs' log neither", (at) => ({ programLogKb: at * 5_000 }), "hns-cni.log, all files"],
  ])("are exceeded by %s", (_, change, what) => expect(exceeded(walk(change))).toEqual([what]));

  it("look at memory over the longest life of an agent", () => {
    const lives = walk((at) => ({ life: at < 5 ? 1 : 2, rssMb: at < 5 ? 90 : 130 }));
    expect(judge(lives)[0]).toMatchObject({ first: 130, last: 130, highest: 130, isKept: true });
  });

  it("are drawn", () => expect(renderSoakPlot(walk(() => ({})))).toContain("state.db, MB"));
});
