/** `npm run bench -- [NAME] [--rounds N] [--write]`: lists the benchmarks, or runs one; --write puts its result into docs/performance.md. */
import { parseArgs } from "node:util";
import { relative } from "node:path";
import { agent } from "../test/bench/benchmarks/agent.ts";
import { blockCarving } from "../test/bench/block-carving.ts";
import { ipam } from "../test/bench/benchmarks/ipam.ts";
import { linux } from "../test/bench/benchmarks/linux.ts";
import { rivalsLinux } from "../test/bench/benchmarks/rivals-linux.ts";
import { rivalsWine } from "../test/bench/benchmarks/rivals-wine.ts";
import { shim } from "../test/bench/benchmarks/shim.ts";
import { startup } from "../test/bench/benchmarks/startup.ts";
import { wine } from "../test/bench/benchmarks/wine.ts";
import { renderResult } from "../test/bench/markdown.ts";
import { publishResult, runBenchmark, saveResult } from "../test/bench/run.ts";
import { packageAll } from "./package.ts";
import { root } from "./package/paths.ts";

const benchmarks = [startup, shim, agent, linux, rivalsLinux, ipam, blockCarving, wine, rivalsWine];

interface Order {
  readonly name: string | undefined;
  readonly rounds: number | undefined;
  readonly isPublished: boolean;
}

async function main(args: string[]): Promise<void> {
  const { name, rounds, isPublished } = readOrder(args);
  if (name === undefined) {
    for (const one of benchmarks) process.stdout.write(`${one.name.padEnd(15)}${one.summary}\n`);
    return;
  }
  const benchmark = benchmarks.find((one) => one.name === name);
  if (benchmark === undefined) throw new Error(`there is no benchmark "${name}": npm run bench lists them`);
  await packageAll();
  const result = await runBenchmark(benchmark, { rounds });
  process.stdout.write(`\n${renderResult(result)}\n`);
  const files = [...saveResult(result), ...(isPublished ? publishResult(result) : [])];
  process.stdout.write(`written: ${files.map((file) => relative(root, file)).join(", ")}\n`);
}

function readOrder(args: string[]): Order {
  const options = { rounds: { type: "string" }, write: { type: "boolean" } } as const;
  const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds wants a whole number above 0");
  if (positionals.length > 1) throw new Error("name one benchmark at a time");
  return { name: positionals[0], rounds, isPublished: values.write === true };
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
