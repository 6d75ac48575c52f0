import type { Logger } from "../../core/base/log.ts";
import { type CniHandlers, dispatch } from "../../core/cni/dispatch.ts";
import type { Environment } from "../../core/cni/environment.ts";
import type { HostConfig, Normalised } from "../../core/config/plugin-config.ts";
import type { LogFields } from "../../core/base/log.ts";
import type { Machine } from "../../core/engine/machine.ts";
import { type EngineEvents, type EngineOptions, type ForeignAddresses, Operation } from "../../core/engine/operation.ts";
import type { HcnBackend } from "../../core/hcn/backend.ts";
import type { StateFolder } from "../../host/state/state-folder.ts";
import { CallProcesses } from "./processes.ts";

/** One CNI call as it came over the pipe. */
export interface PluginCall {
  /** The name under which the runtime started the program, without folder and .exe. */
  readonly program: string;
  /** The CNI_* variables and those of tracing. */
  readonly env: Environment;
  readonly stdin: string;
}

export interface CallAnswer {
  readonly code: number;
  readonly stdout: string;
}

/** Opens what an operation needs, does `work` with it, and closes it again. */
export type RunCallOperation = <C extends HostConfig>(
  read: Normalised<C>,
  context: LogFields,
  work: (operation: Operation<C>) => Promise<void>,
) => Promise<void>;

export interface CallRunnerOptions {
  readonly backend: HcnBackend;
  readonly machine: Machine;
  readonly log: Logger;
  readonly events: EngineEvents;
  readonly foreign: ForeignAddresses;
  /** The state that a configuration asks for; undefined asks for the agent's own. Throws INVALID_CONFIG for one it cannot have. */
  readonly folderOf: (stateDir: string | undefined) => StateFolder;
  readonly buildHandlers: (run: RunCallOperation, call: PluginCall) => CniHandlers;
  /** A logger whose lines all carry `context`. */
  readonly childLog: (context: LogFields) => Logger;
}

/** Runs CNI calls in this process as each would run in one of its own. */
export class CallRunner {
  readonly #options: CallRunnerOptions;
  readonly #processes: CallProcesses;
  /** Work of the agent's own under way. */
  #own = 0;

  constructor(options: CallRunnerOptions) {
    this.#options = options;
    this.#processes = new CallProcesses(options.machine.processes);
  }

  /** Calls of the runtime under way. */
  get running(): number {
    return this.#processes.running - this.#own;
  }

  /** Runs work of the agent's own as one more lease holder beside the calls. */
  runOwn<T>(work: (engine: Omit<EngineOptions, "store">) => Promise<T>): Promise<T> {
    const { backend, events, childLog } = this.#options;
    const log = childLog({ command: "reconcile" });
    this.#own++;
    return this.#processes
      .run((processes) => work({ backend, events, log, machine: { ...this.#options.machine, processes } }))
      .finally(() => this.#own--);
  }

  /** Never throws: what goes wrong is in the answer, as the specification has it. What the answer says is durable. */
  async run(call: PluginCall): Promise<CallAnswer> {
    return this.#processes.run(async (processes) => {
      let stdout = "";
      const io = { env: call.env, readStdin: () => call.stdin, writeStdout: (text: string) => void (stdout += text) };
      const machine: Machine = { ...this.#options.machine, processes };
      const run: RunCallOperation = (read, context, work) => this.#runOperation(machine, read, context, work);
      return { code: await dispatch(io, this.#options.buildHandlers(run, call)), stdout };
    });
  }

  async #runOperation<C extends HostConfig>(
    machine: Machine,
    read: Normalised<C>,
    context: LogFields,
    work: (operation: Operation<C>) => Promise<void>,
  ): Promise<void> {
    const { backend, events, foreign, folderOf, childLog } = this.#options;
    const { config, warnings } = read;
    const log = childLog({ network: config.networkName, ...context });
    for (const warning of warnings) log.warn("configuration", { warning });
    const start = machine.clock.uptime();
    try {
      const folder = folderOf(config.stateDir);
      await folder.run((store) => work(new Operation({ backend, store, machine, log, events, foreign }, config)));
      await folder.flush();
      log.info("done", { ms: machine.clock.uptime() - start });
    } catch (thrown) {
      log.error("failed", { ms: machine.clock.uptime() - start, error: thrown });
      throw thrown;
    }
  }
}
