/** What a node may take, however long it runs. */
import { median } from "../../bench/statistics.ts";
import type { Sample } from "./samples.ts";

/** One quantity of the samples against its limit. */
export interface Judgement {
  readonly what: string;
  readonly unit: string;
  /** Medians over the first and the last tenth of what is looked at. */
  readonly first: number;
  readonly last: number;
  readonly highest: number;
  /** In words. */
  readonly limit: string;
  readonly isKept: boolean;
}

const MB = 1024;
const MOST_RSS_MB = 160;
const MOST_RSS_GROWTH = 1.2;
/** Files of the program itself, one connection to HNS a thread, and those of calls that just ended. */
const MOST_DESCRIPTORS = 100;
/** Calls after which an agent's memory is that of daily work: before, its code is still being compiled. */
const WARM_CALLS = 1_000;
/** SQLite empties its journal into the database every 1000 pages, and that much again may be written while somebody reads. */
const MOST_WAL_MB = 8;
/** agent.log and the five set aside; hns-cni.log and the four set aside, each of which may grow over its size while a reader holds it. */
const MOST_AGENT_LOG_MB = 60;
const MOST_PROGRAM_LOG_MB = 100;

/**
 * A finished attachment is kept for an hour: an id, a container and four more GUIDs, some 360 bytes with its two indexes, on pages that are
 * two thirds full. The rest is 251 addresses, and for each pod that lives its result and its configuration.
 */
export function mostStateKb({ rows, mostPods }: { readonly rows: number; readonly mostPods: number }): number {
  return 256 + mostPods * 4 + rows * 0.75;
}

/** `samples` of a whole soak. Memory and handles are judged over the longest life of an agent: a new one begins anew. */
export function judge(samples: readonly Sample[]): Judgement[] {
  const life = findLongestLife(samples);
  const warm = life.filter(({ lifeCalls }) => lifeCalls >= WARM_CALLS);
  const rss = compare(warm.length >= 10 ? warm : life, ({ rssMb }) => rssMb);
  const highestRss = Math.max(...samples.map(({ rssMb }) => rssMb));
  const state = compare(samples, ({ stateKb }) => stateKb / MB);
  const mostPods = Math.max(...samples.map(({ pods }) => pods));
  const isGrowthJudged = warm.length >= 10;
  return [
    {
      what: "Memory of the agent (RSS)",
      unit: "MB",
      ...rss,
      highest: highestRss,
      limit: `${MOST_RSS_MB}, ${isGrowthJudged ? `last ≤ ${MOST_RSS_GROWTH} × first` : "growth not judged: too short"}`,
      isKept: highestRss <= MOST_RSS_MB && (!isGrowthJudged || rss.last <= rss.first * MOST_RSS_GROWTH),
    },
    flat("Threads", life, ({ threads }) => threads, MOST_DESCRIPTORS),
    flat("Open files and sockets", life, ({ descriptors }) => descriptors, MOST_DESCRIPTORS),
    flat("Open handles of HNS", samples, ({ handles }) => handles, 0),
    {
      what: "state.db",
      unit: "MB",
      ...state,
      limit: "what its rows take",
      isKept: samples.every(({ stateKb, rows }) => stateKb <= mostStateKb({ rows, mostPods: Math.max(mostPods, 120) })),
    },
    below("state.db-wal", samples, ({ walKb }) => walKb / MB, MOST_WAL_MB),
    below("agent.log, all files", samples, ({ agentLogKb }) => agentLogKb / MB, MOST_AGENT_LOG_MB),
    below("hns-cni.log, all files", samples, ({ programLogKb }) => programLogKb / MB, MOST_PROGRAM_LOG_MB),
  ];
}

function below(what: string, samples: readonly Sample[], read: (sample: Sample) => number, limit: number): Judgement {
  const compared = compare(samples, read);
  return { what, unit: "MB", ...compared, limit: String(limit), isKept: compared.highest <= limit };
}

/** A few more or less come and go; what is lost at calls would be hundreds. */
const SWING = 4;

function flat(what: string, samples: readonly Sample[], read: (sample: Sample) => number, limit: number): Judgement {
  const compared = compare(samples, read);
  const isKept = compared.highest <= limit && compared.last <= compared.first + SWING;
  return { what, unit: "", ...compared, limit: String(limit), isKept };
}

function compare(samples: readonly Sample[], read: (sample: Sample) => number): Pick<Judgement, "first" | "last" | "highest"> {
  const values = samples.map(read);
  const tenth = Math.max(1, Math.floor(values.length / 10));
  return { first: median(values.slice(0, tenth)), last: median(values.slice(-tenth)), highest: Math.max(...values) };
}

export function findLongestLife(samples: readonly Sample[]): Sample[] {
  const lives = [...Map.groupBy(samples, ({ life }) => life).values()];
  return lives.toSorted((left, right) => right.length - left.length)[0] ?? [];
}
