import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;

afterEach(() => node.close());

/** A pool of four addresses, .3 to .6, all of them taken. */
async function fullNode(ipam: Readonly<Record<string, unknown>> = {}): Promise<AttachRequest[]> {
  node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/29", blockSize: 29, ...ipam } }, autoAdvance: false });
  const pods = ["a", "b", "c", "d"].map((name) => node.pod(name));
  for (const pod of pods) await node.add(pod);
  return pods;
}

/** Moves time on in small steps until everything asked for has an outcome. */
async function passTime(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await node.settle();
    await node.clock.advance(50);
  }
  await node.settle();
}

function addressOf(result: { ips: readonly { address: string }[] }): string | undefined {
  return result.ips[0]?.address;
}

describe("an ADD behind others that wait", () => {
  test("takes an address at once where there is one for each of them too", async () => {
    const [first, second] = await fullNode({ cooldownSeconds: 0 });
    if (first === undefined || second === undefined) throw new Error("there are four pods");
    const waiting = node.add(node.pod("waits"));
    await node.settle();
    await node.del(first);
    await node.del(second);
    expect(addressOf(await node.add(node.pod("later")))).toMatch(/^10\.244\.3\.[34]\/29$/); // time stands still: who waits has not looked yet
    await passTime(100);
    expect(addressOf(await waiting)).toMatch(/^10\.244\.3\.[34]\/29$/);
  });

  test("waits too where there is not", async () => {
    const [first] = await fullNode({ cooldownSeconds: 0, waitSeconds: 1 });
    if (first === undefined) throw new Error("there are four pods");
    const waiting = node.add(node.pod("waits"));
    await node.settle();
    await node.del(first);
    const later = node.add(node.pod("later")).catch((thrown: unknown) => thrown);
    await passTime(1_200);
    expect(addressOf(await waiting)).toBe("10.244.3.3/29");
    expect(await later).toMatchObject({ code: "ADDRESS_EXHAUSTED" });
  });

  test("of many with no time to wait none fails while there are addresses", async () => {
    node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/24", waitSeconds: 0 } }, autoAdvance: false });
    node.store.transaction((tx) => tx.addWaiter({ pool: "pods/10.244.3.0/24", ...node.spawn().holder(node.clock.bootId()) }));
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => node.add(node.pod(`p${index}`))));
    expect(new Set(results.map(addressOf)).size).toBe(20);
  });
});

describe("an ADD that finds no free address", () => {
  test("waits, and takes one that a DEL released once it has rested for the floor", async () => {
    const [first] = await fullNode();
    const waiting = node.add(node.pod("new"));
    await passTime(100);
    if (first !== undefined) await node.del(first);
    const start = node.clock.uptime();
    await passTime(6_000);
    expect(addressOf(await waiting)).toBe("10.244.3.3/29");
    expect(node.clock.uptime() - start).toBeLessThanOrEqual(6_000);
    expect(node.log).toContainEqual(expect.objectContaining({ level: "warn", message: "address given out before its rest was over" }));
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toEqual([]);
  });

  test("with a floor of 0 waits for the whole rest", async () => {
    const [first] = await fullNode({ reuseFloorSeconds: 0, cooldownSeconds: 10 });
    if (first !== undefined) await node.del(first);
    const waiting = node.add(node.pod("new"));
    await passTime(9_000);
    expect(node.podEndpoints()).toHaveLength(3);
    await passTime(1_500);
    expect(addressOf(await waiting)).toBe("10.244.3.3/29");
  });

  test("takes no resting address that an endpoint has", async () => {
    const [first, second] = await fullNode({ waitSeconds: 8 });
    if (first === undefined || second === undefined) throw new Error("there are four pods");
    await node.del(first);
    node.foreignEndpoint("left by another tool", "10.244.3.3");
    const waiting = node.add(node.pod("new"));
    await passTime(1_000);
    await node.del(second);
    await passTime(6_000);
    expect(addressOf(await waiting)).toBe("10.244.3.4/29");
  });

  test("gives up after ipam.waitSeconds with the counts, and leaves nothing", async () => {
    await fullNode({ waitSeconds: 3 });
    const before = node.held();
    const waiting = node.add(node.pod("new"));
    const failure = expect(waiting).rejects.toMatchObject({ code: "ADDRESS_EXHAUSTED", retryable: true });
    await passTime(3_500);
    await failure;
    expect(node.held()).toEqual(before);
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toEqual([]);
    expect(node.model.handles.list()).toEqual([]);
  });

  test("is served in order of arrival", async () => {
    const pods = await fullNode({ reuseFloorSeconds: 1 });
    const served: string[] = [];
    const late = ["first", "second", "third"].map((name) => node.pod(name));
    const all: Promise<unknown>[] = [];
    for (const pod of late) {
      all.push(node.add(pod).then(() => served.push(pod.containerId)));
      await passTime(100);
    }
    for (const pod of pods.slice(0, 3)) {
      await node.del(pod);
      await passTime(300);
    }
    await passTime(2_000);
    await Promise.all(all);
    expect(served).toEqual(["first", "second", "third"]);
  });

  test("passes over one that died in line", async () => {
    const [first] = await fullNode();
    const dying = node.spawn();
    const dead = expect(node.add(node.pod("dead"), dying)).rejects.toThrow("kill-after");
    await passTime(100);
    dying.commitFault = { at: dying.transactions + 1, kind: "kill-after" };
    await passTime(100);
    await dead;
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toHaveLength(1);
    const waiting = node.add(node.pod("new"));
    await passTime(100);
    if (first !== undefined) await node.del(first);
    await passTime(6_000);
    expect(addressOf(await waiting)).toBe("10.244.3.3/29");
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toEqual([]);
  });

  test("is ended by a DEL for its attachment", async () => {
    await fullNode();
    const pod = node.pod("new");
    const waiting = expect(node.add(pod)).rejects.toMatchObject({ code: "ATTACHMENT_CANCELLED" });
    await passTime(100);
    const deleted = node.del(pod);
    await passTime(500);
    await waiting;
    await deleted;
    expect(node.held().addresses).toHaveLength(4);
  });
});

test("twelve pods on a /28: five deletes and five adds at the same instant all succeed within the floor and a second", async () => {
  node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/28", blockSize: 28 } }, autoAdvance: false });
  const pods = Array.from({ length: 12 }, (_, index) => node.pod(`old-${index}`));
  for (const pod of pods) await node.add(pod);
  const start = node.clock.uptime();
  let done = 0;
  const adds = Array.from({ length: 5 }, (_, index) => node.add(node.pod(`new-${index}`)).then((result) => (done++, addressOf(result))));
  const dels = pods.slice(0, 5).map((pod) => node.del(pod));
  while (done < 5 && node.clock.uptime() - start < 6_000) await passTime(50);
  expect(done).toBe(5);
  expect(node.clock.uptime() - start).toBeLessThanOrEqual(6_000);
  expect(new Set(await Promise.all(adds)).size).toBe(5);
  await Promise.all(dels);
  expect(new Set(node.held().addresses.map((row) => row["address"])).size).toBe(12);
});
