/** ADD and DEL as whole processes while many addresses are held: ours, and host-local's. */
import { join } from "node:path";
import { normalise } from "../../src/core/config/normalise.ts";
import { poolSpec } from "../../src/core/engine/pool-spec.ts";
import { Database } from "../../src/host/state/database.ts";
import { SqliteStateStore } from "../../src/host/state/sqlite-store.ts";
import type { Contestant, Series } from "./benchmark.ts";
import { alternate, BenchNode } from "./bench-node.ts";
import { HostLocal } from "./host-local.ts";
import { fillPool } from "./ipam-in-process.ts";
import { linuxProgram } from "./paths.ts";
import { timeProcess } from "./process.ts";

interface Holder {
  readonly contestant: Contestant;
  close(): Promise<void>;
}

export async function prepareWholeProcesses(
  counts: readonly number[],
  options: { readonly hasPeer: boolean },
): Promise<{ series: Series; close: () => Promise<void> }> {
  const holders: Holder[] = [];
  for (const count of counts) holders.push(await prepareOurs(count));
  if (options.hasPeer) holders.push(...counts.map(preparePeer));
  const contestants = holders.map(({ contestant }) => contestant);
  const close = async (): Promise<void> => {
    for (const holder of holders) await holder.close();
  };
  return { series: { title: "ADD and DEL together, whole processes", unit: "ms", warmUp: 2, contestants }, close };
}

async function prepareOurs(count: number): Promise<Holder> {
  const node = await BenchNode.start(linuxProgram);
  const { config } = normalise(node.input());
  const store = new SqliteStateStore(Database.open({ path: join(node.cni.stateDir, "state.db"), busyTimeoutMs: 1000 }));
  fillPool(store, poolSpec(config), count);
  store.close();
  const measure = async (): Promise<number> => {
    const { add, del } = alternate(node);
    return (await timeProcess(add)) + (await timeProcess(del));
  };
  return { contestant: buildContestant("hns-cni", count, measure), close: () => node.close() };
}

function preparePeer(count: number): Holder {
  const peer = new HostLocal(count);
  const contestant = buildContestant("host-local", count, () => peer.measure());
  return { contestant, close: async () => peer.close() };
}

function buildContestant(program: string, count: number, measure: () => Promise<number>): Contestant {
  const nameOf = (held: number): string => `${program}, ${held.toLocaleString("en")} held`;
  return { name: nameOf(count), measure, ...(count > 0 && { rival: nameOf(0) }) };
}
