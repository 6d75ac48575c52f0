/** Several nodes at work on one list of points, each with its own emulator. */
import { CrashNode } from "./crash-node.ts";

/** HNS_CNI_LONG=1: every point instead of a sample (`npm run test:long`). */
export const isLong = process.env["HNS_CNI_LONG"] === "1";

const WORKERS = 2;

export class CrashWorkers {
  readonly #nodes: CrashNode[] = [];

  async start(): Promise<void> {
    for (let count = 0; count < WORKERS; count++) this.#nodes.push(await CrashNode.start());
  }

  async close(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.close()));
  }

  get first(): CrashNode {
    const [node] = this.#nodes;
    if (node === undefined) throw new Error("the workers are not started");
    return node;
  }

  /** Runs `work` on every point; `prepare` comes first on each node. Throws all failures as one error, after everything ran. */
  async spread<P, T>(
    points: readonly P[],
    prepare: (node: CrashNode) => Promise<T>,
    work: (node: CrashNode, point: P, prepared: T) => Promise<void>,
  ): Promise<void> {
    const failures: string[] = [];
    let next = 0;
    const run = async (node: CrashNode): Promise<void> => {
      const prepared = await prepare(node);
      for (let point = points[next++]; point !== undefined; point = points[next++]) {
        try {
          await work(node, point, prepared);
        } catch (thrown) {
          failures.push(`${JSON.stringify(point)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
        }
      }
    };
    await Promise.all(this.#nodes.map(run));
    if (failures.length > 0) throw new Error(`${failures.length} of ${points.length} points failed\n${failures.slice(0, 5).join("\n\n")}`);
  }
}

/** Prints how many points a suite had and fails when there are fewer than `least`: then it looks at less than it did. */
export function expectPoints(what: string, points: number, least: number): void {
  process.stdout.write(`${what}: ${points} points (at least ${least} expected)\n`);
  expect(points).toBeGreaterThanOrEqual(least);
}
