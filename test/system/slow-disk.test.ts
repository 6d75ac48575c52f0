/** A node that starts on a disk which takes a third of a second to flush. All its pods at once take most of a minute: HNS_CNI_LONG=1. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CniNode, expectSilence } from "../support/cni-node.ts";
import { isLong } from "../support/crash-workers.ts";
import { expectNothingLeft } from "../support/leftovers.ts";
import { packagedReason } from "../support/packaged.ts";
import { linux } from "../support/programs.ts";
import { describeUnless } from "../support/skip.ts";
import { SlowDisk } from "../support/slow-disk.ts";

const PODS = isLong ? 16 : 3;
/** Of a call: the runtime's own patience is 4 minutes. */
const TIMEOUT_MS = 200_000;

jest.setTimeout(600_000);

const reason = packagedReason() ?? SlowDisk.reason();

describeUnless(reason, "a node on a slow disk", () => {
  let folder: string;
  let node: CniNode;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "hns-cni-slow-"));
    node = await CniNode.start(linux);
  });
  afterAll(async () => {
    await node.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("attaches its first pods all at once, each with an address of its own, and detaches them", async () => {
    const disk = new SlowDisk(folder);
    await disk.build();
    const pods = await Promise.all(Array.from({ length: PODS }, () => node.makePod()));
    const options = { env: disk.env, timeoutMs: TIMEOUT_MS };
    const results = await Promise.all(pods.map((pod) => node.add(pod, options)));
    expect(new Set(results.map(({ ips }) => ips[0]?.address)).size).toBe(PODS);
    // Every one of them had to wait for the disk, more than once.
    expect(disk.flushes()).toHaveLength(PODS);
    expect(Math.min(...disk.flushes())).toBeGreaterThan(1);

    const outcomes = await Promise.all(pods.map((pod) => node.call("DEL", pod, options)));
    outcomes.forEach(expectSilence);
    await expectNothingLeft(node);
  });
});
