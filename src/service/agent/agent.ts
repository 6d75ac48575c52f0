import { parse } from "node:path";
import { poll } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import type { LogFields } from "../../core/base/log.ts";
import { readVariable } from "../../core/cni/environment.ts";
import type { CniHandlers } from "../../core/cni/dispatch.ts";
import type { Machine } from "../../core/engine/machine.ts";
import type { HcnBackend } from "../../core/hcn/backend.ts";
import { Breaker } from "../../core/hcn/breaker.ts";
import { decorate } from "../../core/hcn/decorate.ts";
import { isAgentAtWork, type LockFile, takeAgentLock } from "../../host/exec/agent-lock.ts";
import { StateFolder } from "../../host/state/state-folder.ts";
import type { RpcAnswer, RpcCall } from "../rpc/frame.ts";
import { RpcServer } from "../rpc/server.ts";
import { CallRunner, type PluginCall, type RunCallOperation } from "./call-runner.ts";
import { ConfFile } from "./conf-file.ts";
import type { AgentConfig } from "./config.ts";
import { countAddresses, countAttachments } from "./counts.ts";
import { endWhenStuck } from "./end-when-stuck.ts";
import { flushFirst } from "./flush-first.ts";
import { AgentHttp, type Readiness } from "./http.ts";
import { type AgentLog, openAgentLog } from "./log.ts";
import { AgentMetrics } from "./metrics.ts";

/** What the machine gives the agent. */
export interface AgentHost {
  readonly machine: Machine;
  readonly backend: HcnBackend;
  readonly lockFile: LockFile;
  abandonedCalls(): number;
  endProcess(code: number): void;
  readonly stateDir: string;
  /** The unix socket or pipe that the shim knows. */
  readonly socket: string;
  /** The runtime's CNI configuration folder. */
  readonly cniConfDir: string;
}

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly host: AgentHost;
  readonly buildHandlers: (run: RunCallOperation, call: PluginCall) => CniHandlers;
  /** Log lines go to standard error too. */
  readonly isVerbose: boolean;
}

/** Calls that the pipe takes at a time: a node that starts brings all its pods at once, and each call costs little while it waits. */
const CONNECTIONS = 1024;
const LOCK_POLL_MS = 50;
/** How long the plugins that work alone at the start may take: longer than any operation of theirs. */
const LOCK_MS = 120_000;
const STUCK_POLL_MS = 1_000;
const ERRORS_KEPT = 20;

