/** The state cannot be written, or its journal was damaged: the answer is one a runtime can read, and no address gets a second owner. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { EmulatedEndpoint } from "../../emulator/client.ts";
import { chooseFlips, expectAnswer, expectRecovery, flipBit, prepareLiveNode } from "../../support/crash-damage.ts";
import { expectNoHandles, expectOnly } from "../../support/crash-expectations.ts";
import { CrashNode, type Pod } from "../../support/crash-node.ts";
import { CrashWorkers, isLong } from "../../support/crash-workers.ts";
import { packagedReason } from "../../support/packaged.ts";
import { buildPreload, preloadReason } from "../../support/preload.ts";
import { describeUnless } from "../../support/skip.ts";

jest.setTimeout(isLong ? 3_600_000 : 600_000);

const WAL_FLIPS = isLong ? 400 : 24;

describeUnless(packagedReason() ?? preloadReason(), "a journal that a dead process left", () => {
  const workers = new CrashWorkers();
  beforeAll(async () => {
    buildPreload();
    await workers.start();
  });
  afterAll(() => workers.close());

  /** A node whose last ADD died when all of it was in the journal and nothing of it in the file. */
  async function prepare(
    node: CrashNode,
  ): Promise<{ pods: readonly Pod[]; dying: Pod; wal: Uint8Array; saved: Awaited<ReturnType<CrashNode["save"]>> }> {
    await node.reset();
    const pods = [await node.pod("a"), await node.pod("b")];
    for (const pod of pods) await node.add(pod);
    const dying = await node.pod("c1");
    await node.emulator.addFault({ call: "HcnCloseNamespace", kind: "kill", nth: 1 });
    await node.run("ADD", dying);
    const wal = readFileSync(`${node.database}-wal`);
    return { pods, dying, wal, saved: await node.save() };
  }

  /** What HNS has of the pod after its ADD came again, with the address the answer names. */
  async function repeated(node: CrashNode, pod: Pod): Promise<EmulatedEndpoint[]> {
    const { ips } = await node.add(pod);
    const named = (await node.podEndpoints()).filter(({ name }) => name === `${pod.container}_pods`);
    expect(named.map(({ addresses }) => addresses)).toEqual([ips.map(({ address }) => address)]);
    return named;
  }

  type Journal = { what: string; change: (wal: Uint8Array) => Uint8Array };

  test("promise 6: may be damaged or cut", async () => {
    const { wal } = await prepare(workers.first);
    const flips = chooseFlips(wal, WAL_FLIPS, 7).map((flip): Journal => ({
      what: `bit ${flip.bit} of byte ${flip.byte}`,
      change: (bytes) => flipBit(bytes, flip),
    }));
    const cuts = [0, 16, 32, 56, 4152, Math.floor(wal.length / 2), wal.length - 1].map((kept): Journal => ({
      what: `cut to ${kept}`,
      change: (bytes) => bytes.subarray(0, kept),
    }));
    await workers.spread([...flips, ...cuts], prepare, async (node, { change }, { pods, dying, wal: intact, saved }) => {
      await node.restore(saved);
      writeFileSync(`${node.database}-wal`, change(intact));
      const next = await node.pod("next");
      const result = await node.add(next);
      const used = (await node.emulator.endpoints()).flatMap(({ addresses }) => addresses);
      expect([...new Set(used)]).toHaveLength(used.length);
      expect(result.ips).toHaveLength(1);
      const [endpoint] = await repeated(node, dying);
      expect(endpoint?.namespace).toBe(dying.netns);
      await node.del(dying);
      await node.gc([...pods, next]); // an address that HNS refused meanwhile is quarantined until then
      await expectOnly(node, [...pods, next]);
      await expectNoHandles(node);
    });
  });
});

/** A small file system of its own, which only root can make. */
function mountReason(): string | undefined {
  if (process.getuid?.() !== 0) return "mounting a small file system needs root";
  const probe = spawnSync("unshare", ["-m", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", "/mnt"], { stdio: "ignore" });
  return probe.status === 0 ? undefined : "this machine does not let root mount a tmpfs";
}

describeUnless(packagedReason() ?? mountReason(), "a state folder that cannot be written", () => {
  let node: CrashNode;
  beforeAll(async () => {
    node = await CrashNode.start();
  });
  afterAll(() => node.close());
  afterEach(() => unmount());

  function mount(options: string): void {
    execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", node.stateDir]);
  }

  function unmount(): void {
    spawnSync("umount", [node.stateDir], { stdio: "ignore" });
  }

  /** The folder with what it has now, on a file system of `kilobytes` of which nothing is left. */
  function fill(kilobytes: number): void {
    const bytes = node.readDatabase();
    mount(`size=${kilobytes}k`);
    node.writeDatabase(bytes);
    spawnSync("dd", ["if=/dev/zero", `of=${join(node.stateDir, "ballast")}`, "bs=1k", "count=100000"], { stdio: "ignore" });
  }

  test("disk full: ADD gives an error and leaves nothing in HNS; DEL removes the endpoint all the same", async () => {
    const live = await prepareLiveNode(node);
    fill(256);
    const added = await node.run("ADD", live.next);
    expectAnswer(added);
    expect(added.code).toBe(1);
    expect(await node.endpointOf(live.next)).toBeUndefined();
    const deleted = await node.run("DEL", live.pods.b);
    expectAnswer(deleted);
    expect(await node.endpointOf(live.pods.b)).toBeUndefined();
    for (const command of ["CHECK", "STATUS"] as const)
      expectAnswer(await node.run(command, command === "CHECK" ? live.pods.c : undefined));
    await expectNoHandles(node);
  });

  test("disk full, then room again: all works, and the address of the DEL is given back", async () => {
    const live = await prepareLiveNode(node);
    fill(256);
    await node.run("DEL", live.pods.b);
    await node.run("ADD", live.next);
    const bytes = node.readDatabase();
    const wal = existsSync(`${node.database}-wal`) ? readFileSync(`${node.database}-wal`) : undefined;
    unmount();
    node.writeDatabase(bytes);
    if (wal !== undefined) writeFileSync(`${node.database}-wal`, wal);
    await expectRecovery(node, live, 0);
  });

  test("read-only: ADD gives an error and leaves nothing in HNS", async () => {
    const live = await prepareLiveNode(node);
    const bytes = node.readDatabase();
    mount("size=1m");
    node.writeDatabase(bytes);
    chmodSync(node.stateDir, 0o700);
    execFileSync("mount", ["-o", "remount,ro", node.stateDir]);
    for (const [command, pod] of [
      ["ADD", live.next],
      ["ADD", live.pods.a],
      ["DEL", live.pods.b],
      ["CHECK", live.pods.c],
      ["STATUS", undefined],
    ] as const) {
      expectAnswer(await node.run(command, pod));
    }
    expect(await node.endpointOf(live.next)).toBeUndefined();
    expect(await node.endpointOf(live.pods.a)).toBeDefined();
    await expectNoHandles(node);
    unmount();
    await expectRecovery(node, live, 2);
  });

  test("damaged and read-only: an error that says so, and no crash", async () => {
    const live = await prepareLiveNode(node);
    mount("size=1m");
    mkdirSync(node.stateDir, { recursive: true });
    node.writeDatabase(Buffer.alloc(8192, "x"));
    copyFileSync(node.database, `${node.database}-copy`);
    execFileSync("mount", ["-o", "remount,ro", node.stateDir]);
    const { code, stdout } = await node.run("ADD", live.next);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ code: 5 });
    expect(await node.endpointOf(live.next)).toBeUndefined();
  });
});
