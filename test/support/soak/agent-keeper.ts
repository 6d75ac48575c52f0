/** The packaged agent as a service manager keeps it: one at a time, always on the same socket, started again after it ended. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ADMIN_PROGRAM, ADMIN_QUERY, type AdminQuery } from "../../../src/service/agent/admin-protocol.ts";
import { forwardCall } from "../../../src/service/rpc/client.ts";
import { linuxProgram } from "../paths.ts";

export interface KeeperOptions {
  /** Its configuration file is put there. */
  readonly folder: string;
  readonly config: object;
  readonly socket: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How an agent ended, in the words of the report. */
export type AgentEnd = "killed" | "stopped" | "stuck" | "killed by HNS" | "other";

const READY_MS = 150_000;
const QUERY_MS = 60_000;
/** What is kept of its output, characters: enough to tell why it ended. */
const KEPT = 20_000;
const STUCK_EXIT_CODE = 75;
const KILLED_EXIT_CODE = 137;

export class AgentKeeper {
  /** How those before ended. */
  readonly ends: AgentEnd[] = [];
  readonly #options: KeeperOptions;
  #child: ChildProcess | undefined;
  #output = "";
  #port = 0;
  #readyPid = 0;
  #isExpected: AgentEnd | undefined;

  constructor(options: KeeperOptions) {
    this.#options = options;
    writeFileSync(this.#configPath, JSON.stringify(options.config));
  }

  get #configPath(): string {
    return join(this.#options.folder, "agent.json");
  }

  /** 0 while none runs. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** Of one that takes calls; 0 while none does, so that the main program does them. */
  get readyPid(): number {
    return this.#readyPid;
  }

  /** The last that it wrote. */
  get output(): string {
    return this.#output;
  }

  /** Resolves once it is ready. Rejects when it ends before that by itself. */
  async start(): Promise<void> {
    const env = { ...this.#options.env, HNS_CNI_SOCKET: this.#options.socket };
    const child = spawn(linuxProgram, ["agent", "--config", this.#configPath], { env, stdio: ["ignore", "ignore", "pipe"] });
    this.#child = child;
    this.#output = "";
    child.once("close", (code) => this.#ended(child, code));
    await this.#ready(child);
  }

  /** Ends it and waits until it has ended; does nothing when none runs. */
  async end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    this.#isExpected = signal === "SIGKILL" ? "killed" : "stopped";
    const closed = once(child, "close");
    child.kill(signal);
    await closed;
  }

  async query<T>(query: AdminQuery): Promise<T> {
    const call = { program: ADMIN_PROGRAM, variables: { [ADMIN_QUERY]: query }, stdin: new Uint8Array(), deadlineMs: QUERY_MS };
    const outcome = await forwardCall(call, { path: this.#options.socket });
    if (outcome.kind !== "answered" || outcome.code !== 0) throw new Error(`no answer to ${query}: ${JSON.stringify(outcome)}`);
    return JSON.parse(new TextDecoder().decode(outcome.stdout)) as T; // what this tree's agent writes
  }

  /** The page of metrics, as a scraper reads it. */
  async metrics(): Promise<string> {
    return (await fetch(`http://127.0.0.1:${this.#port}/metrics`)).text();
  }

  #ready(child: ChildProcess): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the agent is not ready:\n${this.#output}`)), READY_MS);
      child.once("close", () => {
        clearTimeout(timer);
        // One that we or a fault ended as it started is started again like any other.
        if (this.ends.at(-1) === "other") reject(new Error(`the agent did not start:\n${this.#output}`));
        else resolve();
      });
      child.stderr?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT);
        const port = /"metrics served".*?"port":(\d+)/.exec(this.#output)?.[1];
        if (this.#readyPid !== 0 || port === undefined || !this.#output.includes("agent ready")) return;
        this.#port = Number(port);
        this.#readyPid = this.pid;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #ended(child: ChildProcess, code: number | null): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#readyPid = 0;
    this.ends.push(this.#isExpected ?? nameEnd(code));
    this.#isExpected = undefined;
  }
}

function nameEnd(code: number | null): AgentEnd {
  if (code === STUCK_EXIT_CODE) return "stuck";
  return code === KILLED_EXIT_CODE ? "killed by HNS" : "other";
}