export interface ErrorLine {
  readonly time: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** The node's engine as one process that stays. */
export class Agent {
  readonly log: AgentLog;
  readonly #options: AgentOptions;
  readonly #folder: StateFolder;
  readonly #breaker: Breaker;
  readonly #metrics: AgentMetrics;
  readonly #runner: CallRunner;
  readonly #rpc: RpcServer;
  readonly #conf: ConfFile;
  readonly #errors: ErrorLine[] = [];
  readonly #isOpen: Promise<void>;
  #open: () => void = () => undefined;
  #http: AgentHttp | undefined;
  #readiness: Readiness = { isReady: false, reason: "starting" };
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AgentOptions) {
    const { config, host } = options;
    const { clock } = host.machine;
    this.#options = options;
    this.log = openAgentLog({
      folder: host.stateDir,
      level: config.logLevel,
      isVerbose: options.isVerbose,
      onError: (line) => this.#keepError(line),
    });
    this.#isOpen = new Promise((resolve) => (this.#open = resolve));
    this.#folder = new StateFolder({ stateDir: host.stateDir, log: this.log, clock });
    this.#breaker = new Breaker({
      clock,
      log: this.log,
      limit: config.hns.unansweredLimit,
      restMs: config.hns.restSeconds * 1000,
    });
    this.#metrics = new AgentMetrics(clock, {
      addresses: () => this.#folder.inspect(countAddresses) ?? new Map(),
      attachments: () => this.#folder.inspect(countAttachments) ?? new Map(),
      running: () => this.#runner.running,
      abandoned: () => host.abandonedCalls(),
      breaker: () => this.#breaker.state,
    });
    this.#runner = new CallRunner({
      backend: this.#decorate(host.backend),
      machine: host.machine,
      log: this.log,
      events: this.#metrics.events,
      folderOf: (stateDir) => this.#folderOf(stateDir),
      buildHandlers: options.buildHandlers,
      childLog: (context) => this.log.child(context),
    });
    this.#rpc = new RpcServer(
      { path: host.socket, handler: (call) => this.#answer(call), limits: { connections: CONNECTIONS } },
      { log: this.log },
    );
    this.#conf = new ConfFile(config.cniConf, host.cniConfDir, this.log);
  }

  /**
   * Listens first, so that the runtime's calls wait here and no further plugin starts working alone; then takes the lock, opens the state,
   * and says by the CNI configuration that pods may come. Throws IO_FAILURE when another agent runs.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { config, host } = this.#options;
    await this.#rpc.start(signal);
    await this.#takeLock();
    await this.#folder.run((store) => Promise.resolve(store.read((tx) => tx.listLeases())));
    this.#open();
    if (config.metrics.enabled) await this.#startHttp(config.metrics.port);
    this.#conf.publish();
    this.#readiness = { isReady: true };
    this.#timer = setInterval(() => this.#watch(), STUCK_POLL_MS);
    this.log.info("agent ready", { stateDir: host.stateDir, socket: host.socket });
  }

  /** Takes no further call, lets those under way finish, and leaves the state durable. */
  async close(): Promise<void> {
    const { drainSeconds } = this.#options.config;
    this.#readiness = { isReady: false, reason: "ending" };
    this.log.info("agent ends", { running: this.#runner.running });
    clearInterval(this.#timer);
    this.#conf.withdraw();
    await this.#rpc.close({ drainMs: drainSeconds * 1000 });
    await this.#http?.close();
    await this.#folder.flush();
    this.#folder.close();
    await this.log.close();
  }

  async #takeLock(): Promise<void> {
    const { lockFile, machine, stateDir } = this.#options.host;
    const deadline = { at: machine.clock.uptime() + LOCK_MS };
    const lock = await poll(machine.clock, { deadline, intervalMs: LOCK_POLL_MS }, () => {
      const taken = takeAgentLock(lockFile, stateDir, "exclusive");
      if (taken === undefined && isAgentAtWork(lockFile, stateDir)) throw occupied(`another agent works with the state in ${stateDir}`);
      return taken;
    });
    if (lock === undefined) throw occupied(`a plugin has worked with the state in ${stateDir} for ${LOCK_MS / 1000} s`);
  }

  async #answer({ program, variables, stdin }: RpcCall): Promise<RpcAnswer> {
    await this.#isOpen;
    const { clock } = this.#options.host.machine;
    const start = clock.uptime();
    const call = { program: parse(program.replaceAll("\\", "/")).name, env: variables, stdin: new TextDecoder().decode(stdin) };
    const { code, stdout } = await this.#runner.run(call);
    this.#metrics.observeCommand(readVariable(variables, "CNI_COMMAND"), code === 0 ? "ok" : "error", clock.uptime() - start);
    return { code, stdout: new TextEncoder().encode(stdout), stderr: new Uint8Array() };
  }

  #decorate(backend: HcnBackend): HcnBackend {
    const measured = decorate(decorate(backend, this.#metrics.aroundCall), this.#breaker.around);
    return decorate(
      measured,
      flushFirst(() => this.#folder.flush()),
    );
  }

  #folderOf(stateDir: string | undefined): StateFolder {
    const own = this.#options.host.stateDir;
    if (stateDir === undefined || stateDir === own) return this.#folder;
    const message = `stateDir is "${stateDir}", and the agent keeps its state in "${own}"`;
    throw new PluginError("INVALID_CONFIG", { message, field: "stateDir", remedy: "leave it out, or give agent.json the same" });
  }

  async #startHttp(port: number): Promise<void> {
    this.#http = new AgentHttp({ port, registry: this.#metrics.registry, readiness: () => this.#readiness });
    try {
      this.log.info("metrics served", { port: await this.#http.start() });
    } catch (thrown) {
      this.#http = undefined;
      this.log.error("metrics not served", { port, error: thrown }); // pods matter more
    }
  }

  #watch(): void {
    const { config, host } = this.#options;
    endWhenStuck({
      abandonedCalls: () => host.abandonedCalls(),
      limit: config.hns.abandonedLimit,
      log: this.log,
      endProcess: (code) => host.endProcess(code),
    });
  }

  #keepError(line: ErrorLine): void {
    this.#errors.push(line);
    if (this.#errors.length > ERRORS_KEPT) this.#errors.shift();
  }
}

function occupied(message: string): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy: "end the other process" });
}
