import { attachmentId } from "../../../../src/core/engine/attachment.ts";
import { allocateAddress, CONFLICT_OWNER, quarantineOwned, RESERVED_OWNER } from "../../../../src/core/ipam/allocator.ts";
import { poolSpec } from "../../../../src/core/engine/pool-spec.ts";
import { EngineFixture, HOLD_MS, NETWORK } from "../../../support/engine-fixture.ts";
import { attached, GRACE_MS, leaks, lose, reasons, reclaim, states } from "./reclaim-kit.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

describe("an attachment whose endpoint and namespace are gone", () => {
  test("is kept by the first look, and released by one after the grace time", async () => {
    const [pod, other] = [await attached(node, "c1"), await attached(node, "c2")];
    lose(node, pod);
    expect(await reclaim(node)).toMatchObject({
      network: NETWORK,
      alive: 1,
      reclaimed: [],
      kept: [{ containerId: "c1", ifname: "eth0", addresses: ["10.244.3.3"], reason: "seen-once", since: node.clock.now() }],
    });
    const since = node.clock.now();
    await node.clock.advance(GRACE_MS);
    expect(states(node, pod)).toEqual(["assigned"]);
    expect(await reclaim(node)).toMatchObject({
      alive: 1,
      reclaimed: [{ attachment: attachmentId(pod), addresses: ["10.244.3.3"], since }],
      kept: [],
    });
    expect(states(node, pod)).toEqual(["cooling"]);
    expect(node.attachment(pod)).toMatchObject({ phase: "gone", result: undefined });
    expect(states(node, other)).toEqual(["assigned"]);
    expect(leaks(node)).toEqual([]);
    expect(node.rows("leases")).toEqual([]);
    expect(node.log.filter(({ message }) => message === "leaked address reclaimed")).toMatchObject([
      { level: "warn", fields: { addresses: ["10.244.3.3"], containerId: "c1" } },
    ]);
  });

  test("stays within the grace time, which the first look began and no later one", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS - 1);
    expect(reasons(await reclaim(node))).toEqual({ c1: "in-grace" });
    await node.clock.advance(1);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });

  test("takes two looks also where the grace time is 0", async () => {
    node.close();
    node = new EngineFixture({ config: { ipam: { reclaimGraceSeconds: 0 } } });
    lose(node, await attached(node, "c1"));
    expect(reasons(await reclaim(node))).toEqual({ c1: "seen-once" });
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });

  test("is forgotten by a look that finds it alive again", async () => {
    const pod = await attached(node, "c1");
    const endpoint = node.endpointOf(pod);
    if (endpoint === undefined) throw new Error("no endpoint");
    lose(node, pod);
    await reclaim(node);
    node.model.world.endpoints.set(endpoint.id, endpoint);
    await node.clock.advance(GRACE_MS);
    expect(await reclaim(node)).toMatchObject({ alive: 1, reclaimed: [], kept: [] });
    expect(leaks(node)).toEqual([]);
    lose(node, pod);
    expect(reasons(await reclaim(node))).toEqual({ c1: "seen-once" });
  });

  test("is another one after an ADD: what was seen before does not count", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    const again = { ...pod, netns: node.pod("c1").netns };
    await node.add(again);
    lose(node, again);
    expect(reasons(await reclaim(node))).toEqual({ c1: "seen-once" });
    expect(states(node, pod)).toEqual(["assigned"]);
  });

  test("is released also when its address was in quarantine", async () => {
    const pod = await attached(node, "c1");
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1 });
    await expect(node.del(pod)).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    expect(states(node, pod)).toEqual(["quarantined"]);
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
    expect(states(node, pod)).toEqual(["cooling"]);
  });

  test("can be deleted and added afterwards", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    await reclaim(node);
    await node.del(pod);
    const again = node.pod("c1");
    await node.add(again);
    await node.check(again);
    await node.del(again);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });
});

