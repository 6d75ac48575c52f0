import { listAttachments, showAttachments } from "../../../src/cli/attachment.ts";
import { planRepairs } from "../../../src/cli/reconcile.ts";
import { showStatus } from "../../../src/cli/status.ts";
import type { AgentStatus } from "../../../src/service/agent/admin-protocol.ts";
import { ADDRESS, ATTACHMENT, BLOCK, NETWORK, POOL, REQUEST } from "../../contract/state-store.contract.ts";
import { STATUS } from "./agent-status.ts";
import { attempt } from "./attempt.ts";
import { FakeWorld } from "./fake-world.ts";

const RESULT = JSON.stringify({ interfaces: [{ name: "eth0" }], ips: [{ address: "10.244.3.3/24" }], routes: [], dns: {} });

/** A node whose state holds one pod. */
function withPod(): FakeWorld {
  const world = new FakeWorld();
  world.openState(world.defaultStateDir).transaction((tx) => {
    tx.swapPool(POOL, undefined);
    tx.swapBlock(BLOCK, undefined);
    tx.putAddress(ADDRESS);
    tx.putNetwork(NETWORK);
    tx.putAttachment({ ...ATTACHMENT, containerId: "c1c1c1c1c1c1c1c1", result: RESULT });
    tx.putRequest(REQUEST);
  });
  return world;
}

function asked(changes: Partial<AgentStatus> = {}): FakeWorld {
  const world = new FakeWorld();
  world.answers.set("status", { ...STATUS, ...changes });
  return world;
}

describe("hns-cni status", () => {
  test("shows what the agent says on one screen", async () => {
    const world = asked({ errors: [{ time: "T1", message: "failed", fields: { error: { message: "HNS hangs" } } }] });
    expect(await showStatus(world, { stateDir: undefined, output: "text" })).toBe(0);
    expect(world.out).toBe(
      [
        "agent     ready, version 1.2.3, process 4711, since 2026-01-02T03:04:05.000Z",
        "calls     2 under way, 1 stuck in HNS",
        "HNS       answers, run 700-133",
        "pods      2 attached, 1 deleting",
        "state     C:\\ProgramData\\hns-cni",
        "",
        "NETWORK  ID                                    MADE BY  HNS",
        "pods     f29aed18-5242-5989-bc69-359ae70f84df  ours     15.2",
        "",
        "POOL                FREE  ASSIGNED  COOLING  QUARANTINED",
        "pods/10.244.3.0/24  1     2         3        4",
        "",
        "last look at HNS 2026-01-02T03:05:00.000Z: all as it should be",
        "",
        "last errors",
        "  T1 failed: HNS hangs",
        "",
      ].join("\n"),
    );
  });

  test.each<[string, Partial<AgentStatus>, string]>([
    ["an HNS that hangs", { breaker: { state: "open", restMs: 4_200 } }, "HNS       HANGS: tried again in 5 s"],
    ["an agent that is not ready", { isReady: false, reason: "starting" }, "agent     NOT READY: starting"],
  ])("%s is bad news", async (_what, changes, line) => {
    const world = asked(changes);
    expect(await showStatus(world, { stateDir: undefined, output: "text" })).toBe(1);
    expect(world.out).toContain(line);
  });

  test("what the last look did is told", async () => {
    const entry = { action: "endpoint", outcome: "done", network: "pods", subject: "c1 eth0", detail: "HNS has lost it" } as const;
    const world = asked({ reconcile: { at: "T", entries: [entry], endpoints: {} } });
    await showStatus(world, { stateDir: undefined, output: "text" });
    expect(world.out).toContain("  endpoint done: pods c1 eth0 HNS has lost it\n");
  });

  test("without an agent it reads the state, and says so", async () => {
    const world = withPod();
    expect(await showStatus(world, { stateDir: undefined, output: "text" })).toBe(0);
    expect(world.out).toContain("none listens: plugins work alone, and this is read from the state\npods      1 attached\n");
    expect(world.out).toContain("pods/10.244.3.0/24");
    const document = withPod();
    await showStatus(document, { stateDir: undefined, output: "json" });
    expect(JSON.parse(document.out)).toMatchObject({ agent: null, node: { attachments: { attached: 1 } } });
  });

  test("on a node where nothing ever happened it says that", async () => {
    const world = new FakeWorld();
    expect(await showStatus(world, { stateDir: undefined, output: "text" })).toBe(0);
    expect(world.out).toContain("no pod has been attached");
    expect(world.states.size).toBe(0);
  });
});

describe("hns-cni attachment", () => {
  const LIST = { network: undefined, stateDir: undefined, all: false, output: "text" } as const;

  test("list shows what is attached, and with --all what is gone", async () => {
    const world = withPod();
    expect(listAttachments(world, LIST)).toBe(0);
    expect(world.out).toBe(
      "CONTAINER      INTERFACE  NETWORK  PHASE     ADDRESSES\nc1c1c1c1c1c1c  eth0       pods     attached  10.244.3.3\n",
    );
    const gone = new FakeWorld();
    gone.openState(gone.defaultStateDir).transaction((tx) => tx.putAttachment({ ...ATTACHMENT, phase: "gone" }));
    listAttachments(gone, LIST);
    expect(gone.out).toBe("no pod is attached\n");
    listAttachments(gone, { ...LIST, all: true, output: "wide" });
    expect(gone.out).toMatch(/\nc1 +eth0 +pods +gone +- +00000000-/);
  });

  test("list keeps to the network that is named", async () => {
    const world = withPod();
    listAttachments(world, { ...LIST, network: "other", output: "json" });
    expect(JSON.parse(world.out)).toEqual([]);
  });

  test("show finds by the beginning of the container's id, and says whether the agent can make it again", async () => {
    const world = withPod();
    expect(showAttachments(world, { ...LIST, container: "c1c1", output: "text" })).toBe(0);
    expect(world.out).toContain("  repair     the agent can make it again\n");
    expect(world.out).toContain('"address":"10.244.3.3/24"');
    expect(await attempt(world, () => showAttachments(world, { ...LIST, container: "zz", output: "text" }))).toBe(1);
    expect(world.error).toContain("no attachment of zz");
  });
});

describe("hns-cni reconcile", () => {
  const PLAN = { dryRun: true, stateDir: undefined, output: "text" } as const;
  const entry = { action: "orphan", outcome: "planned", network: "pods", subject: "c9 eth0", detail: "its sandbox is gone" };

  test("tells what the agent's next look would do", async () => {
    const world = new FakeWorld();
    world.answers.set("reconcile", [entry]);
    expect(await attempt(world, () => planRepairs(world, PLAN))).toBe(0);
    expect(world.out).toBe("ACTION  OUTCOME  NETWORK  SUBJECT  WHY\norphan  planned  pods     c9 eth0  its sandbox is gone\n");
  });

  test("an HNS that does not tell all is bad news", async () => {
    const world = new FakeWorld();
    world.answers.set("reconcile", [{ ...entry, action: "look", outcome: "failed" }]);
    expect(await planRepairs(world, { ...PLAN, output: "json" })).toBe(1);
  });

  test("without --dry-run it does nothing and says who does", async () => {
    const world = new FakeWorld();
    expect(await attempt(world, () => planRepairs(world, { ...PLAN, dryRun: false }))).toBe(1);
    expect(world.error).toContain("the agent does it");
  });

  test("without a state there is nothing to look for", async () => {
    const world = new FakeWorld();
    expect(await attempt(world, () => planRepairs(world, PLAN))).toBe(1);
    expect(world.error).toContain("no state in");
  });
});
