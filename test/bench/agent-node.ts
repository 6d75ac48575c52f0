/** A node with an agent for benchmarks: crowds of pods over the agent's socket or through the shim. */
import { linuxShim } from "../../scripts/package/shim.ts";
import { AgentProcess } from "../support/agent-process.ts";
import { type AttachmentCommand, CniNode, type Pod } from "../support/cni-node.ts";
import { emulatorLibrary } from "../support/paths.ts";
import { type CniProgram, linux, type ProgramCall, type ProgramOutcome } from "../support/programs.ts";
import { WIDE_LIST } from "./bench-node.ts";
import { linuxProgram } from "./paths.ts";
import { runProcess } from "./process.ts";

/** Who hands the calls to the agent: the benchmark itself, a shim for each, or nobody and the program does each by itself. */
export type Way = "socket" | "shim" | "program";

export interface AgentNodeOptions {
  /** The program to run as the agent. */
  readonly program: string;
  readonly way: Way;
  readonly threads: number;
  /** How long an endpoint takes HNS, milliseconds; 0 is at once. */
  readonly createMs: number;
}

export class AgentNode {
  readonly agent: AgentProcess;
  readonly cni: CniNode;

  private constructor(cni: CniNode, agent: AgentProcess) {
    this.cni = cni;
    this.agent = agent;
  }

  /** A node whose network stands. With "program" the agent has ended again, and nobody listens. */
  static async start({ program, way, threads, createMs }: AgentNodeOptions): Promise<AgentNode> {
    const holder: { agent?: AgentProcess } = {};
    const run = (call: ProgramCall, address: string): Promise<ProgramOutcome> => {
      if (holder.agent === undefined) throw new Error("no agent");
      return way === "socket" ? holder.agent.call(call) : runFile(call, way, { address, socket: holder.agent.socket });
    };
    const caller: CniProgram = { ...linux, run };
    const cni = await CniNode.start(caller, WIDE_LIST);
    try {
      const env = { UV_THREADPOOL_SIZE: String(threads) };
      holder.agent = await AgentProcess.start({ address: cni.emulator.address, stateDir: cni.stateDir, env, program });
      const node = new AgentNode(cni, holder.agent);
      await node.addAll(await node.makePods(1));
      if (way === "program") await holder.agent.end();
      if (createMs > 0) await cni.emulator.setLatency({ call: "HcnCreateEndpoint", distribution: "fixed", ms: createMs });
      return node;
    } catch (thrown) {
      await holder.agent?.end("SIGKILL");
      await cni.close();
      throw thrown;
    }
  }

  async close(): Promise<void> {
    await this.agent.end("SIGKILL");
    await this.cni.close();
  }

  makePods(count: number): Promise<Pod[]> {
    return Promise.all(Array.from({ length: count }, () => this.cni.makePod()));
  }

  /** ADD of all at once. Throws unless each has an address of its own. */
  async addAll(pods: readonly Pod[]): Promise<void> {
    const addresses = await Promise.all(pods.map((pod) => this.#call("ADD", pod).then(readAddress)));
    if (new Set(addresses).size !== pods.length) throw new Error(`${pods.length} pods have ${new Set(addresses).size} addresses`);
  }

  async deleteAll(pods: readonly Pod[]): Promise<void> {
    await Promise.all(pods.map((pod) => this.#call("DEL", pod)));
  }

  async status(): Promise<void> {
    demandSuccess(await this.cni.callForNetwork("STATUS"));
  }

  async #call(command: AttachmentCommand, pod: Pod): Promise<string> {
    // Pods have names of their own, other than those of the tests.
    const name = `web-5d9f7b-${pod.containerId.slice(0, 5)}`;
    const CNI_ARGS = `IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${pod.containerId}`;
    return demandSuccess(await this.cni.call(command, pod, { env: { CNI_ARGS } }));
  }
}

function runFile(
  { env, stdin }: ProgramCall,
  way: "shim" | "program",
  place: { address: string; socket: string },
): Promise<ProgramOutcome> {
  const whole = {
    HNS_CNI_SOCKET: place.socket,
    HNS_CNI_MAIN: linuxProgram,
    HNS_CNI_HCN_LIBRARY: emulatorLibrary,
    HNS_EMULATOR_ADDRESS: place.address,
    ...env,
  };
  return runProcess({ program: way === "shim" ? linuxShim.file : linuxProgram, env: whole, stdin });
}

function readAddress(stdout: string): string {
  const { ips } = JSON.parse(stdout) as { ips?: { address: string }[] };
  const address = ips?.[0]?.address;
  if (address === undefined) throw new Error(`no address: ${stdout}`);
  return address;
}

function demandSuccess({ code, stdout, stderr }: ProgramOutcome): string {
  if (code !== 0) throw new Error(`the call failed: ${stdout}${stderr}`);
  return stdout;
}
