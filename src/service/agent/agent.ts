import { parse } from "node:path";
import { poll } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import { readVariable } from "../../core/cni/environment.ts";
import type { CniHandlers } from "../../core/cni/dispatch.ts";
import type { Machine } from "../../core/engine/machine.ts";
import { Reconciler } from "../../core/engine/reconcile/reconciler.ts";
import type { ReconcileReport } from "../../core/engine/reconcile/report.ts";
import type { HcnBackend } from "../../core/hcn/backend.ts";
import { Breaker } from "../../core/hcn/breaker.ts";
import { decorate } from "../../core/hcn/decorate.ts";
import { type AgentLog, openAgentLog } from "../../host/agent/log.ts";
import { AgentMetrics } from "../../host/agent/metrics.ts";
import { isAgentAtWork, type LockFile, takeAgentLock } from "../../host/exec/agent-lock.ts";
import { Turns } from "../../host/exec/turns.ts";
import { StateFolder } from "../../host/state/state-folder.ts";
import type { HnsNotification } from "../../host/ffi/service-callback.ts";
import { EventJournal } from "../../host/agent/event-journal.ts";
import type { WindowsEvent } from "../../host/windows/event-log.ts";
import type { RpcAnswer, RpcCall } from "../rpc/frame.ts";
import { RpcServer } from "../rpc/server.ts";
import { ADMIN_PROGRAM, ADMIN_QUERY, type AgentStatus, type ErrorLine } from "./admin-protocol.ts";
import { answerQuery, summariseNode } from "./admin.ts";
import { CallRunner, type PluginCall, type RunCallOperation } from "./call-runner.ts";
import { ConfFile } from "./conf-file.ts";
import type { AgentConfig } from "./config.ts";
import { countAddresses } from "./counts.ts";
import { chooseEvents } from "./events.ts";
import { endWhenStuck } from "./end-when-stuck.ts";
import { flushFirst } from "./flush-first.ts";
import { AgentHttp, type Readiness } from "./http.ts";
import { type HnsCallback, HnsWatch } from "./hns-watch.ts";
import { ReconcileLoop } from "./reconcile-loop.ts";

/** What the machine gives the agent. */
export interface AgentHost {
  readonly machine: Machine;
  readonly backend: HcnBackend;
  readonly lockFile: LockFile;
  /** How many calls to HNS are made at a time. */
  readonly parallelCalls: number;
  abandonedCalls(): number;
  /** HNS's service callback, which tells when HNS goes away. */
  openHnsCallback(onNotification: (notification: HnsNotification) => void): HnsCallback;
  endProcess(code: number): void;
  /** Windows' event log; undefined where there is none. May take any time, and rejects when the event cannot be written. */
  readonly writeEvent: ((event: WindowsEvent) => Promise<void>) | undefined;
  readonly stateDir: string;
  /** The unix socket or pipe that the shim knows. */
  readonly socket: string;
  /** Keeps everybody but administrators from the socket, once it is there; tells the rights where it set some. Throws IO_FAILURE. */
  secureSocket(): string | undefined;
  /** The runtime's CNI configuration folder. */
  readonly cniConfDir: string;
}

export interface AgentOptions {
  readonly config: AgentConfig;
  readonly host: AgentHost;
  readonly buildHandlers: (run: RunCallOperation, call: PluginCall) => CniHandlers;
  readonly version: string;
  /** Log lines go to standard error too. */
  readonly isVerbose: boolean;
}

/** Calls that the pipe takes at a time: a node that starts brings all its pods at once, and each call costs little while it waits. */
const CONNECTIONS = 1024;
/**
 * ADDs and DELs that are worked on at a time, for each call that HNS gets at a time: enough that HNS never waits for one, few enough that what is begun
 * is soon over, and that a crowd waits as the bytes of its requests.
 */
const CALLS_PER_TURN = 2;
/** How long one waits for others at most: those at work may themselves wait, for an address or for an HNS that hangs. */
const CROWD_MS = 2_000;
const LOCK_POLL_MS = 50;
/** How long the plugins that work alone at the start may take: longer than any operation of theirs. */
const LOCK_MS = 120_000;
const STUCK_POLL_MS = 1_000;
const ERRORS_KEPT = 20;
/** What an agent that ends itself gives its log, milliseconds. */
const LAST_WORDS_MS = 2_000;
/** How often it is tried again to publish the CNI configuration, milliseconds. */
const PUBLISH_MS = 10_000;

