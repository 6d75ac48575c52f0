import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import { takeLease } from "../../../../src/core/engine/lease.ts";
import type { LeaseHolder } from "../../../../src/core/engine/store.ts";
import { EngineFixture, HOLD_MS } from "../../../support/engine-fixture.ts";

/** The engine's wait between two looks at a lease is shorter than this. */
const NEXT_LOOK_MS = 50;

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture({ autoAdvance: false });
});
afterEach(() => node.close());

/** Stops the n-th call from now on until `release(HOLD_MS)`; the caller goes on waiting. */
function holdCall(nth: number, call = "*"): void {
  node.model.faults.clear();
  node.model.faults.add({ call, nth, kind: "late", ms: HOLD_MS });
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "done",
    (thrown: unknown) => String((thrown as { code?: string }).code),
  );
}

/** Lets the held call go on, and whoever waits for the lease look again until all is done. */
async function finish(...works: Promise<unknown>[]): Promise<void> {
  await node.release(HOLD_MS);
  const state = { isOver: false };
  void Promise.allSettled(works).then(() => (state.isOver = true));
  for (let turn = 0; turn < 100 && !state.isOver; turn++) await node.clock.advance(NEXT_LOOK_MS);
  await Promise.allSettled(works);
}

describe("a DEL that overtakes a running ADD", () => {
  test("makes the ADD undo itself at whatever call it is, and leaves nothing", async () => {
    await node.add(node.pod("other"));
    node.clearCalls();
    const probe = node.pod("probe");
    await node.add(probe);
    const total = node.calls().length;
    await node.del(probe);
    const outcomes: string[] = [];
    for (let nth = 1; nth <= total; nth++) {
      const pod = node.pod(`c${nth}`);
      holdCall(nth);
      const add = outcomeOf(node.add(pod));
      await node.settle();
      const del = outcomeOf(node.del(pod));
      await node.settle();
      await finish(add, del);
      outcomes.push(await add);
      expect(await del).toBe("done");
      expect(node.podEndpoints().map(({ name }) => name)).toEqual(["other_pods"]);
      expect(node.held().attachments.map(({ container }) => container)).toEqual(["other"]);
      expect(node.held().addresses).toHaveLength(1);
      expect(node.rows("leases")).toEqual([]);
      expect(node.model.handles.list()).toEqual([]);
    }
    // Before the ADD has recorded itself there is nothing to cancel, and from the commit on it is too late; DEL then removes its work.
    expect(outcomes).toEqual([
      "done", // HcnOpenNamespace
      "done", // HcnOpenNetwork
      "ATTACHMENT_CANCELLED", // HcnCreateEndpoint
      "ATTACHMENT_CANCELLED", // HcnQueryEndpointProperties
      "ATTACHMENT_CANCELLED", // HcnCloseEndpoint
      "ATTACHMENT_CANCELLED", // HcnModifyNamespace
      "done", // HcnCloseNetwork
      "done", // HcnCloseNamespace
    ]);
  });

  test("an ADD after that works", async () => {
    const pod = node.pod("c1");
    holdCall(1, "HcnModifyNamespace");
    const add = outcomeOf(node.add(pod));
    await node.settle();
    const del = outcomeOf(node.del(pod));
    await node.settle();
    await finish(add, del);
    await node.add(pod);
    await node.check(pod);
  });
});

