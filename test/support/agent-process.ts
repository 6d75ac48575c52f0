/** The packaged agent as a process, and calls over its socket as the shim makes them. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADMIN_PROGRAM, ADMIN_QUERY, type AdminQuery, type AgentStatus } from "../../src/service/agent/admin-protocol.ts";
import { forwardCall, type RpcOutcome } from "../../src/service/rpc/client.ts";
import { emulatorLibrary, linuxProgram } from "./paths.ts";
import type { ProgramCall, ProgramOutcome } from "./programs.ts";

export interface AgentProcessOptions {
  /** The packaged program unless given; koffi.node lies beside it. */
  readonly program?: string;
  /** Where the emulator answers. */
  readonly address: string;
  readonly stateDir: string;
  /** Put over the agent's configuration, which has no metrics unless asked. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

const READY_MS = 30_000;
const CALL_MS = 100_000;

export class AgentProcess {
  readonly socket: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #stderr = "";

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
    this.socket = join(folder, "run", "agent.sock");
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#stderr += text));
  }

  /** Resolves once it says that it is ready. Rejects with what it wrote when it ends before. */
  static async start(options: AgentProcessOptions): Promise<AgentProcess> {
    const folder = mkdtempSync(join(tmpdir(), "hns-cni-agent-"));
    mkdirSync(join(folder, "run"), { mode: 0o700 });
    const config = { stateDir: options.stateDir, metrics: { enabled: false }, ...options.config };
    writeFileSync(join(folder, "agent.json"), JSON.stringify(config));
    const env = {
      HNS_CNI_HCN_LIBRARY: emulatorLibrary,
      HNS_EMULATOR_ADDRESS: options.address,
      HNS_CNI_SOCKET: join(folder, "run", "agent.sock"),
      ...options.env,
    };
    const child = spawn(options.program ?? linuxProgram, ["agent", "--config", join(folder, "agent.json")], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    const agent = new AgentProcess(child, folder);
    try {
      await agent.waitFor("agent ready");
      return agent;
    } catch (thrown) {
      await agent.end("SIGKILL");
      throw thrown;
    }
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What it has logged so far. */
  get stderr(): string {
    return this.#stderr;
  }

  /** Resolves once `text` is in the log. Rejects when the agent ends or nothing comes. */
  waitFor(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (error?: Error): void => {
        clearTimeout(timer);
        this.#child.stderr?.off("data", look);
        this.#child.off("close", ended);
        if (error === undefined) resolve();
        else reject(error);
      };
      const look = (): void => {
        if (this.#stderr.includes(text)) end();
      };
      const ended = (): void => end(new Error(`the agent ended:\n${this.#stderr}`));
      const timer = setTimeout(() => end(new Error(`no "${text}" from the agent:\n${this.#stderr}`)), READY_MS);
      this.#child.stderr?.on("data", look);
      this.#child.once("close", ended);
      look();
    });
  }

  /** Resolves when it has ended by itself, with its exit code. */
  async ended(): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, "close");
    return this.#child.exitCode;
  }

  /** The number a metric has now; the agent must have been started with metrics. */
  async metric(line: string): Promise<number> {
    const port = /"metrics served".*?"port":(\d+)/.exec(this.#stderr)?.[1];
    const text = await (await fetch(`http://127.0.0.1:${port ?? "none"}/metrics`)).text();
    const found = text.split("\n").find((entry) => entry.startsWith(`${line} `));
    return Number(found?.slice(line.length + 1) ?? 0);
  }

  /** What it answers to the command line. */
  async query<T>(query: AdminQuery): Promise<T> {
    const call = { program: ADMIN_PROGRAM, variables: { [ADMIN_QUERY]: query }, stdin: new Uint8Array(), deadlineMs: CALL_MS };
    const outcome = await forwardCall(call, { path: this.socket });
    if (outcome.kind !== "answered" || outcome.code !== 0) throw new Error(`no answer to ${query}: ${JSON.stringify(outcome)}`);
    return JSON.parse(new TextDecoder().decode(outcome.stdout)) as T;
  }

  /** Resolves after so many looks at HNS that began after this call. */
  async looks(count: number): Promise<AgentStatus["reconcile"]> {
    const read = async (): Promise<AgentStatus["reconcile"]> => (await this.query<AgentStatus>("status")).reconcile;
    let last = await read();
    // The first to end may have begun before.
    for (let seen = 0; seen <= count;) {
      const next = await read();
      if (next?.at !== last?.at) seen++;
      last = next;
    }
    return last;
  }

  forward({ env, stdin, timeoutMs }: ProgramCall): Promise<RpcOutcome> {
    const call = { program: "hns-cni", variables: env, stdin: new TextEncoder().encode(stdin), deadlineMs: timeoutMs ?? CALL_MS };
    return forwardCall(call, { path: this.socket });
  }

  /** A call that must be answered, as a program would have ended. */
  async call(call: ProgramCall): Promise<ProgramOutcome> {
    const outcome = await this.forward(call);
    if (outcome.kind !== "answered") throw new Error(`the agent did not answer: ${JSON.stringify(outcome)}\n${this.#stderr}`);
    const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
    return { code: outcome.code, stdout: text(outcome.stdout), stderr: text(outcome.stderr) };
  }

  /** Ends it and resolves with its exit code; null after a signal that it does not handle. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      this.#child.kill(signal);
      await once(this.#child, "close");
    }
    rmSync(this.#folder, { recursive: true, force: true });
    return this.#child.exitCode;
  }
}
