/** A node under load: emulated HNS, the packaged agent kept alive, and the shim in the plugin's place, each a process of its own. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxShim } from "../../../scripts/package/shim.ts";
import { EmulatorClient } from "../../emulator/client.ts";
import { type AttachmentCommand, type CallOptions, CniNode, type Pod, README_LIST } from "../cni-node.ts";
import { emulatorLibrary, linuxProgram } from "../paths.ts";
import type { CniProgram, ProgramOutcome } from "../programs.ts";
import { runProcess } from "../run-process.ts";
import { AgentKeeper } from "./agent-keeper.ts";

/** How long the program waits for one call to HNS. */
export const CALL_MS = 2_000;
/** Longer than the shim waits. */
const PROCESS_MS = 110_000;

/** Times short enough for addresses to go from pod to pod, and for what is stuck to be given up. */
export const SOAK_CONFIG = {
  callTimeoutSeconds: CALL_MS / 1000,
  operationTimeoutSeconds: 20,
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24", cooldownSeconds: 2, reuseFloorSeconds: 1, waitSeconds: 10, reclaimGraceSeconds: 5 },
};

const AGENT_CONFIG = {
  metrics: { enabled: true, port: 0 },
  hns: { restSeconds: 0.5 },
  drainSeconds: 5,
  reconcile: { intervalSeconds: 2, graceSeconds: 1 },
};

/** A command's end as a runtime reads it; "dead" ended without a word, as a process that was killed does. */
export type Answer =
  | { readonly kind: "ok"; readonly stdout: string }
  | { readonly kind: "error"; readonly code: number; readonly text: string }
  | { readonly kind: "dead" }
  | { readonly kind: "nonsense"; readonly text: string };

export class SoakNode {
  readonly cni: CniNode;
  readonly agent: AgentKeeper;
  readonly stateDir: string;
  readonly #folder: string;

  private constructor(folder: string, emulator: EmulatorClient) {
    this.#folder = folder;
    this.stateDir = join(folder, "state");
    const socket = join(folder, "run", "agent.sock");
    const env = { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: emulator.address };
    const config = { ...AGENT_CONFIG, stateDir: this.stateDir };
    this.agent = new AgentKeeper({ folder, config, socket, env });
    const program = buildShimProgram(folder, { ...env, HNS_CNI_SOCKET: socket, HNS_CNI_MAIN: linuxProgram });
    this.cni = new CniNode(program, emulator, README_LIST, this.stateDir);
  }

  static async start(): Promise<SoakNode> {
    const folder = mkdtempSync(join(tmpdir(), "hns-cni-soak-"));
    for (const name of ["run", "bin", "state"]) mkdirSync(join(folder, name), { mode: 0o700 });
    return new SoakNode(folder, await EmulatorClient.start());
  }

  get emulator(): EmulatorClient {
    return this.cni.emulator;
  }

  async close(): Promise<void> {
    await this.agent.end("SIGKILL");
    await this.cni.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async call(command: AttachmentCommand, pod: Pod, options: CallOptions = {}): Promise<Answer> {
    return readAnswer(await this.cni.call(command, pod, { config: SOAK_CONFIG, timeoutMs: PROCESS_MS, ...options }));
  }

  async callForNetwork(command: "STATUS" | "GC", valid?: readonly Pod[]): Promise<Answer> {
    const attachments = valid?.map(({ containerId, ifname }) => ({ containerID: containerId, ifname }));
    const config = { ...SOAK_CONFIG, ...(attachments !== undefined && { "cni.dev/valid-attachments": attachments }) };
    return readAnswer(await this.cni.callForNetwork(command, { config, timeoutMs: PROCESS_MS }));
  }
}

/** The shim under the plugin's name, as an installation has it. */
function buildShimProgram(folder: string, env: Readonly<Record<string, string>>): CniProgram {
  const file = join(folder, "bin", "hns-cni");
  copyFileSync(join(process.cwd(), linuxShim.file), file);
  return {
    name: "the shim",
    reason: undefined,
    start: () => Promise.resolve(),
    run: ({ env: variables, ...call }): Promise<ProgramOutcome> => runProcess(file, { ...call, env: { ...env, ...variables } }),
    path: (linuxPath) => linuxPath,
  };
}

const KILLED_EXIT_CODE = 137;

function readAnswer({ code, stdout, stderr }: ProgramOutcome): Answer {
  if (code === 0 && stderr === "") return { kind: "ok", stdout };
  if ((code === null || code === KILLED_EXIT_CODE) && stdout === "") return { kind: "dead" };
  const error = code === 1 && stderr === "" ? parse(stdout) : undefined;
  if (error !== undefined) return { kind: "error", code: error.code, text: stdout };
  return { kind: "nonsense", text: JSON.stringify({ code, stdout, stderr }) };
}

function parse(text: string): { readonly code: number } | undefined {
  try {
    const document: unknown = JSON.parse(text);
    const code: unknown = typeof document === "object" && document !== null && "code" in document ? document.code : undefined;
    return typeof code === "number" ? { code } : undefined;
  } catch {
    return undefined;
  }
}