describe("an attachment is not released", () => {
  /** Two looks with more than the grace time between them. */
  async function lookTwice(): Promise<Record<string, string>> {
    await reclaim(node);
    await node.clock.advance(2 * GRACE_MS);
    const report = await reclaim(node);
    expect(report.reclaimed).toEqual([]);
    return reasons(report);
  }

  test("while HNS has its endpoint, in a namespace or not", async () => {
    lose(node, await attached(node, "c1"), "namespace");
    expect(await lookTwice()).toEqual({});
  });

  test("while HNS has its endpoint under an id of its own, of which the record does not know", async () => {
    node.close();
    node = new EngineFixture({ settings: { ignoreCallerIds: true } });
    const pod = await attached(node, "c1");
    lose(node, pod, "namespace");
    const row = node.attachment(pod);
    if (row === undefined) throw new Error("no row");
    node.store.transaction((tx) => tx.putAttachment({ ...row, endpoint: row.id, phase: "intent" }));
    expect(await lookTwice()).toEqual({});
  });

  test("while its namespace is there: its DEL will come", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod, "endpoint");
    expect(await lookTwice()).toEqual({ c1: "namespace" });
    expect(leaks(node)).toEqual([]);
  });

  test("while any endpoint has its address", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    node.foreignEndpoint("somebody", "10.244.3.3");
    expect(await lookTwice()).toEqual({ c1: "address-in-use" });
  });

  test("while a process works on it, also one that overran its time", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    const holder = node.spawn();
    const lease = { attachment: attachmentId(pod), ...holder.holder(node.clock.bootId()), expiresAt: node.clock.uptime() - 1 };
    node.store.transaction((tx) => tx.putLease(lease));
    expect(await lookTwice()).toEqual({ c1: "busy" });
    holder.isAlive = false;
    expect(await lookTwiceAfter()).toEqual(1);
    expect(node.rows("leases")).toEqual([]);
  });

  async function lookTwiceAfter(): Promise<number> {
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    return (await reclaim(node)).reclaimed.length;
  }

  test("when it changes while HNS is asked", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    node.model.faults.add({ call: "HcnEnumerateNamespaces", kind: "late", nth: 1, ms: HOLD_MS });
    const look = reclaim(node);
    await node.settle();
    const again = { ...pod, netns: node.pod("c1").netns };
    await node.add(again);
    await node.release(HOLD_MS);
    expect(reasons(await look)).toEqual({ c1: "changed" });
    await node.check(again);
  });

  test("when an ADD is under way that began while HNS was asked", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    node.model.faults.add({ call: "HcnEnumerateNamespaces", kind: "late", nth: 1, ms: HOLD_MS });
    const look = reclaim(node);
    await node.settle();
    const other = node.spawn();
    const lease = { attachment: attachmentId(pod), ...other.holder(node.clock.bootId()), expiresAt: node.clock.uptime() + 90_000 };
    node.store.transaction((tx) => tx.putLease(lease));
    await node.release(HOLD_MS);
    expect(reasons(await look)).toEqual({ c1: "busy" });
    expect(states(node, pod)).toEqual(["assigned"]);
  });

  test("when its addresses are another IPAM plugin's: that wants a DEL", async () => {
    const [pod, mixed] = [await attached(node, "c1"), await attached(node, "c2")];
    node.database.run("DELETE FROM addresses WHERE owner = ?", attachmentId(pod));
    const row = node.attachment(mixed);
    if (row === undefined) throw new Error("no row");
    const result = JSON.stringify({ interfaces: [], ips: [{ address: "10.9.9.9/24" }], routes: [], dns: {} });
    node.store.transaction((tx) => tx.putAttachment({ ...row, result }));
    for (const gone of [pod, mixed]) lose(node, gone);
    expect(await lookTwice()).toEqual({ c1: "not-ours", c2: "not-ours" });
    expect(node.attachment(pod)).toMatchObject({ phase: "attached" });
    expect(states(node, mixed)).toEqual(["assigned"]);
  });

  test("when it is of another network", async () => {
    const pod = await attached(node, "c1");
    const row = node.attachment(pod);
    if (row === undefined) throw new Error("no row");
    node.store.transaction((tx) => tx.putAttachment({ ...row, network: "other" }));
    lose(node, pod);
    expect(await lookTwice()).toEqual({});
    expect(states(node, pod)).toEqual(["assigned"]);
  });
});

describe("the runtime's list", () => {
  test("keeps what is in it, and forgets that it was seen gone", async () => {
    const [one, two] = [await attached(node, "c1"), await attached(node, "c2")];
    for (const pod of [one, two]) lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    const report = await reclaim(node, { wanted: new Set([attachmentId(one)]) });
    expect(report).toMatchObject({ wanted: 1, reclaimed: [{ containerId: "c2" }], kept: [] });
    expect(states(node, one)).toEqual(["assigned"]);
    expect(leaks(node)).toEqual([]);
  });

  test("is GC's: a valid attachment without endpoint keeps its address, and CHECK reports it", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    for (let round = 0; round < 3; round++) {
      await node.gc([pod]);
      await node.clock.advance(GRACE_MS);
    }
    expect(states(node, pod)).toEqual(["assigned"]);
    await expect(node.check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED" });
  });

  test("does not have what GC failed to remove: GC's own look is then the first", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", nth: 1 });
    await expect(node.gc([])).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    expect(leaks(node)).toMatchObject([{ attachment: attachmentId(pod) }]);
    await node.clock.advance(GRACE_MS);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });
});

describe("addresses without an attachment of ours", () => {
  test("are never released by what HNS has: pods of other plugins, conflicts, reserved ones", async () => {
    lose(node, await attached(node, "c1")); // so that there is something to ask HNS for
    const owners = [attachmentId({ network: NETWORK, containerId: "other", ifname: "eth0" }), CONFLICT_OWNER, RESERVED_OWNER];
    node.store.transaction((tx) => {
      for (const owner of owners) allocateAddress(tx, node.clock, poolSpec(node.config), owner);
      for (const owner of [CONFLICT_OWNER, RESERVED_OWNER]) quarantineOwned(tx, owner);
    });
    await reclaim(node);
    await node.clock.advance(2 * GRACE_MS);
    const { reclaimed, kept } = await reclaim(node);
    expect([reclaimed.map(({ containerId }) => containerId), kept]).toEqual([["c1"], []]);
    expect(node.held().addresses.map(({ owner, state }) => [owner, state])).toEqual(
      owners.map((owner, index) => [owner, index === 0 ? "assigned" : "quarantined"]),
    );
  });
});

