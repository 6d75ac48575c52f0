/** How long many nodes take to carve one range by compare-and-swap, in simulation: what the store's own time adds is not in it. */
import { MemoryBlockStore } from "../../src/core/ipam/memory-block-store.ts";
import { findCidr } from "../../src/core/base/ip.ts";
import { type SimulationResult, simulateCarving } from "../support/carve-simulation.ts";
import type { Benchmark, Contestant } from "./benchmark.ts";

const NODES = 5_000;
const RANGE = "10.0.0.0/8";
/** Blocks that each node carves. */
const BLOCKS = [1, 4, 16] as const;

export const blockCarving: Benchmark = {
  name: "block-carving",
  summary: `${NODES} nodes carve ${RANGE} in blocks of /26 at the same time`,
  notes: [
    "In one process: between any two calls to the store, every other node goes on.",
    "A round fails when blocks overlap, a node gets none, or a claim found more than one block taken on average.",
  ],
  rounds: 10,
  prepare: async () => ({
    series: [
      { title: "All nodes together", unit: "ms", contestants: BLOCKS.map((blocks) => buildContestant(blocks, ({ ms }) => ms)), warmUp: 1 },
      {
        title: "Blocks found taken, a claim",
        unit: "blocks",
        contestants: BLOCKS.map((blocks) => buildContestant(blocks, ({ retries, claims }) => retries / claims)),
        // No chance is in it: where nodes begin to look comes from their names.
        rounds: 1,
        warmUp: 0,
      },
    ],
    omissions: [],
    close: async () => undefined,
  }),
};

function buildContestant(blocksPerNode: number, read: (result: SimulationResult) => number): Contestant {
  return {
    name: `${blocksPerNode === 1 ? "1 block" : `${blocksPerNode} blocks`} a node`,
    measure: async () => read(await carve(blocksPerNode)),
  };
}

async function carve(blocksPerNode: number): Promise<SimulationResult> {
  const cidr = findCidr(RANGE);
  if (cidr === undefined) throw new Error(RANGE);
  const pool = { id: RANGE, cidr, blockPrefix: 26 };
  const result = await simulateCarving(new MemoryBlockStore(), { pool, nodes: NODES, blocksPerNode });
  const { claims, failures, overlaps, retries } = result;
  if (overlaps > 0 || failures > 0) throw new Error(`${overlaps} overlaps and ${failures} failures in ${claims} claims`);
  if (retries > claims) throw new Error(`${retries} retries in ${claims} claims`);
  return result;
}
