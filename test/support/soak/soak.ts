/** The soak: a walk of many calls in changing weather, with a look at everything after each stretch. */
import { createRandom } from "../random.ts";
import { runPackaged } from "../packaged.ts";
import type { AgentEnd } from "./agent-keeper.ts";
import { findViolations, type NodeView } from "./check.ts";
import { countRows, type Sample, takeSample } from "./samples.ts";
import { SoakNode } from "./soak-node.ts";
import { Defect, findWeather, Walk, type WalkCounts } from "./walk.ts";
import { pick, type Weather, WEATHERS } from "./weather.ts";

export interface SoakOptions {
  /** Pods whose ADD succeeds; each gets its DEL. */
  readonly pods: number;
  readonly seed: number;
  readonly workers: number;
  /** Calls between two looks. */
  readonly stretch: number;
  /** Ends earlier, with what was done by then. */
  readonly minutes?: number;
  readonly onSample?: (sample: Sample) => void;
}

export interface SoakReport {
  readonly options: SoakOptions;
  readonly seconds: number;
  readonly counts: WalkCounts;
  readonly samples: readonly Sample[];
  readonly ends: readonly AgentEnd[];
}

export const LONG_SOAK = { pods: 20_000, workers: 8, stretch: 500 } as const;
/** A minute on a quiet machine. */
export const SHORT_SOAK = { pods: 150, workers: 8, stretch: 60 } as const;

/** The last part of a soak is the life of one agent, so that what it keeps for ever can be seen. */
const STEADY_PART = 0.4;
/** How long after the last fault a node may take to be at rest. */
const REST_MS = 60_000;

/** Throws Defect with the seed when something is not as it must be. */
export async function runSoak(options: SoakOptions): Promise<SoakReport> {
  const node = await SoakNode.start();
  const soak = new Soak(node, options);
  try {
    return await soak.run();
  } catch (thrown) {
    const reason = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
    throw new Defect(`seed ${options.seed}, after ${soak.walk.counts.calls} calls: ${reason}\n${node.agent.output.slice(-6_000)}`, {
      cause: thrown,
    });
  } finally {
    await node.close();
  }
}

class Soak {
  readonly walk: Walk;
  readonly #node: SoakNode;
  readonly #options: SoakOptions;
  readonly #samples: Sample[] = [];
  readonly #start = performance.now();
  #life = { number: 1, began: 0, closesInVain: 0 };

  constructor(node: SoakNode, options: SoakOptions) {
    this.#node = node;
    this.#options = options;
    this.walk = new Walk(node, options.seed);
  }

  async run(): Promise<SoakReport> {
    const options = this.#options;
    const { counts } = this.walk;
    await this.#node.agent.start();
    const random = createRandom(options.seed + 1);
    const next = chooseWeathers(random);
    while (!this.#isDone(1 - STEADY_PART)) await this.#stretch(next(WEATHERS));
    await this.#node.agent.end("SIGTERM"); // threads that hang in HNS end with it
    await this.walk.settle(REST_MS);
    const steady = WEATHERS.filter(({ isDeadly }) => !isDeadly);
    const nextSteady = chooseWeathers(random);
    while (!this.#isDone(1)) await this.#stretch(nextSteady(steady));
    await this.#stretch(findWeather("calm"));
    await this.walk.deleteAll();
    await this.#rest("the end");
    const seconds = (performance.now() - this.#start) / 1000;
    return { options, seconds, counts, samples: this.#samples, ends: [...this.#node.agent.ends] };
  }

  /** Whether so much of the pods, or of the time, is behind it. */
  #isDone(part: number): boolean {
    const { pods, minutes = Infinity } = this.#options;
    return this.walk.counts.added >= pods * part || performance.now() - this.#start >= minutes * 60_000 * part;
  }

  async #stretch(weather: Weather): Promise<void> {
    const { stretch: calls, workers } = this.#options;
    await this.walk.go(weather, { calls, workers });
    await this.#rest(weather.name);
  }

  /** Everything must be as it should, at once or after the agent's next looks. */
  async #rest(weather: string): Promise<void> {
    await this.walk.settle(REST_MS);
    const until = performance.now() + REST_MS;
    for (;;) {
      const violations = findViolations(await this.#look());
      if (violations.length === 0) break;
      if (performance.now() > until) throw new Defect(`after ${weather}: ${violations.slice(0, 20).join("\n")}`);
      await this.#node.agent.query("reconcile"); // a look that does nothing, and takes its time
    }
    await this.#checkTables();
    await this.#sample(weather);
    await this.#node.emulator.clearCalls();
  }

  async #look(): Promise<NodeView> {
    const { emulator, cni, stateDir } = this.#node;
    const [networks, endpoints, namespaces] = [await emulator.networks(), await emulator.endpoints(), await emulator.namespaces()];
    return {
      network: cni.list.name,
      live: this.walk.pods.live,
      networks,
      endpoints,
      namespaces,
      rows: cni.state(),
      waiting: countRows(stateDir, ["waiters", "leaks"]),
      requests: countRows(stateDir, ["requests"]),
    };
  }

  async #checkTables(): Promise<void> {
    const { code, stdout, stderr } = await runPackaged({ args: ["ipam", "check", "--state-dir", this.#node.stateDir] });
    if (code !== 0) throw new Defect(`ipam check: ${stdout}${stderr}`);
  }

  async #sample(weather: string): Promise<void> {
    const { calls } = this.walk.counts;
    const life = this.#node.agent.ends.length + 1;
    if (life !== this.#life.number) this.#life = { number: life, began: calls, closesInVain: 0 };
    this.#life.closesInVain += await this.#countClosesInVain();
    const { began, closesInVain } = this.#life;
    const seconds = (performance.now() - this.#start) / 1000;
    const pods = this.walk.pods.live.length;
    const sample = await takeSample(this.#node, { weather, calls, seconds, life, lifeCalls: calls - began, pods, closesInVain });
    this.#samples.push(sample);
    this.#options.onSample?.(sample);
  }

  async #countClosesInVain(): Promise<number> {
    const { agent, emulator } = this.#node;
    return (await emulator.calls()).filter(({ name, pid, fault }) => name.startsWith("HcnClose") && pid === agent.pid && fault !== null)
      .length;
  }
}

/** Every weather once, in a drawn order, before one comes again. */
function chooseWeathers(random: () => number): (from: readonly Weather[]) => Weather {
  const left: Weather[] = [];
  return (from) => {
    if (left.length === 0) left.push(...from);
    const weather = pick(random, left);
    left.splice(left.indexOf(weather), 1);
    return weather;
  };
}
