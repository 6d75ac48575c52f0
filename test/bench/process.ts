/** Child processes as a benchmark wants them: run to their end, timed, and counted in instructions. */
import { spawn, spawnSync } from "node:child_process";

export interface ProcessRun {
  readonly program: string;
  readonly args?: readonly string[];
  /** The whole environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
}

export interface ProcessEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** From the start to the end of its output, milliseconds. */
  readonly ms: number;
}

const limitMs = 120_000;
const attempts = 4;
const tool = "valgrind";
/** Node makes code while it runs, which valgrind has to be told. */
const toolArgs = ["--tool=cachegrind", "--cache-sim=no", "--smc-check=all-non-file", "--cachegrind-out-file=/dev/null"];

export function runProcess({ program, args = [], env = {}, stdin = "" }: ProcessRun): Promise<ProcessEnd> {
  const start = performance.now();
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...env }, stdio: "pipe", timeout: limitMs, killSignal: "SIGKILL" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output, ms: performance.now() - start }));
    // A program that does not read its stdin closes the pipe under us; its exit code tells the story.
    child.stdin.on("error", () => undefined);
    child.stdin.end(stdin);
  });
}

/** Makes ready what is to be measured, and again should it have to be repeated. */
export type BuildRun = () => Promise<ProcessRun>;

/** The time of a run that must succeed. */
export async function timeProcess(build: BuildRun): Promise<number> {
  return demandSuccess(await runProcess(await build())).ms;
}

/** Why instructions cannot be counted here; undefined when they can. */
export function valgrindReason(): string | undefined {
  return spawnSync(tool, ["--version"]).status === 0 ? undefined : "valgrind is missing";
}

/** The instructions, in millions, of a run that must succeed. Under valgrind, Node now and then ends with a signal, for a reason not known: such a run is repeated. */
export async function countInstructions(build: BuildRun): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const run = await build();
    const env = { PATH: process.env["PATH"] ?? "", ...run.env };
    const end = await runProcess({ ...run, program: tool, args: [...toolArgs, run.program, ...(run.args ?? [])], env });
    if (end.code === null && attempt < attempts) continue;
    const count = /I\s+refs:\s+([\d,]+)/.exec(demandSuccess(end).stderr)?.[1];
    if (count === undefined) throw new Error(`valgrind gave no count: ${end.stderr}`);
    return Number(count.replaceAll(",", "")) / 1e6;
  }
}

function demandSuccess(end: ProcessEnd): ProcessEnd {
  if (end.code === 0) return end;
  throw new Error(`exit code ${end.code ?? "none"}: ${end.stdout}${end.stderr}`);
}
