import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { shimReason, linuxShim } from "../../../scripts/package/shim.ts";
import { packagedReason } from "../../support/packaged.ts";
import { AgentNode, type AgentNodeOptions, type Way } from "../agent-node.ts";
import type { Benchmark, Contestant, Prepared, Series } from "../benchmark.ts";
import { linuxProgram } from "../paths.ts";
import { runProcess } from "../process.ts";
import { readMemory, readProcessorTime } from "../processor-time.ts";

const PODS = 250;
/** How long HNS takes for an endpoint, milliseconds. */
const CREATE_MS = 50;
/** A thread pool can do no better than its threads side by side. */
const GOAL = 1.3;
const MEMORY_GOAL_MB = 120;
/** ADDs and DELs after which nothing may have been kept. */
const CHURN = 2_000;
const STATUS_CALLS = 40;
const THREADS = 32;

export const agent: Benchmark = {
  name: "agent",
  summary: `${PODS} ADDs at once through an agent whose HNS takes ${CREATE_MS} ms an endpoint, the agent's memory, and what STATUS costs`,
  notes: [
    `The best that is possible with W threads is ${CREATE_MS} ms × ${PODS} / W; the goal is ${GOAL} times that for 16 threads. Every ADD must succeed with an address of its own.`,
    "The calls come over the agent's socket from the benchmark's process, or through as many shims, which it starts; the emulator is a third process on the same machine. The true programs show what starting that many processes costs by itself.",
    "Processor time is that of the kernel's account: the agent's, without emulator and benchmark, divided by the pods.",
    `Memory is the agent's resident set; "its own" leaves out what is mapped from the program's file. The agent runs from a copy of its program, as an installer leaves one: of a file just written in one piece Linux maps 30 MB that are not used. After ${CHURN.toLocaleString("en")} ADDs and DELs no pod is left.`,
    "STATUS: processor time of shim and agent together, or of the program when no agent runs. Once in 5 s, as containerd asks, 50 ms are 1 % of one core.",
  ],
  rounds: 3,
  prepare: () => Promise.resolve(prepareAgent()),
};

function prepareAgent(): Prepared {
  const reason = packagedReason();
  if (reason !== undefined) throw new Error(reason);
  const noShim = shimReason(linuxShim);
  const folder = mkdtempSync(join(tmpdir(), "hns-cni-bench-agent-"));
  const program = join(folder, basename(linuxProgram));
  for (const file of [linuxProgram, join(dirname(linuxProgram), "koffi.node")]) copyFileSync(file, join(folder, basename(file)));
  const hasShim = noShim === undefined;
  return {
    series: [crowds(program, hasShim), processorTime(program), memory(program), status(program, hasShim)],
    omissions: noShim === undefined ? [] : [{ what: "calls through the shim", reason: noShim }],
    close: () => {
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

function crowds(program: string, hasShim: boolean): Series {
  const best = (threads: number): number => (CREATE_MS * PODS) / threads;
  const time = (way: Way, threads: number) => (): Promise<number> => withCrowd({ program, way, threads }, ({ ms }) => ms);
  const throughShim: Contestant[] = [
    { name: "16 threads, through the shim", measure: time("shim", 16) },
    { name: `${PODS} starts of true`, measure: startPrograms },
  ];
  return {
    title: `${PODS} ADDs at once`,
    unit: "ms",
    warmUp: 0,
    contestants: [
      { name: `16 threads (at best ${best(16)} ms)`, measure: time("socket", 16), goal: GOAL * best(16) },
      { name: `32 threads (at best ${best(32)} ms)`, measure: time("socket", 32) },
      ...(hasShim ? throughShim : []),
    ],
  };
}

function processorTime(program: string): Series {
  return {
    title: "Processor time, a pod",
    unit: "ms",
    warmUp: 0,
    contestants: [
      {
        name: "agent, first ADD of each pod",
        measure: () => withCrowd({ program, way: "socket", threads: 16 }, ({ agentMs }) => agentMs / PODS),
      },
    ],
  };
}

function memory(program: string): Series {
  const after = (way: "resident" | "own") => (): Promise<number> =>
    withCrowd({ program, way: "socket", threads: THREADS }, ({ node }) => readMemory(node.agent.pid)[way]);
  return {
    title: "Agent, memory",
    unit: "MB",
    warmUp: 0,
    contestants: [
      { name: "no pod", measure: () => withNode(program, "socket", (node) => readMemory(node.agent.pid).resident), goal: MEMORY_GOAL_MB },
      { name: `${PODS} pods`, measure: after("resident"), goal: MEMORY_GOAL_MB },
      { name: `${PODS} pods, its own`, measure: after("own") },
      {
        name: `after ${CHURN.toLocaleString("en")} ADDs and DELs`,
        measure: () => withNode(program, "socket", churn),
        goal: MEMORY_GOAL_MB,
      },
    ],
  };
}

function status(program: string, hasShim: boolean): Series {
  return {
    title: "STATUS, processor time",
    unit: "ms",
    warmUp: 0,
    contestants: [
      ...(hasShim ? [{ name: "shim and agent", measure: () => withNode(program, "shim", timeStatus) }] : []),
      { name: "the program by itself", measure: () => withNode(program, "program", timeStatus) },
    ],
  };
}

interface Crowd {
  readonly node: AgentNode;
  readonly ms: number;
  readonly agentMs: number;
}

/** All pods at once, on a node of their own. */
async function withCrowd(place: Omit<AgentNodeOptions, "createMs">, read: (crowd: Crowd) => number): Promise<number> {
  const node = await AgentNode.start({ ...place, createMs: CREATE_MS });
  try {
    const pods = await node.makePods(PODS);
    const before = readProcessorTime(node.agent.pid).own;
    const start = performance.now();
    await node.addAll(pods);
    const ms = performance.now() - start;
    return read({ node, ms, agentMs: readProcessorTime(node.agent.pid).own - before });
  } finally {
    await node.close();
  }
}

async function withNode(program: string, way: Way, measure: (node: AgentNode) => number | Promise<number>): Promise<number> {
  const node = await AgentNode.start({ program, way, threads: THREADS, createMs: 0 });
  try {
    return await measure(node);
  } finally {
    await node.close();
  }
}

async function churn(node: AgentNode): Promise<number> {
  for (let done = 0; done < CHURN; done += 2 * PODS) {
    const pods = await node.makePods(PODS);
    await node.addAll(pods);
    await node.deleteAll(pods);
  }
  return readMemory(node.agent.pid).resident;
}

/** Processor time of a STATUS: of the process that is called, and of the agent behind it. */
async function timeStatus(node: AgentNode): Promise<number> {
  const read = (): number => readProcessorTime(process.pid).children + (node.agent.isRunning ? readProcessorTime(node.agent.pid).own : 0);
  const before = read();
  for (let call = 0; call < STATUS_CALLS; call++) await node.status();
  return (read() - before) / STATUS_CALLS;
}

async function startPrograms(): Promise<number> {
  const start = performance.now();
  await Promise.all(Array.from({ length: PODS }, () => runProcess({ program: "/bin/true" })));
  return performance.now() - start;
}
