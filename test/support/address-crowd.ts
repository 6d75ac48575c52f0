/** Many callers on one state folder at once, some of them killed: as processes that live long, and as calls of the packaged program. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { JsonObject } from "../../scripts/demo/conf-list.ts";
import { findNode } from "../emulator/client.ts";
import { findOpen, type LogEntry, now } from "./address-log.ts";
import { buildCrowdInput } from "./address-process.ts";
import type { WorkerOrder } from "./address-worker.ts";
import { linuxProgram } from "./paths.ts";
import { createRandom } from "./random.ts";

export interface CrowdOptions {
  readonly stateDir: string;
  /** Folder of the workers' logs. */
  readonly logs: string;
  readonly cidr: string;
  readonly callers: number;
  /** Addresses that each caller takes and gives back. */
  readonly rounds: number;
  readonly mostHeld: number;
  /** Part of the processes that is killed on its way, 0 to 1. */
  readonly killed: number;
  readonly seed: number;
}

export interface CrowdReport {
  readonly entries: readonly LogEntry[];
  /** Processes that a SIGKILL ended. */
  readonly kills: number;
  /** Containers of killed processes that nobody gave back: they are for a GC. */
  readonly left: readonly string[];
}

/** Processes that open the state once. Half of those that follow a killed one begin by giving back what it may have had. */
export async function runWorkers(options: CrowdOptions): Promise<CrowdReport> {
  const reports = await Promise.all(Array.from({ length: options.callers }, (_, index) => runWorkerLine(options, index)));
  return merge(reports);
}

/** One process, and those that go on in its place once it is killed. */
async function runWorkerLine(options: CrowdOptions, index: number): Promise<CrowdReport> {
  const random = createRandom(options.seed * 1_000 + index);
  const entries: LogEntry[] = [];
  const left: string[] = [];
  let inherited: string[] = [];
  let rounds = options.rounds;
  for (let life = 0; ; life++) {
    const name = `worker-${index}-${life}`;
    const log = join(options.logs, `${name}.jsonl`);
    const { stateDir, cidr, mostHeld } = options;
    const order: WorkerOrder = { name, stateDir, cidr, log, mostHeld, rounds, inherited, seed: Math.floor(random() * 2 ** 31) };
    const steps = random() < options.killed ? Math.ceil(random() * rounds * 4) : undefined;
    const { signal, code, stderr } = await runWorker(order, steps);
    const own = readLog(log);
    entries.push(...own);
    if (signal !== "SIGKILL") {
      if (code !== 0) throw new Error(`${name} ended with ${code ?? signal}: ${stderr}${JSON.stringify(own.at(-1))}`);
      return { entries, left, kills: life };
    }
    rounds -= own.filter(({ what }) => what === "got").length;
    const open = [...new Set([...findOpen(own), ...inherited.filter((container) => !isGiven(own, container))])];
    inherited = random() < 0.5 ? open : [];
    if (inherited.length === 0) left.push(...open);
  }
}

function isGiven(entries: readonly LogEntry[], of: string): boolean {
  return entries.some(({ what, container }) => what === "gave" && container === of);
}

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Killed once it has told of so many steps: in the midst of whatever comes next. */
function runWorker(order: WorkerOrder, killAfterSteps: number | undefined): Promise<End> {
  const script = join(process.cwd(), "test/support/address-worker.ts");
  let steps = 0;
  return run(findNode(), { args: [script, JSON.stringify(order)] }, (text, kill) => {
    steps += text.length;
    if (killAfterSteps !== undefined && steps >= killAfterSteps) kill();
  });
}

function readLog(path: string): LogEntry[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.flatMap((line) => (line === "" ? [] : [JSON.parse(line) as LogEntry]));
}

/** Every ADD and DEL a process of its own, as a runtime starts them. What a killed ADD may have taken is given back at once or left. */
export async function runCallers(options: CrowdOptions): Promise<CrowdReport> {
  const callers = Array.from({ length: options.callers }, (_, index) => new Caller(options, index));
  return merge(await Promise.all(callers.map((caller) => caller.run())));
}

/** How long a caller takes its first call to last, milliseconds; later it goes by the one before. */
const FIRST_CALL_MS = 120;

class Caller {
  readonly #options: CrowdOptions;
  readonly #index: number;
  readonly #random: () => number;
  readonly #entries: LogEntry[] = [];
  readonly #held: string[] = [];
  readonly #left: string[] = [];
  #kills = 0;
  #lastMs = FIRST_CALL_MS;

  constructor(options: CrowdOptions, index: number) {
    this.#options = options;
    this.#index = index;
    this.#random = createRandom(options.seed * 1_000 + index);
  }