describe("the time between looks", () => {
  async function seenOnce(): Promise<void> {
    lose(node, await attached(node, "c1"));
    await reclaim(node);
  }

  test.each([1, -1])("does not feel the wall clock set by %i days", async (days) => {
    await seenOnce();
    node.clock.setWallClock(node.clock.now() + days * 86_400_000);
    await node.clock.advance(GRACE_MS - 1);
    expect(reasons(await reclaim(node))).toEqual({ c1: "in-grace" });
    await node.clock.advance(1);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });

  test("goes on over a reboot, by the wall clock", async () => {
    await seenOnce();
    node.clock.setWallClock(node.clock.now() + GRACE_MS - 1);
    node.clock.reboot("boot-2");
    expect(reasons(await reclaim(node))).toEqual({ c1: "in-grace" });
    await node.clock.advance(1);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });

  test("starts anew with a reboot over which the wall clock went back, and then ends", async () => {
    await seenOnce();
    node.clock.setWallClock(node.clock.now() - 86_400_000);
    node.clock.reboot("boot-2");
    expect(reasons(await reclaim(node))).toEqual({ c1: "in-grace" });
    await node.clock.advance(GRACE_MS - 1);
    expect(reasons(await reclaim(node))).toEqual({ c1: "in-grace" });
    await node.clock.advance(1);
    expect((await reclaim(node)).reclaimed).toHaveLength(1);
  });
});

describe("HNS", () => {
  test("is asked three things, whatever the number of pods, and nothing where nothing is attached", async () => {
    await reclaim(node);
    expect(node.calls()).toEqual([]);
    for (let index = 0; index < 20; index++) await attached(node, `c${index}`);
    node.clearCalls();
    const before = node.spawn();
    await reclaim(node, {}, before);
    expect(node.calls()).toEqual(["HcnEnumerateEndpoints", "HNSCall", "HcnEnumerateNamespaces"]);
    expect(before.transactions).toBe(0);
  });

  test("that does not tell all leaves everything as it is", async () => {
    const pods = [await attached(node, "c1"), await attached(node, "c2")];
    for (const pod of pods) lose(node, pod);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    const before = leaks(node);
    for (const call of ["HcnEnumerateEndpoints", "HcnEnumerateNamespaces"]) {
      node.model.faults.add({ call, kind: "fail" });
      await expect(reclaim(node)).rejects.toMatchObject({ code: "HNS_REFUSED" });
      node.model.faults.clear();
      expect(pods.map((pod) => states(node, pod))).toEqual([["assigned"], ["assigned"]]);
      expect(leaks(node)).toEqual(before);
    }
  });

  test.each([
    ["refuses the version 1 list", undefined],
    ["leaves an endpoint out of it", []],
  ])("that %s is asked endpoint by endpoint", async (_, list) => {
    const [alive, gone] = [await attached(node, "c1"), await attached(node, "c2")];
    lose(node, gone);
    lose(node, alive, "namespace");
    const look = async (): Promise<Awaited<ReturnType<typeof reclaim>>> => {
      const process = node.spawn();
      if (list !== undefined) process.backend.callV1 = () => Promise.resolve(list);
      else node.model.faults.add({ call: "HNSCall", kind: "fail", nth: 1 });
      return await reclaim(node, {}, process);
    };
    await look();
    await node.clock.advance(GRACE_MS);
    expect(await look()).toMatchObject({ alive: 1, reclaimed: [{ containerId: "c2" }], kept: [] });
  });

  test("whose endpoint goes between two calls is believed", async () => {
    const pod = await attached(node, "c1");
    const process = node.spawn();
    process.backend.callV1 = () => {
      lose(node, pod);
      return Promise.resolve([]);
    };
    expect(reasons(await reclaim(node, {}, process))).toEqual({ c1: "seen-once" });
  });
});

describe("a dry run", () => {
  test("changes nothing and sees nothing for the first time", async () => {
    const pod = await attached(node, "c1");
    lose(node, pod);
    for (let round = 0; round < 3; round++) {
      expect(await reclaim(node, { dryRun: true })).toMatchObject({ dryRun: true, reclaimed: [], kept: [{ reason: "seen-once" }] });
      await node.clock.advance(GRACE_MS);
    }
    expect(leaks(node)).toEqual([]);
    await reclaim(node);
    await node.clock.advance(GRACE_MS);
    const [rows, before] = [node.held(), leaks(node)];
    expect(await reclaim(node, { dryRun: true })).toMatchObject({ reclaimed: [{ containerId: "c1" }], kept: [] });
    expect([node.held(), leaks(node)]).toEqual([rows, before]);
  });
});
