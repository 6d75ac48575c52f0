/** What a node at rest takes: of the agent's process, of the disk, and of HNS. */
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { SoakNode } from "./soak-node.ts";

export interface Sample {
  readonly weather: string;
  /** Calls so far. */
  readonly calls: number;
  readonly seconds: number;
  /** Which agent this is, counted from 1. */
  readonly life: number;
  /** Calls that this agent has lived through. */
  readonly lifeCalls: number;
  readonly pods: number;
  readonly rssMb: number;
  readonly threads: number;
  /** Open files, sockets and pipes of the agent. */
  readonly descriptors: number;
  /** Handles of HNS's objects that the agent has open, and did not try in vain to close; it keeps the service callback's for as long as it lives. */
  readonly handles: number;
  readonly stateKb: number;
  readonly walKb: number;
  /** Attachments in the state, finished ones included. */
  readonly rows: number;
  /** Sum of agent.log and those set aside. */
  readonly agentLogKb: number;
  /** Sum of hns-cni.log and those set aside. */
  readonly programLogKb: number;
  /** How long the agent takes for its page of metrics. */
  readonly metricsMs: number;
}

export interface Progress extends Pick<Sample, "weather" | "calls" | "seconds" | "life" | "lifeCalls" | "pods"> {
  /** Calls that would have closed a handle of this agent's, and met a fault. */
  readonly closesInVain: number;
}

export async function takeSample(node: SoakNode, { closesInVain, ...progress }: Progress): Promise<Sample> {
  const { agent, emulator, stateDir } = node;
  const status = readFileSync(`/proc/${agent.pid}/status`, "utf8");
  const readStatus = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
  const sizeOf = (name: string): number => statSync(join(stateDir, name), { throwIfNoEntry: false })?.size ?? 0;
  const sumOf = (pattern: RegExp): number => readdirSync(stateDir).reduce((sum, name) => sum + (pattern.test(name) ? sizeOf(name) : 0), 0);
  const descriptors = readdirSync(`/proc/${agent.pid}/fd`).length;
  const start = performance.now();
  await agent.metrics();
  return {
    ...progress,
    metricsMs: performance.now() - start,
    rssMb: readStatus("VmRSS") / 1024,
    threads: readStatus("Threads"),
    descriptors,
    handles: Math.max(
      0,
      (await emulator.handles()).filter(({ pid, kind }) => pid === agent.pid && kind !== "callback").length - closesInVain,
    ),
    stateKb: sizeOf("state.db") / 1024,
    walKb: sizeOf("state.db-wal") / 1024,
    rows: countRows(stateDir, ["attachments"]),
    agentLogKb: sumOf(/^agent\d*\.log$/) / 1024,
    programLogKb: sumOf(/^hns-cni\.log/) / 1024,
  };
}

export function countRows(stateDir: string, tables: readonly string[]): number {
  const database = new DatabaseSync(join(stateDir, "state.db"), { readOnly: true });
  try {
    return tables.reduce((sum, table) => sum + Number(database.prepare(`SELECT count(*) AS total FROM ${table}`).get()?.["total"]), 0);
  } finally {
    database.close();
  }
}
