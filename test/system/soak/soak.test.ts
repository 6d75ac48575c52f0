/**
 * A node under the calls of a busy runtime, while HNS refuses, hangs and starts anew, the agent dies and the machine starts again: after each
 * stretch everything is as it should be, and nothing grows. HNS_CNI_LONG=1 takes 20,000 pods, HNS_CNI_SEED another walk.
 */
import { shimReason } from "../../../scripts/package/shim.ts";
import { isLong } from "../../support/crash-workers.ts";
import { packagedReason } from "../../support/packaged.ts";
import { describeUnless } from "../../support/skip.ts";
import { judge } from "../../support/soak/limits.ts";
import { saveSoak } from "../../support/soak/publish.ts";
import { LONG_SOAK, runSoak, SHORT_SOAK } from "../../support/soak/soak.ts";
import { linuxShim } from "../../support/shim.ts";

jest.setTimeout(isLong ? 4 * 3_600_000 : 300_000);

const seed = Number(process.env["HNS_CNI_SEED"] ?? "1");

describeUnless(packagedReason() ?? shimReason(linuxShim), "a soak", () => {
  it("leaves nothing behind and stays within its limits", async () => {
    const options = { ...(isLong ? LONG_SOAK : SHORT_SOAK), seed };
    const report = await runSoak(options);
    process.stdout.write(`${options.pods} pods (seed ${seed}): ${report.counts.calls} calls, ${report.seconds.toFixed(0)} s\n`);
    if (isLong) process.stdout.write(saveSoak(report));
    expect(judge(report.samples).filter(({ isKept }) => !isKept)).toEqual([]);
    expect(report.counts.added).toBeGreaterThanOrEqual(options.pods);
    expect(report.counts.deleted).toBeGreaterThanOrEqual(report.counts.added);
    expect(report.samples.at(-1)).toMatchObject({ pods: 0, handles: 0 });
  });
});
