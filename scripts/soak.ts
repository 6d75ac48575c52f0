/**
 * `npm run soak -- [--pods 20000] [--minutes N] [--seed N] [--stretch 500] [--write]`: ADDs and DELs of so many pods, or for so long, with faults and
 * restarts, and a look after each stretch of calls; the report goes to the terminal and to build/soak. --write puts it into docs/performance.md as well, and `--write --pods 0` the one of the last run.
 */
import { parseArgs } from "node:util";
import { judge } from "../test/support/soak/limits.ts";
import { publishSoak, saveSoak } from "../test/support/soak/publish.ts";
import { LONG_SOAK, runSoak } from "../test/support/soak/soak.ts";
import { packageAll } from "./package.ts";

interface Order {
  readonly pods: number;
  readonly minutes: number;
  readonly stretch: number;
  readonly seed: number;
}

async function main(args: string[]): Promise<void> {
  const number = { type: "string" } as const;
  const options = { pods: number, minutes: number, stretch: number, seed: number, write: { type: "boolean" } } as const;
  const { values } = parseArgs({ args, options });
  const order = {
    pods: readWhole("pods", values.pods ?? String(LONG_SOAK.pods)),
    minutes: values.minutes === undefined ? Infinity : Number(values.minutes),
    stretch: readWhole("stretch", values.stretch ?? String(LONG_SOAK.stretch)),
    seed: readWhole("seed", values.seed ?? "1"),
  };
  if (!(order.minutes > 0)) throw new Error("--minutes wants a number above 0");
  if (order.pods > 0) await soak(order);
  if (values.write === true) publishSoak();
}

function readWhole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= (name === "stretch" ? 1 : 0)) return value;
  throw new Error(`--${name} wants a whole number, not "${text}"`);
}

async function soak(order: Order): Promise<void> {
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
