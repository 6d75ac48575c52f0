/** The state file is damaged while pods run: what HNS holds comes back, and no address gets a second owner. */
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { chooseFlips, expectRecovery, flipBit, prepareLiveNode } from "../../support/crash-damage.ts";
import { CrashWorkers, expectPoints, isLong } from "../../support/crash-workers.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

const FLIPS = isLong ? 4000 : 320;
const seed = Number(process.env["HNS_CNI_SEED"] ?? "1");

describeUnless(packagedReason(), "a damaged state file", () => {
  const workers = new CrashWorkers();
  beforeAll(() => workers.start());
  afterAll(() => workers.close());

  test("promise 6: any bit of it may flip", async () => {
    process.stdout.write(`bit flips from seed ${seed} (HNS_CNI_SEED)\n`);
    const { bytes } = await prepareLiveNode(workers.first);
    const flips = chooseFlips(bytes, FLIPS, seed).map((flip, order) => ({ ...flip, order }));
    await workers.spread(flips, prepareLiveNode, async (node, flip, live) => {
      await node.restore(live.saved);
      node.writeDatabase(flipBit(live.bytes, flip));
      await expectRecovery(node, live, flip.order);
    });
    expectPoints("bit flips", flips.length, 300);
  });

  test("promise 6: it may be cut anywhere", async () => {
    const { bytes } = await prepareLiveNode(workers.first);
    const { length } = bytes;
    const lengths = [0, 1, 16, 100, 512, 4095, 4096, 4097, 8192, Math.floor(length / 2), length - 4096, length - 1];
    const cuts = lengths.map((kept, order) => ({ kept, order }));
    await workers.spread(cuts, prepareLiveNode, async (node, { kept, order }, live) => {
      await node.restore(live.saved);
      node.writeDatabase(live.bytes.subarray(0, kept));
      await expectRecovery(node, live, order);
    });
  });

  const others: readonly { what: string; order: number; bytes?: (bytes: Uint8Array) => Uint8Array }[] = [
    { what: "deleted", order: 0 },
    { what: "deleted", order: 1 },
    { what: "deleted", order: 3 },
    { what: "text", order: 0, bytes: () => Buffer.from("this is no database\n".repeat(500)) },
    { what: "zeroes", order: 1, bytes: (bytes) => new Uint8Array(bytes.length) },
    { what: "ones", order: 2, bytes: (bytes) => new Uint8Array(bytes.length).fill(255) },
    { what: "a page of zeroes in the middle", order: 3, bytes: (bytes) => Uint8Array.from(bytes).fill(0, 4096 * 3, 4096 * 4) },
    { what: "pages in another order", order: 0, bytes: swapPages },
  ];
  test.each(others)("promise 6: it may be $what (order $order)", async ({ order, bytes }) => {
    const node = workers.first;
    const live = await prepareLiveNode(node);
    if (bytes === undefined) rmSync(node.database);
    else node.writeDatabase(bytes(live.bytes));
    await expectRecovery(node, live, order);
  });

  test("it is kept beside the new one, for those who want to know", async () => {
    const node = workers.first;
    const live = await prepareLiveNode(node);
    node.writeDatabase(Buffer.alloc(100, "x"));
    await node.add(live.next);
    expect(readdirSync(node.stateDir).filter((name) => name.startsWith("state.db.damaged-"))).toHaveLength(1);
    expect(existsSync(node.database)).toBe(true);
  });

  test("a folder in its place is an error that names it, and no crash", async () => {
    const node = workers.first;
    const live = await prepareLiveNode(node);
    rmSync(node.database);
    mkdirSync(node.database);
    const { code, stdout } = await node.run("ADD", live.next);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 5, msg: expect.stringContaining(node.database) as unknown });
    expect((await node.podEndpoints()).map(({ name }) => name).sort()).toEqual(["a_pods", "b_pods", "c_pods"]);
  });
});

function swapPages(bytes: Uint8Array): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed.set(bytes.subarray(4096 * 3, 4096 * 4), 4096 * 2);
  changed.set(bytes.subarray(4096 * 2, 4096 * 3), 4096 * 3);
  return changed;
}
