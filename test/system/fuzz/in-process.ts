/** The program from dispatch down, fed with calls that no runtime would make. Two suites share the calls, so that two cores do. */
import { isJsonObject } from "../../../src/core/cni/json.ts";
import { type FuzzCall, type FuzzPods, makeCall } from "./calls.ts";
import { reportProblems } from "./failure.ts";
import { MemoryNode } from "./memory-node.ts";
import { fuzzSeed, Random } from "./random.ts";
import { type Answer, findProblems } from "./verdict.ts";

const CALLS = 50_000;
/** A node lives so long, then a fresh one is taken: what a failure needs to be seen again stays short. */
const CALLS_OF_A_NODE = 1_000;
/** After so many calls state and HNS are compared. */
const CALLS_BETWEEN_LOOKS = 100;
const PODS = 20;
/** The longest operation that a configuration may ask for, and the time for undoing. */
const LONGEST_MS = 3_600_000;

/** What one run goes by; `half` tells the two apart. */
interface FuzzRun {
  readonly name: string;
  readonly seed: number;
  readonly random: Random;
}

export function describeHalf(half: "first" | "second"): void {
  const seed = fuzzSeed();

  it(`calls with mutated input get one valid answer each, and leave a sound state: ${half} ${CALLS} (HNS_CNI_FUZZ_SEED=${seed})`, async () => {
    const run = { name: `in-process-${half}`, seed, random: new Random(half === "first" ? seed : ~seed) };
    const outcomes = new Map<string, number>();
    for (let done = 0; done < CALLS; done += CALLS_OF_A_NODE) await runNode(run, outcomes);
    // Mutations that all die at the first check would prove nothing.
    const wanted = ["ADD 0", "DEL 0", "CHECK 0", "GC 0", "STATUS 0", "VERSION 0", ...[1, 4, 6, 7].map((code) => `error ${code}`)];
    expect(wanted.filter((outcome) => (outcomes.get(outcome) ?? 0) < CALLS / 1_000)).toEqual([]);
  }, 600_000);
}

async function runNode({ name, seed, random }: FuzzRun, outcomes: Map<string, number>): Promise<void> {
  const node = new MemoryNode();
  const pods: FuzzPods = { namespaces: node.addNamespaces(PODS), results: new Map() };
  const calls: FuzzCall[] = [];
  const judge = (problems: readonly string[]): void => reportProblems(problems, { name, seed, calls });
  try {
    for (let index = 0; index < CALLS_OF_A_NODE; index++) {
      const call = makeCall(random, pods);
      calls.push(call);
      const start = node.clock.uptime();
      const answer = await node.run(call);
      judge(findProblems(call, answer));
      if (node.clock.uptime() - start > LONGEST_MS) judge(["the call took too long"]);
      if (index % CALLS_BETWEEN_LOOKS === CALLS_BETWEEN_LOOKS - 1) judge(node.findProblems());
      note(outcomes, call, answer);
      keepResult(pods, call, answer);
    }
  } finally {
    node.close();
  }
}

function note(outcomes: Map<string, number>, { env }: FuzzCall, { exitCode, stdout }: Answer): void {
  const document: unknown = stdout[0] === undefined ? undefined : JSON.parse(stdout[0]);
  const key = exitCode === 0 ? `${env["CNI_COMMAND"] ?? ""} 0` : `error ${isJsonObject(document) ? String(document["code"]) : ""}`;
  outcomes.set(key, (outcomes.get(key) ?? 0) + 1);
}

/** The next CHECK and DEL of the pod bring its result along, as runtimes do. */
function keepResult({ results }: FuzzPods, { env, stdin }: FuzzCall, { exitCode, stdout }: Answer): void {
  if (exitCode !== 0 || env["CNI_COMMAND"] !== "ADD" || stdout[0] === undefined) return;
  const config: unknown = JSON.parse(
    Buffer.from(stdin)
      .toString("utf8")
      .replace(/^\uFEFF/, ""),
  );
  const result: unknown = JSON.parse(stdout[0]);
  if (isJsonObject(config) && isJsonObject(result)) results.set(`${String(config["name"])} ${env["CNI_CONTAINERID"] ?? ""}`, result);
}
