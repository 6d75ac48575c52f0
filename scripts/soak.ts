/**
 * `npm run soak -- [--pods 20000] [--minutes N] [--seed N] [--stretch 500] [--write]`: ADDs and DELs of so many pods, or for so long, with faults and
 * restarts, and a look after each stretch of calls; the report goes to the terminal and to build/soak. --write puts it into docs/performance.md as well, and `--write --pods 0` the one of the last run.
 */
import { parseArgs } from "node:util";
import { judge } from "../test/support/soak/limits.ts";
import { publishSoak, saveSoak } from "../test/support/soak/publish.ts";
import { LONG_SOAK, runSoak } from "../test/support/soak/soak.ts";
import { packageAll } from "./package.ts";

async function main(args: string[]): Promise<void> {
  const options = {
    pods: { type: "string" },
    minutes: { type: "string" },
    stretch: { type: "string" },
    seed: { type: "string" },
    write: { type: "boolean" },
  } as const;
  const { values } = parseArgs({ args, options });
  const [pods, seed, minutes] = [Number(values.pods ?? LONG_SOAK.pods), Number(values.seed ?? 1), Number(values.minutes ?? Infinity)];
  if (!Number.isInteger(pods) || pods < 0 || !Number.isInteger(seed)) throw new Error("--pods and --seed want whole numbers");
  const stretch = Number(values.stretch ?? LONG_SOAK.stretch);
  if (!Number.isInteger(stretch) || stretch < 1) throw new Error("--stretch wants a whole number above 0");
  if (!(minutes > 0)) throw new Error("--minutes wants a number above 0");
  if (pods > 0) await soak({ pods, seed, minutes, stretch });
  if (values.write === true) publishSoak();
}

async function soak(order: {
  readonly pods: number;
  readonly seed: number;
  readonly minutes: number;
  readonly stretch: number;
}): Promise<void> {
  await packageAll();
  const onSample = ({ calls, weather, rssMb }: { calls: number; weather: string; rssMb: number }): void => {
    process.stdout.write(`${calls} calls, last in ${weather}: ${rssMb.toFixed(0)} MB\n`);
  };
  const report = await runSoak({ ...LONG_SOAK, ...order, onSample });
  process.stdout.write(`\n${saveSoak(report)}\n`);
  const exceeded = judge(report.samples).filter(({ isKept }) => !isKept);
  if (exceeded.length > 0) throw new Error(`beyond their limits: ${exceeded.map(({ what }) => what).join(", ")}`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