  async run(): Promise<CrowdReport> {
    const { rounds, mostHeld } = this.#options;
    for (let taken = 0, asked = 0; taken < rounds; asked++) {
      const outcome = await this.#take(`caller-${this.#index}-${asked}`);
      if (outcome === "got") taken += 1;
      if (outcome === "exhausted") await this.#giveOne();
      const most = Math.floor(this.#random() * (mostHeld + 1));
      while (this.#held.length > most) await this.#giveOne();
    }
    while (this.#held.length > 0) await this.#giveOne();
    return { entries: this.#entries, left: this.#left, kills: this.#kills };
  }

  async #take(container: string): Promise<"got" | "exhausted" | "killed"> {
    this.#note({ what: "asking", container });
    const end = await this.#call("ADD", container, this.#killTime());
    if (end.signal === "SIGKILL") {
      await this.#mourn(container);
      return "killed";
    }
    const answer = readAnswer(end);
    this.#note({ what: answer === "exhausted" ? "exhausted" : "got", container, ...(answer !== "exhausted" && answer) });
    if (answer === "exhausted") return "exhausted";
    this.#held.push(container);
    return "got";
  }

  /** Nobody knows whether a killed ADD took an address. */
  async #mourn(container: string): Promise<void> {
    this.#kills += 1;
    if (this.#random() < 0.5) this.#left.push(container);
    else await this.#give(container);
  }

  async #giveOne(): Promise<void> {
    const [container] = this.#held.splice(Math.floor(this.#random() * this.#held.length), 1);
    if (container !== undefined) await this.#give(container);
  }

  /** A DEL that is killed is repeated, as a runtime does. */
  async #give(container: string): Promise<void> {
    this.#note({ what: "giving", container });
    for (let killMs = this.#killTime(); ; killMs = undefined) {
      const { code, signal, stdout, stderr } = await this.#call("DEL", container, killMs);
      if (signal === "SIGKILL") this.#kills += 1;
      else if (code !== 0) throw new Error(`DEL ended with ${code ?? "none"}: ${stdout}${stderr}`);
      else break;
    }
    this.#note({ what: "gave", container });
  }

  /** Any moment of a call, as long as they last on a machine as busy as this one is now. */
  #killTime(): number | undefined {
    return this.#random() < this.#options.killed ? this.#random() * this.#lastMs : undefined;
  }

  async #call(command: string, container: string, killMs: number | undefined): Promise<End> {
    const { stateDir, cidr } = this.#options;
    const start = performance.now();
    const end = await callProgram(buildCrowdInput(stateDir, cidr), { command, container, killMs });
    if (end.signal === null) this.#lastMs = performance.now() - start;
    return end;
  }

  #note(entry: Omit<LogEntry, "at">): void {
    this.#entries.push({ at: now(), ...entry });
  }
}

/** What an ADD of the packaged program says. Code 11 with the pool's counts is exhaustion; throws at any other error. */
function readAnswer({ code, stdout, stderr }: End): { address: string } | "exhausted" {
  const answer = JSON.parse(stdout) as { code?: number; msg?: string; ips?: { address: string }[] };
  const address = answer.ips?.[0]?.address.split("/")[0];
  if (code === 0 && address !== undefined) return { address };
  if (answer.code === 11 && answer.msg?.includes("no free address in") === true) return "exhausted";
  throw new Error(`ADD ended with ${code ?? "none"}: ${stdout}${stderr}`);
}

/** The packaged program as an IPAM plugin; ended by SIGKILL when it still runs after `killMs`. */
export function callProgram(
  input: JsonObject,
  call: { readonly command: string; readonly container?: string; readonly killMs?: number | undefined },
): Promise<End> {
  const { command, container, killMs } = call;
  const attachment = container === undefined ? {} : { CNI_CONTAINERID: container, CNI_NETNS: "none", CNI_IFNAME: "eth0" };
  const env = { CNI_COMMAND: command, CNI_PATH: "/opt/cni/bin", ...attachment };
  return run(linuxProgram, { env, stdin: JSON.stringify(input), killMs });
}

interface Start {
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly killMs?: number | undefined;
}

/** A process to its end, however it comes. */
function run(file: string, start: Start, onOutput: (text: string, kill: () => void) => void = () => undefined): Promise<End> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, start.args ?? [], { stdio: "pipe", ...(start.env !== undefined && { env: { ...start.env } }) });
    const output = { stdout: "", stderr: "" };
    const kill = (): void => void child.kill("SIGKILL");
    const timer = start.killMs === undefined ? undefined : setTimeout(kill, start.killMs);
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output.stdout += text;
      onOutput(text, kill);
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, ...output });
    });
    child.stdin.on("error", () => undefined);
    child.stdin.end(start.stdin ?? "");
  });
}

function merge(reports: readonly CrowdReport[]): CrowdReport {
  return {
    entries: reports.flatMap(({ entries }) => entries).toSorted((left, right) => left.at - right.at),
    left: reports.flatMap(({ left }) => left),
    kills: reports.reduce((sum, { kills }) => sum + kills, 0),
  };
}
