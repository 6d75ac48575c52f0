/** Pods that get back the address they had. */
import { withRequest } from "../../../../src/core/config/pod-request.ts";
import { EngineFixture } from "../../../support/engine-fixture.ts";

let node: EngineFixture;
let sandboxes = 0;
afterEach(() => node.close());

function makeNode(ipam: object = {}, autoAdvance = true): void {
  node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/26", blockSize: 28, cooldownSeconds: 30, ...ipam } }, autoAdvance });
}

/** Starts the pod in a new sandbox; a name alone has a namespace, and another uid each time. */
function start(name: string, ifname = "eth0"): { stop: () => Promise<void>; address: Promise<string | undefined> } {
  sandboxes += 1;
  const args = { podNamespace: "shop", podName: name, podUid: `uid-${sandboxes}` };
  const config = node.config;
  node.config = withRequest({ config, warnings: [] }, {}, args).config;
  const pod = node.pod(`${name}.${sandboxes}`, ifname);
  const added = node.add(pod);
  node.config = config;
  return { stop: () => node.del(pod), address: added.then(({ ips }) => ips[0]?.address.split("/")[0]) };
}

/** The address that the pod gets; it has ended when this returns. */
async function visit(name: string, ifname?: string): Promise<string | undefined> {
  const pod = start(name, ifname);
  const address = await pod.address;
  await pod.stop();
  return address;
}

async function passTime(ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 50) {
    await node.settle();
    await node.clock.advance(50);
  }
  await node.settle();
}

const REST = 31_000;

describe("the pod of a StatefulSet", () => {
  test("gets its address back once it is free, under a new uid, whatever others had since", async () => {
    makeNode();
    expect(await visit("db-0")).toBe("10.244.3.3");
    expect(await visit("web-abc")).toBe("10.244.3.4");
    await node.clock.advance(REST);
    expect(await start("db-1").address).toBe("10.244.3.5");
    expect(await start("db-0").address).toBe("10.244.3.3");
  });

  test("gets another one while its own rests, or while its last sandbox has it, and either one later", async () => {
    makeNode();
    expect(await visit("db-0")).toBe("10.244.3.3");
    await node.clock.advance(1_000);
    expect(await visit("db-0")).toBe("10.244.3.4");
    await node.clock.advance(REST);
    const last = start("db-0");
    expect(await last.address).toBe("10.244.3.4");
    expect(await start("db-0").address).toBe("10.244.3.3");
    expect(await start("db-0").address).toBe("10.244.3.5");
  });

  test("has one for each interface", async () => {
    makeNode();
    const [first, second] = [await visit("db-0", "eth0"), await visit("db-0", "net1")];
    await node.clock.advance(REST);
    expect([await start("db-0", "net1").address, await start("db-0", "eth0").address]).toEqual([second, first]);
  });

  test("finds it taken only when no other was left", async () => {
    makeNode({ cidr: "10.244.3.0/28", blockSize: 29 });
    expect(await visit("db-0")).toBe("10.244.3.3");
    await node.clock.advance(REST);
    const others: (string | undefined)[] = [];
    for (let index = 0; index < 12; index++) others.push(await start(`web-x${index}y`).address);
    expect(others.indexOf("10.244.3.3")).toBe(11);
    expect(new Set(others).size).toBe(12);
  });

  test("is forgotten when the address goes to another", async () => {
    makeNode({ cidr: "10.244.3.0/29", blockSize: 29 });
    expect(await visit("db-0")).toBe("10.244.3.3");
    await node.clock.advance(REST);
    const others = [start("a"), start("b"), start("c"), start("d")];
    expect(await Promise.all(others.map(({ address }) => address))).toContain("10.244.3.3");
    expect(node.database.all("SELECT * FROM addresses WHERE sticky = 1", (row) => row)).toEqual([]);
  });
});

describe("other pods", () => {
  test("have no address of their own unless all shall have", async () => {
    makeNode();
    expect(await visit("web-7d4b9c6f5-xk2lp")).toBe("10.244.3.3");
    await node.clock.advance(REST);
    expect(await start("web-7d4b9c6f5-xk2lp").address).toBe("10.244.3.4");
  });

  test("nor those of a StatefulSet, when none shall have", async () => {
    makeNode({ sticky: "never" });
    expect(await visit("db-0")).toBe("10.244.3.3");
    await node.clock.advance(REST);
    expect(await start("db-0").address).toBe("10.244.3.4");
  });
});

describe("with sticky always", () => {
  test("every pod waits for its own while it rests, at least for the floor, and keeps nobody from the others", async () => {
    makeNode({ sticky: "always" }, false);
    expect(await visit("web-7d4b9c6f5-xk2lp")).toBe("10.244.3.3");
    const again = start("web-7d4b9c6f5-xk2lp");
    let address: string | undefined;
    void again.address.then((found) => (address = found));
    await passTime(4_000);
    expect(address).toBeUndefined();
    expect(await start("other").address).toBe("10.244.3.4");
    await passTime(1_500);
    expect(await again.address).toBe("10.244.3.3");
  });

  test("a pod takes another one when its own rests for longer than ADDs wait", async () => {
    makeNode({ sticky: "always", waitSeconds: 3, reuseFloorSeconds: 0 }, false);
    expect(await visit("db-0")).toBe("10.244.3.3");
    const again = start("db-0");
    await passTime(3_200);
    expect(await again.address).toBe("10.244.3.4");
    expect(node.database.all("SELECT * FROM waiters", (row) => row)).toEqual([]);
  });
});

test("an ADD takes 23 statements, and one more for a pod that may come back", async () => {
  makeNode();
  await start("web-a").address;
  let count = 0;
  for (const method of ["get", "all", "run"] as const) {
    const original = node.database[method].bind(node.database) as (...args: unknown[]) => unknown;
    const counting = (...args: unknown[]): unknown => {
      count += 1;
      return original(...args);
    };
    Object.defineProperty(node.database, method, { value: counting });
  }
  await start("web-b").address;
  expect(count).toBe(23);
  count = 0;
  await start("db-0").address;
  expect(count).toBe(24);
});
