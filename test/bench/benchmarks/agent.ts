import { readFileSync } from "node:fs";
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, type Pod } from "../../support/cni-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { type CniProgram, linux } from "../../support/programs.ts";
import { WIDE_LIST } from "../bench-node.ts";
import type { Benchmark, Prepared } from "../benchmark.ts";

const PODS = 250;
/** How long HNS takes for an endpoint, milliseconds. */
const CREATE_MS = 50;
/** A thread pool can do no better than its threads side by side. */
const GOAL = 1.3;
const MEMORY_GOAL_MB = 120;

export const agent: Benchmark = {
  name: "agent",
  summary: `${PODS} ADDs at once through an agent whose HNS takes ${CREATE_MS} ms an endpoint, and the agent's memory`,
  notes: [
    `The best that is possible with W threads is ${CREATE_MS} ms × ${PODS} / W; the goal is ${GOAL} times that for 16 threads. Every ADD must succeed with an address of its own.`,
    "The calls come over the agent's socket from the benchmark's process; the emulator is a third process on the same machine, and makes the endpoints one after the other once their time is over.",
    "Memory is the agent's resident set, with no pod and with all of them.",
  ],
  rounds: 3,
  prepare: () => Promise.resolve(prepareAgent()),
};

function prepareAgent(): Prepared {
  const reason = packagedReason();
  if (reason !== undefined) throw new Error(reason);
  const bestOf = (threads: number): number => (CREATE_MS * PODS) / threads;
  const time =
    (threads: number): (() => Promise<number>) =>
    async () =>
      (await addAll(threads)).ms;
  return {
    series: [
      {
        title: `${PODS} ADDs at once`,
        unit: "ms",
        warmUp: 0,
        contestants: [
          { name: `16 threads (at best ${bestOf(16)} ms)`, measure: time(16), goal: GOAL * bestOf(16) },
          { name: `32 threads (at best ${bestOf(32)} ms)`, measure: time(32) },
        ],
      },
      {
        title: "Agent, memory",
        unit: "MB",
        warmUp: 0,
        contestants: [
          { name: "no pod", measure: async () => (await addAll(32, 0)).megabytes, goal: MEMORY_GOAL_MB },
          { name: `${PODS} pods`, measure: async () => (await addAll(32)).megabytes, goal: MEMORY_GOAL_MB },
        ],
      },
    ],
    omissions: [],
    close: () => Promise.resolve(),
  };
}

async function addAll(threads: number, count = PODS): Promise<{ ms: number; megabytes: number }> {
  const holder: { agent?: AgentProcess } = {};
  const overSocket: CniProgram = { ...linux, run: (call) => holder.agent?.call(call) ?? Promise.reject(new Error("no agent")) };
  const node = await CniNode.start(overSocket, WIDE_LIST);
  try {
    const env = { UV_THREADPOOL_SIZE: String(threads) };
    const agent = await AgentProcess.start({ address: node.emulator.address, stateDir: node.stateDir, env });
    holder.agent = agent;
    await addOne(node, await node.makePod()); // the network stands
    await node.emulator.setLatency({ call: "HcnCreateEndpoint", distribution: "fixed", ms: CREATE_MS });
    const pods = await Promise.all(Array.from({ length: count }, () => node.makePod()));
    const start = performance.now();
    const addresses = await Promise.all(pods.map((pod) => addOne(node, pod)));
    const ms = performance.now() - start;
    if (new Set(addresses).size !== count) throw new Error(`${count} pods have ${new Set(addresses).size} addresses`);
    return { ms, megabytes: readMemory(agent.pid) };
  } finally {
    await holder.agent?.end("SIGKILL");
    await node.close();
  }
}

async function addOne(node: CniNode, pod: Pod): Promise<string> {
  const { code, stdout } = await node.call("ADD", pod);
  const { ips } = JSON.parse(stdout) as { ips?: { address: string }[] };
  const address = ips?.[0]?.address;
  if (code !== 0 || address === undefined) throw new Error(`the ADD failed: ${stdout}`);
  return address;
}

/** The resident set in megabytes. */
function readMemory(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
  return Number(kilobytes) / 1024;
}
