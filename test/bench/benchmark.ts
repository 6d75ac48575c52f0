/** What a benchmark is: tables of contestants that are measured in turn. */

export type Unit = "ms" | "µs" | "M instructions" | "MB" | "blocks";

export interface Contestant {
  readonly name: string;
  /** Makes one measurement in the series' unit. Throws when what it measures went wrong: a failure is not fast. */
  measure(): Promise<number>;
  /** The name of the contestant of the same series to compare with. */
  readonly rival?: string;
  /** What the median should not exceed. */
  readonly goal?: number;
  /** What the ratio to the rival should not exceed. */
  readonly ratioGoal?: number;
}

/** Contestants whose figures can be compared: same unit, same rounds. */
export interface Series {
  readonly title: string;
  readonly unit: Unit;
  readonly contestants: readonly Contestant[];
  /** Without it as many as the benchmark has: figures that hardly vary need few. */
  readonly rounds?: number;
  /** Rounds before those that count. */
  readonly warmUp: number;
}

/** Something that could not be measured on this machine. */
export interface Omission {
  readonly what: string;
  readonly reason: string;
}

export interface Prepared {
  readonly series: readonly Series[];
  readonly omissions: readonly Omission[];
  close(): Promise<void>;
}

export interface Benchmark {
  readonly name: string;
  /** One sentence for the list. */
  readonly summary: string;
  /** What has to be known to read the figures, as sentences. */
  readonly notes: readonly string[];
  readonly rounds: number;
  /** Makes ready what the contestants run on. Throws with a reason when nothing of it can run here. */
  prepare(): Promise<Prepared>;
}