describe("two commands on one attachment", () => {
  test("ADD and ADD: the second waits and gives the same result", async () => {
    const pod = node.pod("c1");
    holdCall(1, "HcnCreateEndpoint");
    const first = node.add(pod);
    await node.settle();
    const second = node.add(pod);
    await node.settle();
    expect(node.calls().filter((name) => name === "HcnOpenNamespace")).toHaveLength(1);
    await finish(first, second);
    expect(await second).toEqual(await first);
    expect(node.podEndpoints()).toHaveLength(1);
  });

  test("DEL and ADD: the ADD waits and makes the attachment anew", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    holdCall(1, "HcnDeleteEndpoint");
    const del = node.del(pod);
    await node.settle();
    const add = node.add(pod);
    await node.settle();
    await finish(del, add);
    await node.check(pod);
    expect(node.podEndpoints()).toHaveLength(1);
    expect(node.held().addresses).toHaveLength(1);
  });

  test("DEL and DEL both succeed", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    holdCall(1, "HcnDeleteEndpoint");
    const both = [node.del(pod)];
    await node.settle();
    both.push(node.del(pod));
    await node.settle();
    await finish(...both);
    await Promise.all(both);
    expect(node.podEndpoints()).toEqual([]);
  });

  test("promise 8: a command on another attachment does not wait", async () => {
    await node.add(node.pod("other"));
    holdCall(1, "HcnCreateEndpoint");
    const held = node.add(node.pod("c1"));
    await node.settle();
    await node.add(node.pod("c2"));
    await finish(held);
    expect(node.podEndpoints()).toHaveLength(3);
  });

  test("a holder that hangs makes the next one ATTACHMENT_BUSY, naming it, once its time is over", async () => {
    const pod = node.pod("c1");
    const process = node.spawn();
    holdLease(process.holder("boot-1"), 200_000);
    const add = outcomeOf(node.add(pod));
    await node.clock.advance(node.config.operationTimeoutMs);
    expect(await add).toBe("ATTACHMENT_BUSY");
  });
});

describe("a lease that counts no longer is followed at once:", () => {
  const pod = { network: "pods", containerId: "c1", ifname: "eth0" };

  test.each([
    ["of a process that died", { pid: 4711, startedAt: "start-4711", bootId: "boot-1" }, 200_000],
    ["of another process with a pid used again", { pid: 1, startedAt: "earlier", bootId: "boot-1" }, 200_000],
    ["of another boot", { pid: 1, startedAt: "start-1", bootId: "boot-0" }, 200_000],
    ["of a process that overran its time", { pid: 1, startedAt: "start-1", bootId: "boot-1" }, 0],
  ])("%s", async (_which, holder, leftMs) => {
    node.spawn();
    holdLease(holder, leftMs);
    const request = node.pod(pod.containerId);
    await node.add(request);
    expect(node.clock.sleeps).toEqual([]);
    await node.check(request);
  });

  test("one that is alive is waited for", async () => {
    const holder = node.spawn();
    holdLease(holder.holder("boot-1"), 200_000);
    const add = node.add(node.pod(pod.containerId));
    await node.settle();
    expect(node.clock.sleeping).toBe(1);
    holder.isAlive = false;
    await node.clock.advance(NEXT_LOOK_MS);
    await add;
  });
});

describe("a command that was followed because it overran its time", () => {
  test("an ADD does not commit and takes nothing back that is not its own any more", async () => {
    const pod = node.pod("c1");
    await node.add(node.pod("other"));
    holdCall(1, "HcnCloseEndpoint");
    const slow = outcomeOf(node.add(pod));
    await node.settle();
    await node.clock.advance(node.config.operationTimeoutMs);
    await node.add(pod);
    const stands = node.held();
    await finish(slow);
    expect(await slow).not.toBe("done");
    await node.check(pod);
    expect(node.held()).toEqual(stands);
  });

  test("a DEL does not give back the address of the ADD that followed it", async () => {
    const pod = node.pod("c1");
    await node.add(pod);
    node.model.faults.add({ call: "HcnDeleteEndpoint", nth: 1, kind: "delay", ms: HOLD_MS });
    const slow = outcomeOf(node.del(pod));
    await node.settle();
    await node.clock.advance(node.config.operationTimeoutMs);
    await node.add(pod);
    const stands = node.held();
    await finish(slow);
    expect(await slow).toBe("ATTACHMENT_BUSY");
    await node.check(pod);
    expect(node.held()).toEqual(stands);
  });
});

test("what runs when a lease is taken is durable together with it, or not at all", async () => {
  const operation = node.operation(node.spawn());
  const id = attachmentId({ network: "pods", containerId: "c1", ifname: "eth0" });
  const failing = takeLease(operation.leaseOptions, id, () => {
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  expect(node.rows("leases")).toEqual([]);
});

function holdLease(holder: LeaseHolder, leftMs: number): void {
  const attachment = attachmentId({ network: "pods", containerId: "c1", ifname: "eth0" });
  node.store.transaction((tx) => tx.putLease({ attachment, ...holder, expiresAt: node.clock.uptime() + leftMs }));
}
