/** A seeded walk of a runtime's workers over one node. The seed gives the choices; in which order processes come is the machine's affair. */
import type { FaultSpec } from "../../emulator/model/faults.ts";
import { type AddResult, CONTAINERD_RUNTIME_CONFIG, makeContainerId, PLAIN_RUNTIME_CONFIG } from "../cni-node.ts";
import { createRandom } from "../random.ts";
import { Population, type SoakPod } from "./population.ts";
import { Gate } from "./gate.ts";
import { type Answer, CALL_MS, type SoakNode } from "./soak-node.ts";
import { type Mishap, pickFault, pickMishap, type Weather, WEATHERS } from "./weather.ts";

/** What the walk did. Calls by command and outcome; faults by kind; the rest by name. */
export interface WalkCounts {
  calls: number;
  /** Pods whose ADD succeeded. */
  added: number;
  /** Of those and of the others, the ones whose DEL succeeded. */
  deleted: number;
  readonly outcomes: Map<string, number>;
  readonly faults: Map<string, number>;
  readonly mishaps: Map<string, number>;
}

/** Something that must not be. */
export class Defect extends Error {}

const MOST_PODS = 120;
/** The number of pods aimed at changes after so many calls. */
const TIDE_CALLS = 250;
/** An agent that ended is started again after at most so many calls, which go to the main program. */
const MOST_CALLS_WITHOUT_AGENT = 30;
const MOST_FAULTS = 6;
/** Error codes that a runtime may get while something is wrong with HNS: try again, not ready, refused by HNS. */
const TROUBLE: readonly number[] = [11, 50, 101];
const CHECK_FAILED = 103;
const INVALID_NAMESPACE = 8;
const STATEFUL_PODS = 40;

export class Walk {
  readonly pods = new Population();
  readonly counts: WalkCounts = { calls: 0, added: 0, deleted: 0, outcomes: new Map(), faults: new Map(), mishaps: new Map() };
  readonly #node: SoakNode;
  readonly #random: () => number;
  /** Every call; alone while the machine is down. */
  readonly #machine = new Gate();
  /** ADDs; none while a GC has a list that it would not be in. */
  readonly #adds = new Gate();
  readonly #faults: number[] = [];
  #weather: Weather = findWeather("calm");
  #target = 0;
  #nextTide = 0;
  #startAgentAt = 0;
  #isStarting: Promise<void> | undefined;
  /** Between the end of the agent and the start of the machine. */
  #isDown = false;
  #nextPort = 20_000;
  /** How often HNS lost its endpoints. */
  #losses = 0;

  constructor(node: SoakNode, seed: number) {
    this.#node = node;
    this.#random = createRandom(seed);
  }

  /** So many calls in a weather, by so many workers. Throws Defect, or what a worker met. */
  async go(weather: Weather, { calls, workers }: { readonly calls: number; readonly workers: number }): Promise<void> {
    this.#weather = weather;
    const last = this.counts.calls + calls;
    const work = async (): Promise<void> => {
      while (this.counts.calls < last) await this.#step();
    };
    const ends = await Promise.allSettled(Array.from({ length: workers }, work));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
    this.#requireKnownEnds();
  }