/** The node's engine as one process that stays. */
export class Agent {
  readonly log: AgentLog;
  readonly #options: AgentOptions;
  readonly #folder: StateFolder;
  readonly #breaker: Breaker;
  readonly #metrics: AgentMetrics;
  readonly #runner: CallRunner;
  readonly #turns: Turns;
  readonly #rpc: RpcServer;
  readonly #conf: ConfFile;
  readonly #loop: ReconcileLoop;
  readonly #hnsWatch: HnsWatch | undefined;
  readonly #errors: ErrorLine[] = [];
  readonly #startedAt: string;
  #lastLook: AgentStatus["reconcile"];
  #foreign: ReconcileReport["foreign"] = new Map();
  #publishedAt = Number.NEGATIVE_INFINITY;
  readonly #isOpen: Promise<void>;
  #open: () => void = () => undefined;
  #http: AgentHttp | undefined;
  #readiness: Readiness = { isReady: false, reason: "starting" };
  #timer: NodeJS.Timeout | undefined;
  #isEndingItself = false;

  constructor(options: AgentOptions) {
    const { config, host } = options;
    const { clock } = host.machine;
    this.#options = options;
    this.log = openAgentLog({
      folder: host.stateDir,
      level: config.logLevel,
      isVerbose: options.isVerbose,
      journal: openJournal(config, host),
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
      attachments: () => this.#folder.inspect((tx) => tx.countAttachments()) ?? new Map(),
      running: () => this.#runner.running,
      abandoned: () => host.abandonedCalls(),
      breaker: () => this.#breaker.state,
    });
    this.#runner = new CallRunner({
      backend: this.#decorate(host.backend),
      machine: host.machine,
      log: this.log,
      events: this.#metrics.events,
      foreign: (network) => this.#foreign.get(network),
      folderOf: (stateDir) => this.#folderOf(stateDir),
      buildHandlers: options.buildHandlers,
      childLog: (context) => this.log.child(context),
    });
    this.#turns = new Turns(CALLS_PER_TURN * host.parallelCalls);
    this.#rpc = new RpcServer(
      { path: host.socket, handler: (call, signal) => this.#answer(call, signal), limits: { connections: CONNECTIONS } },
      { log: this.log },
    );
    this.#conf = new ConfFile(config.cniConf, host.cniConfDir, this.log);
    this.#startedAt = new Date(clock.now()).toISOString();
    this.#loop = this.#buildLoop();
    if (config.reconcile.enabled && config.hns.callback) this.#hnsWatch = this.#buildHnsWatch();
  }

  /**
   * Listens first, so that the runtime's calls wait here and no further plugin starts working alone; then takes the lock, opens the state,
   * and says by the CNI configuration that pods may come. Throws IO_FAILURE when another agent runs.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const { config, host } = this.#options;
    await this.#rpc.start(signal);
    const rights = host.secureSocket();
    if (rights !== undefined) this.log.info("pipe secured", { rights });
    await this.#takeLock();
    await this.#folder.run((store) => Promise.resolve(store.read((tx) => tx.listLeases())));
    this.#open();
    if (config.metrics.enabled) await this.#startHttp(config.metrics.port);
    this.#publish();
    this.#timer = setInterval(() => this.#watch(), STUCK_POLL_MS);
    if (config.reconcile.enabled) this.#loop.start();
    this.#hnsWatch?.start();
    this.log.info("agent ready", { stateDir: host.stateDir, socket: host.socket });
  }

  /** Takes no further call, lets those under way finish, and leaves the state durable. */
  async close(): Promise<void> {
    const { config, host } = this.#options;
    const drainMs = config.drainSeconds * 1000;
    this.#readiness = { isReady: false, reason: "ending" };
    this.log.info("agent ends", { running: this.#runner.running });
    clearInterval(this.#timer);
    this.#withdraw();
    // A look that has asked a slow HNS something may wait for the answer as long as a call.
    const looked = Promise.race([this.#loop.close(), host.machine.clock.sleep(drainMs)]);
    await Promise.all([looked, this.#hnsWatch?.close(), this.#rpc.close({ drainMs })]);
    await this.#http?.close();
    await this.#folder.flush();
    this.#folder.close();
    await this.log.close();
  }

  #buildLoop(): ReconcileLoop {
    const { config, host } = this.#options;
    const { intervalSeconds, graceSeconds, dryRun } = config.reconcile;
    const { pollSeconds, callbackPollSeconds } = config.hns;
    const reconciler = new Reconciler({ graceMs: graceSeconds * 1000 });
    return new ReconcileLoop({
      clock: host.machine.clock,
      log: this.log,
      intervalMs: intervalSeconds * 1000,
      dryRun,
      hnsStart: () => host.machine.hnsStart(),
      pollMs: () => (this.#hnsWatch?.isStanding === true ? callbackPollSeconds : pollSeconds) * 1000,
      onStart: () => this.#hnsWatch?.hnsStarted(),
      pass: (options) => this.#runner.runOwn((engine) => this.#folder.run((store) => reconciler.pass({ ...engine, store }, options))),
      onReport: (report) => {
        this.#metrics.countReconcile(report);
        this.#foreign = report.foreign;
        const at = new Date(host.machine.clock.now()).toISOString();
        this.#lastLook = { at, entries: report.entries, endpoints: Object.fromEntries(report.endpoints) };
      },
    });
  }

  #buildHnsWatch(): HnsWatch {
    const { host } = this.#options;
    return new HnsWatch({
      clock: host.machine.clock,
      log: this.log,
      open: (onNotification) => host.openHnsCallback(onNotification),
      onStanding: (how) => (how === "back" ? this.#loop.hnsRestarted() : this.#loop.poll()),
    });
  }

  /** A configuration that cannot be put there keeps new pods away, and the pods that run need the agent all the same. */
  #publish(): void {
    this.#publishedAt = this.#options.host.machine.clock.uptime();
    try {
      this.#conf.publish();
      this.#readiness = { isReady: true };
    } catch (thrown) {
      this.#readiness = { isReady: false, reason: "the cni configuration is not published" };
      this.log.error("cni configuration not published", { error: thrown });
    }
  }

  #withdraw(): void {
    try {
      this.#conf.withdraw();
    } catch (thrown) {
      this.log.error("cni configuration not withdrawn", { error: thrown });
    }
  }

  /** What it says of itself, and of the node. */
  status(): AgentStatus {
    const { host, version } = this.#options;
    return {
      version,
      pid: host.machine.processes.self().pid,
      startedAt: this.#startedAt,
      isReady: this.#readiness.isReady,
      reason: this.#readiness.reason ?? "",
      stateDir: host.stateDir,
      socket: host.socket,
      running: this.#runner.running,
      abandoned: host.abandonedCalls(),
      breaker: { state: this.#breaker.state, restMs: this.#breaker.restMs },
      hnsStart: host.machine.hnsStart(),
      hnsCallback: this.#hnsWatch?.isStanding ?? false,
      node: this.#folder.inspect(summariseNode),
      reconcile: this.#lastLook,
      errors: this.#errors,
    };
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

  async #answer({ program, variables, stdin }: RpcCall, signal: AbortSignal): Promise<RpcAnswer> {
    await this.#isOpen;
    if (program === ADMIN_PROGRAM) return this.#answerAdmin(variables[ADMIN_QUERY] ?? "");
    const { clock } = this.#options.host.machine;
    const start = clock.uptime();
    const command = readVariable(variables, "CNI_COMMAND");
    const { code, stdout } = await this.#inTurn(command, () => {
      // Its runtime has sent the DEL by now, which may have been quicker: nothing would take the pod away again.
      if (command === "ADD") signal.throwIfAborted();
      return this.#runner.run({
        program: parse(program.replaceAll("\\", "/")).name,
        env: variables,
        stdin: new TextDecoder().decode(stdin),
      });
    });
    this.#metrics.observeCommand(command, code === 0 ? "ok" : "error", clock.uptime() - start);
    return { code, stdout: new TextEncoder().encode(stdout), stderr: new Uint8Array() };
  }

  /** Many pods at once are served one after the other, those that go before those that come; nobody waits longer than CROWD_MS. */
  async #inTurn<T>(command: string, run: () => Promise<T>): Promise<T> {
    if (command !== "ADD" && command !== "DEL") return run();
    const turn = this.#turns.take(command === "DEL" ? "end" : "begin", CROWD_MS);
    const isTaken = turn === undefined || (await turn);
    try {
      return await run();
    } finally {
      if (isTaken) this.#turns.give();
    }
  }

  async #answerAdmin(query: string): Promise<RpcAnswer> {
    const answer = await answerQuery(query, { status: () => this.status(), plan: () => this.#loop.plan() });
    const encoder = new TextEncoder();
    if (answer !== undefined) return { code: 0, stdout: encoder.encode(answer), stderr: new Uint8Array() };
    return { code: 1, stdout: new Uint8Array(), stderr: encoder.encode(`this agent does not know the query "${query}"`) };
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
    if (this.#isEndingItself) return;
    void endWhenStuck({
      abandonedCalls: () => host.abandonedCalls(),
      // Each keeps its turn: with all turns gone no call is made any more, and none is given up.
      limit: Math.min(config.hns.abandonedLimit, host.parallelCalls),
      log: this.log,
      lastWords: () => {
        this.#isEndingItself = true;
        return Promise.race([this.log.close(), host.machine.clock.sleep(LAST_WORDS_MS)]);
      },
      endProcess: (code) => host.endProcess(code),
    });
    if (!this.#readiness.isReady && host.machine.clock.uptime() - this.#publishedAt >= PUBLISH_MS) this.#publish();
  }

  #keepError(line: ErrorLine): void {
    this.#errors.push(line);
    if (this.#errors.length > ERRORS_KEPT) this.#errors.shift();
  }
}

function openJournal({ eventLog }: AgentConfig, { writeEvent }: AgentHost): EventJournal | undefined {
  if (writeEvent === undefined || !eventLog.enabled) return undefined;
  return new EventJournal({ write: writeEvent, eventOf: chooseEvents(eventLog.level), repeatMs: eventLog.repeatSeconds * 1000 });
}

function occupied(message: string): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy: "end the other process" });
}
