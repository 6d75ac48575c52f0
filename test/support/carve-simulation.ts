import { overlaps, findCidr } from "../../src/core/base/ip.ts";
import { type BlockClaim, type BlockStore, claimNextBlock, type SharedPool } from "../../src/core/ipam/block-store.ts";

export interface SimulationResult {
  readonly claims: number;
  readonly failures: number;
  readonly retries: number;
  readonly overlaps: number;
  readonly ms: number;
}

/**
 * Nodes that carve one pool at the same time: every node claims its blocks one after the other, and between any two calls to the store
 * all other nodes go on. Counts what went wrong.
 */
export async function simulateCarving(
  store: BlockStore,
  options: { pool: SharedPool; nodes: number; blocksPerNode: number },
): Promise<SimulationResult> {
  const { pool, nodes, blocksPerNode } = options;
  const start = performance.now();
  let [failures, retries] = [0, 0];
  const carve = async (node: string): Promise<void> => {
    let place = 0;
    for (let count = 0; count < blocksPerNode; count++) {
      const outcome = await claimNextBlock(store, pool, node, place);
      if (outcome === undefined) failures++;
      else {
        retries += outcome.retries;
        place += outcome.retries + 1;
      }
    }
  };
  await Promise.all(Array.from({ length: nodes }, (_, index) => carve(`win-node-${String(index).padStart(5, "0")}`)));
  const ms = performance.now() - start;
  const claims = await store.list(pool.id);
  return { claims: claims.length, failures, retries, overlaps: countOverlaps(claims), ms };
}

/** The claims come in order, so a block that overlaps any other overlaps its neighbour. */
function countOverlaps(claims: readonly BlockClaim[]): number {
  const cidrs = claims.map(({ cidr }) => findCidr(cidr));
  return cidrs.filter((cidr, index) => {
    const next = cidrs[index + 1];
    return cidr !== undefined && next !== undefined && overlaps(cidr, next);
  }).length;
}