  /** Nothing goes wrong any more: the agent runs, each pod of which nobody knows what is left gets its DEL, and a GC succeeds. */
  async settle(deadlineMs: number): Promise<void> {
    this.#weather = findWeather("slow"); // errors are no defect yet: HNS may still have calls in hand
    await this.#clearFaults();
    const until = performance.now() + deadlineMs;
    const goOn = async (what: string): Promise<void> => {
      if (performance.now() > until) throw new Defect(`${what} not within ${deadlineMs} ms after the last fault`);
      if (!this.#node.agent.isUp) await this.#startAgent();
    };
    do {
      await goOn(`DEL of ${this.pods.limbo.length} pods`);
      const pod = this.pods.takeLimbo();
      if (pod !== undefined) await this.#delete(pod);
    } while (this.pods.limbo.length > 0);
    do await goOn("a GC");
    while ((await this.#collectGarbage()).kind !== "ok");
    this.#weather = findWeather("calm");
    await this.#introduceToAgent();
  }

  /** Every pod that lives is deleted. */
  async deleteAll(): Promise<void> {
    for (let pod = this.pods.takeLive(this.#random); pod !== undefined; pod = this.pods.takeLive(this.#random)) await this.#delete(pod);
  }

  async #step(): Promise<void> {
    await this.#keepAgent();
    const mishap = pickMishap(this.#random, this.#weather);
    if (mishap !== undefined) await this.#meet(mishap);
    if (this.#random() < this.#weather.faults) await this.#addFault();
    if (this.counts.calls >= this.#nextTide) this.#turnTide();
    await this.#command(this.#random());
  }

  async #command(draw: number): Promise<void> {
    const limbo = draw > 0.7 ? this.pods.takeLimbo() : undefined;
    if (limbo !== undefined) await this.#delete(limbo);
    else if (draw < 0.02) await this.#askStatus();
    else if (draw < 0.022) await this.#collectGarbage();
    else if (draw < 0.14) await this.#visit(draw < 0.08 ? "CHECK" : "ADD");
    else if (this.pods.live.length < this.#target) await this.#add();
    else await this.#deleteOne();
  }

  #turnTide(): void {
    this.#nextTide = this.counts.calls + TIDE_CALLS;
    this.#target = Math.floor(this.#random() * (MOST_PODS + 1));
  }

  async #deleteOne(): Promise<void> {
    const pod = this.pods.takeLive(this.#random);
    if (pod !== undefined) await this.#delete(pod);
    else this.#turnTide();
  }

  // Commands

  async #add(): Promise<void> {
    const pod = await this.#makePod();
    this.pods.hold(pod);
    const draw = this.#random();
    if (draw < 0.03) await this.#addBesideDelete(pod);
    else if (draw < 0.06) await this.#addTwice(pod);
    else await this.#addOnce(pod);
    if (draw >= 0.03 && pod.result === undefined && !pod.isSandboxGone && this.#random() < 0.3) await this.#addOnce(pod);
    this.pods.release(pod, pod.result === undefined ? "limbo" : "live");
  }

  async #makePod(): Promise<SoakPod> {
    const containerId = makeContainerId();
    const netns = await this.#machine.shared(() => this.#node.emulator.createNamespace());
    const isStateful = this.#random() < 0.3;
    const name = isStateful ? `web-${Math.floor(this.#random() * STATEFUL_PODS)}` : `job-${containerId.slice(0, 8)}`;
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${containerId}`;
    const rest = { args, result: undefined, isSandboxGone: false, isUnknownToAgent: false, mayHaveNewMac: false, isRaced: false };
    return { containerId, netns, ifname: "eth0", runtimeConfig: this.#pickRuntimeConfig(), ...rest };
  }

  #pickRuntimeConfig(): SoakPod["runtimeConfig"] {
    if (this.#random() < 0.8) return PLAIN_RUNTIME_CONFIG;
    this.#nextPort = this.#nextPort === 60_000 ? 20_000 : this.#nextPort + 1;
    const [mapping] = CONTAINERD_RUNTIME_CONFIG.portMappings;
    return { ...CONTAINERD_RUNTIME_CONFIG, portMappings: [{ ...mapping, HostPort: this.#nextPort }] };
  }

  /** An ADD, which for a pod that lives must give what the first one gave. */
  async #addOnce(pod: SoakPod): Promise<boolean> {
    const before = pod.result;
    const { readyPid } = this.#node.agent;
    const lost = this.#losses;
    const answer = await this.#adds.shared(() => this.#call("ADD", pod));
    if (pod.isSandboxGone || answer.kind !== "ok") return false; // the machine went down: it counts for nothing
    pod.isUnknownToAgent = readyPid === 0 || readyPid !== this.#node.agent.readyPid; // else one agent was there all the time
    const result = JSON.parse(answer.stdout) as AddResult; // the program's own document
    const expected = before ?? pod.result;
    if (expected !== undefined) requireSame(pod, expected, result);
    else this.counts.added += 1;
    pod.mayHaveNewMac &&= lost < this.#losses;
    const conflict = this.pods.own(pod, result);
    if (conflict !== undefined) throw new Defect(conflict);
    return true;
  }

  async #addTwice(pod: SoakPod): Promise<void> {
    const areDone = await Promise.all([this.#addOnce(pod), this.#addOnce(pod)]);
    if (areDone.includes(false)) this.pods.disown(pod);
  }

  /** What an ADD that failed has left of a pod is nobody's business: the runtime deletes it. */
  async #addAgain(pod: SoakPod): Promise<void> {
    const isDone = await this.#addOnce(pod);
    if (!isDone) this.pods.disown(pod);
  }

  /** Nobody knows which of them came last: a DEL is owed. */
  async #addBesideDelete(pod: SoakPod): Promise<void> {
    pod.isRaced = true;
    await Promise.all([this.#adds.shared(() => this.#call("ADD", pod)), this.#call("DEL", pod)]);
    pod.isRaced = false;
  }

  async #visit(command: "CHECK" | "ADD"): Promise<void> {
    const pod = this.pods.takeLive(this.#random);
    if (pod === undefined) return;
    if (command === "ADD") await this.#addAgain(pod);
    else await this.#call("CHECK", pod, { prevResult: pod.result });
    this.pods.release(pod, pod.result === undefined ? "limbo" : "live");
  }

  /** In all the ways in which it comes: once, twice at a time, once more, with its sandbox gone, and with the sandbox not named. */
  async #delete(pod: SoakPod): Promise<void> {
    this.pods.disown(pod);
    const draw = this.#random();
    if (draw < 0.1) await this.#removeSandbox(pod);
    const target = draw < 0.15 || pod.isSandboxGone ? { ...pod, netns: "" } : pod;
    const calls = Array.from({ length: draw > 0.95 ? 2 : 1 }, () => this.#call("DEL", target));
    const isDone = (await Promise.all(calls)).some(({ kind }) => kind === "ok");
    if (isDone) await this.#bury(pod, draw > 0.3 && draw < 0.4);
    this.pods.release(pod, isDone ? "gone" : "limbo");
  }

  async #bury(pod: SoakPod, isAgain: boolean): Promise<void> {
    this.counts.deleted += 1;
    if (isAgain) await this.#call("DEL", { ...pod, netns: "" });
    await this.#removeSandbox(pod);
  }

  async #removeSandbox(pod: SoakPod): Promise<void> {
    await this.#machine.shared(async () => {
      if (pod.isSandboxGone) return;
      pod.isSandboxGone = true;
      await this.#node.emulator.deleteNamespace(pod.netns);
    });
  }

  async #askStatus(): Promise<void> {
    await this.#machine.shared(async () => this.#judge("STATUS", await this.#node.callForNetwork("STATUS")));
  }

  #collectGarbage(): Promise<Answer> {
    return this.#adds.alone(() =>
      this.#machine.shared(async () => this.#judge("GC", await this.#node.callForNetwork("GC", this.pods.all))),
    );
  }

  /** What was added while no agent ran cannot be made again by one, until it has heard of it. Some of what HNS lost is added again too. */
  async #introduceToAgent(): Promise<void> {
    const isAdded = (pod: SoakPod): boolean => pod.isUnknownToAgent || (pod.mayHaveNewMac && this.#random() < 0.3);
    for (const pod of this.pods.live.filter(isAdded)) await this.#addOnce(pod);
  }

  #call(command: "ADD" | "CHECK" | "DEL", pod: SoakPod, extra: { prevResult?: unknown } = {}): Promise<Answer> {
    return this.#machine.shared(async () => {
      const answer = await this.#node.call(command, pod, { env: { CNI_ARGS: pod.args }, ...extra });
      return this.#judge(command, answer, pod);
    });
  }

  /** Counts an answer. Throws Defect at one that no runtime should see in this weather. */
  #judge(command: string, answer: Answer, pod?: SoakPod): Answer {
    this.counts.calls += 1;
    const outcome = answer.kind === "error" ? `error ${answer.code}` : answer.kind;
    count(this.counts.outcomes, `${command} ${outcome}`);
    const isTold = (text: string): never => {
      throw new Defect(`${command} of ${pod?.containerId ?? "the network"} in ${this.#weather.name} weather: ${text}`);
    };
    if (answer.kind === "nonsense") isTold(answer.text);
    if (answer.kind === "dead" && !this.#weather.isDeadly) isTold("it ended without a word");
    if (answer.kind === "ok" && command !== "ADD" && answer.stdout !== "") isTold(answer.stdout);
    if (answer.kind === "error" && !this.#isTrouble(command, answer.code, pod)) isTold(answer.text);
    return answer;
  }

  #isTrouble(command: string, code: number, pod: SoakPod | undefined): boolean {
    if (pod?.isSandboxGone === true && code === INVALID_NAMESPACE) return true;
    if (this.#weather.name === "calm" && pod?.isRaced !== true) return false;
    return TROUBLE.includes(code) || (command === "CHECK" && code === CHECK_FAILED);
  }

  // Trouble

  async #addFault(): Promise<void> {
    const fault: FaultSpec = pickFault(this.#random, this.#weather, CALL_MS);
    const { id } = await this.#node.emulator.addFault(fault);
    count(this.counts.faults, fault.kind);
    this.#faults.push(id);
    const oldest = this.#faults.length > MOST_FAULTS ? this.#faults.shift() : undefined;
    if (oldest !== undefined) await this.#node.emulator.clearFaults(oldest);
  }

  async #clearFaults(): Promise<void> {
    this.#faults.length = 0;
    await this.#node.emulator.clearFaults();
  }

  async #meet(mishap: Mishap): Promise<void> {
    const { agent, emulator } = this.#node;
    const isAbout = { hns: mishap.startsWith("hns"), agent: agent.isUp && !this.#isDown && this.#isStarting === undefined };
    if (!isAbout.hns && !isAbout.agent) return;
    count(this.counts.mishaps, mishap);
    const meet: Readonly<Record<Mishap, () => Promise<void>>> = {
      "hns restart": () => emulator.restart(),
      "hns loses endpoints": () => this.#loseEndpoints(),
      "agent killed": () => agent.end("SIGKILL"),
      "agent stopped": () => agent.end("SIGTERM"),
      reboot: () => this.#reboot(),
    };
    await meet[mishap]();
  }

  async #loseEndpoints(): Promise<void> {
    this.#losses += 1;
    for (const pod of this.pods.all) pod.mayHaveNewMac = true;
    await this.#node.emulator.restart({ loseEndpoints: true });
  }

  async #reboot(): Promise<void> {
    const { agent, emulator } = this.#node;
    this.#isDown = true;
    await this.#machine.alone(
      async () => {
        await emulator.reboot();
        for (const { id } of await emulator.networks()) if (this.#random() < 0.5) await emulator.deleteNetwork(id);
        this.pods.die();
        this.#isDown = false;
      },
      () => agent.end("SIGKILL"),
    );
  }

  /** Starts the agent again some calls after it ended. */
  async #keepAgent(): Promise<void> {
    if (this.#isDown || this.#node.agent.isUp || this.#isStarting !== undefined) return;
    if (this.#startAgentAt === 0) this.#startAgentAt = this.counts.calls + Math.ceil(this.#random() * MOST_CALLS_WITHOUT_AGENT);
    if (this.counts.calls >= this.#startAgentAt) await this.#startAgent();
  }

  async #startAgent(): Promise<void> {
    this.#startAgentAt = 0;
    this.#isStarting = this.#node.agent.start();
    try {
      await this.#isStarting;
    } finally {
      this.#isStarting = undefined;
    }
  }

  #requireKnownEnds(): void {
    const { ends, output } = this.#node.agent;
    if (ends.includes("other")) throw new Defect(`the agent ended by itself:\n${output}`);
  }
}

export function findWeather(name: Weather["name"]): Weather {
  const found = WEATHERS.find((weather) => weather.name === name);
  if (found === undefined) throw new Error(`no weather ${name}`);
  return found;
}

function requireSame(pod: SoakPod, first: AddResult, again: AddResult): void {
  const write = (result: AddResult): string => {
    const interfaces = result.interfaces.map((entry) => (pod.mayHaveNewMac ? { ...entry, mac: "" } : entry));
    return JSON.stringify({ ...result, interfaces });
  };
  if (write(again) === write(first)) return;
  throw new Defect(`a repeated ADD of ${pod.containerId} gave ${JSON.stringify(again)} after ${JSON.stringify(first)}`);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
