/** The Windows agent in the foreground under Wine. Its pipe has one name a prefix, so there is one at a time. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { THREADS } from "../../src/bin/agent-service.ts";
import { windowsPath } from "../support/shim-wine.ts";
import type { WineMachine } from "../support/wine.ts";
import { wineEnvironment } from "../support/wine-prefix.ts";

const READY_MS = 60_000;
const POLL_MS = 50;

export interface WineAgentOptions {
  readonly machine: WineMachine;
  /** Where the emulator answers. */
  readonly address: string;
  /** A Linux path. */
  readonly stateDir: string;
}

export class WineAgent {
  readonly #child: ChildProcess;
  readonly #folder: string;

  private constructor(child: ChildProcess, folder: string) {
    this.#child = child;
    this.#folder = folder;
  }

  /** Resolves once it says that it is ready. Rejects with what it wrote when it ends before, or takes too long. */
  static async start({ machine, address, stateDir }: WineAgentOptions): Promise<WineAgent> {
    const folder = mkdtempSync(join(tmpdir(), "hns-cni-wine-agent-"));
    const config = join(folder, "agent.json");
    writeFileSync(config, JSON.stringify({ stateDir: windowsPath(stateDir), metrics: { enabled: false } }));
    // A file: Node under Wine can write no Unix pipe.
    const log = openSync(join(folder, "stderr"), "w");
    const child = spawn(machine.prefix.wine, [machine.program, "agent", "--config", windowsPath(config)], {
      env: { ...wineEnvironment(machine.prefix.folder), UV_THREADPOOL_SIZE: THREADS, HNS_EMULATOR_ADDRESS: address },
      cwd: join(machine.prefix.folder, "drive_c"),
      stdio: ["ignore", "ignore", log],
    });
    closeSync(log);
    const agent = new WineAgent(child, folder);
    try {
      await agent.#ready();
      return agent;
    } catch (thrown) {
      await agent.close();
      throw thrown;
    }
  }

  /** Ends it without a word: its state is thrown away. */
  async close(): Promise<void> {
    if (this.#isAlive) {
      this.#child.kill("SIGKILL");
      await once(this.#child, "exit");
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #isAlive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async #ready(): Promise<void> {
    await once(this.#child, "spawn"); // rejects where Wine cannot be started
    for (const end = performance.now() + READY_MS; performance.now() < end;) {
      await sleep(POLL_MS);
      const text = readFileSync(join(this.#folder, "stderr"), "utf8");
      if (text.includes("agent ready")) return;
      if (!this.#isAlive) throw new Error(`the agent ended:\n${text}`);
    }
    throw new Error("the agent did not become ready");
  }
}
