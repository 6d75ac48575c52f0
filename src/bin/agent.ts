import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { PluginError } from "../core/base/errors.ts";
import { delegateEnvironment } from "../host/exec/delegate-environment.ts";
import { rememberingReader } from "../core/config/config-reader.ts";
import { DelegateProcess } from "../host/exec/delegate.ts";
import { ServiceCallback } from "../host/ffi/service-callback.ts";
import { describeEvent } from "../host/agent/event-journal.ts";
import { WindowsEventLog } from "../host/windows/event-log.ts";
import { securePipe } from "../host/windows/pipe-security.ts";
import { runAsService, type ServiceProgram } from "../host/windows/service.ts";
import { Agent } from "../service/agent/agent.ts";
import { type AgentConfig, parseAgentConfig } from "../service/agent/config.ts";
import { EVENT_IDS } from "../service/agent/events.ts";
import { countParallelCalls } from "../service/agent/threads.ts";
import { SERVICE_NAME, THREADS } from "./agent-service.ts";
import { defaultConfigPath } from "./config-path.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { readText } from "./read-text.ts";
import { buildRoleHandlers } from "./roles.ts";

declare const HNS_CNI_VERSION: string;

/** The machine, and how many calls it makes to HNS at a time. */
type AgentPlatform = Platform & { readonly parallelCalls: number };

const PROGRAM = "hns-cni";
/** How long an agent that cannot start waits for the event log to take the reason, milliseconds. */
const REASON_MS = 2_000;

export { followFile } from "../host/exec/follow-file.ts";
export { writeInOneStep } from "../host/exec/write-file.ts";
export { openAgentService } from "./agent-service.ts";
export { listenForInterrupts, openSnapshotFile, openUplinks } from "./prepare-host.ts";

/**
 * Runs the agent: with `--service` under Windows' service manager, else in the foreground until SIGINT, SIGTERM or SIGBREAK. Ends the
 * process with 0, or 1 when it could not start.
 */
export async function runAgent(args: readonly string[]): Promise<void> {
  // A process that stays: V8 collects sooner and gives memory back, where by default it lets garbage of pods long served grow into the hundreds of megabytes.
  setFlagsFromString("--memory-saver-mode");
  process.env["UV_THREADPOOL_SIZE"] ??= THREADS;
  const parallelCalls = countParallelCalls(process.env["UV_THREADPOOL_SIZE"] ?? THREADS, {
    isWindows: process.platform === "win32",
    isService: args.includes("--service"),
  });
  const platform: AgentPlatform = { ...openPlatform(process.env, parallelCalls), parallelCalls };
  try {
    if (args.includes("--service")) await runService(platform, args);
    else await runInForeground(platform, args);
  } catch (thrown) {
    process.stderr.write(`hns-cni: ${describe(thrown)}\n`);
    process.exitCode = 1;
  }
}

async function runInForeground(platform: AgentPlatform, args: readonly string[]): Promise<void> {
  const agent = await startAgent(platform, args);
  // A thread that is in HNS would keep an ordinary exit waiting, be the call given up by then or not.
  const stop = once(() => void agent.close().finally(() => platform.endProcess(0)));
  for (const signal of ["SIGINT", "SIGTERM", "SIGBREAK"] as const) process.on(signal, stop);
}

async function runService(platform: AgentPlatform, args: readonly string[]): Promise<void> {
  let agent: Agent | undefined;
  const { windows } = platform;
  const isService = await runProgram(windows, {
    name: SERVICE_NAME,
    start: async () => {
      agent = await startAgent(platform, [...args, "--quiet"]);
    },
    stop: async () => agent?.close(),
  });
  if (!isService)
    throw new PluginError("IO_FAILURE", { message: "the service manager did not start this process", remedy: "leave --service out" });
  // Threads of the service manager and of calls stuck in HNS would keep an ordinary end waiting.
  platform.endProcess(0);
}

function runProgram(windows: Platform["windows"], program: ServiceProgram): Promise<boolean> {
  return windows === undefined ? Promise.resolve(false) : runAsService(windows.ffi, windows.system32, program);
}

/** A service has no other place to say why it did not start: the log may not be there yet. */
async function startAgent(platform: AgentPlatform, args: readonly string[]): Promise<Agent> {
  try {
    return await openAgent(platform, args);
  } catch (thrown) {
    await reportFailure(platform, thrown);
    throw thrown;
  }
}

async function reportFailure(platform: Platform, thrown: unknown): Promise<void> {
  const message = "agent not started";
  const text = describeEvent(message, { reason: describe(thrown) }, 0);
  const event = { kind: "error", id: EVENT_IDS[message] ?? 0, text } as const;
  await Promise.race([openEventLog(platform)?.(event).catch(() => undefined), platform.machine.clock.sleep(REASON_MS)]);
}

function openEventLog({ windows }: Platform): ConstructorParameters<typeof Agent>[0]["host"]["writeEvent"] {
  if (windows === undefined) return undefined;
  const log = new WindowsEventLog(windows.system32, SERVICE_NAME);
  return (event) => log.write(event);
}

async function openAgent(platform: AgentPlatform, args: readonly string[]): Promise<Agent> {
  const env = process.env;
  const configPath = readOption(args, "--config") ?? defaultConfigPath(env);
  const config = readConfig(configPath, readOption(args, "--config") !== undefined);
  const reader = rememberingReader();
  const agent = new Agent({
    version: HNS_CNI_VERSION,
    config,
    host: openHost(platform, config, env),
    isVerbose: !args.includes("--quiet"),
    buildHandlers: (run, call) =>
      buildRoleHandlers({
        run,
        reader,
        names: call.program === PROGRAM ? [] : [call.program],
        readText,
        openDelegate: (delegate) => new DelegateProcess({ env: delegateEnvironment(env, call.env), ...delegate }),
      }),
  });
  try {
    await agent.start();
    return agent;
  } catch (thrown) {
    await agent.close();
    throw thrown;
  }
}

function openHost(platform: AgentPlatform, config: AgentConfig, env: NodeJS.ProcessEnv): ConstructorParameters<typeof Agent>[0]["host"] {
  const isWindows = process.platform === "win32";
  let callback: ServiceCallback | undefined;
  return {
    machine: platform.machine,
    backend: platform.backend,
    lockFile: platform.lockFile,
    abandonedCalls: () => platform.abandonedCalls() + (callback?.abandonedCalls ?? 0),
    openHnsCallback: (onNotification) => (callback = new ServiceCallback(() => platform.hcnLibraries(), onNotification, platform.turns)),
    parallelCalls: platform.parallelCalls,
    endProcess: (code) => platform.endProcess(code),
    writeEvent: openEventLog(platform),
    stateDir: config.stateDir ?? platform.defaultStateDir,
    socket: platform.agentSocket,
    secureSocket: () => {
      const { windows } = platform; // on Linux the socket's folder keeps others out
      return windows === undefined ? undefined : securePipe(windows.ffi, windows.system32, platform.agentSocket);
    },
    cniConfDir: isWindows ? join(env["ProgramFiles"] ?? "C:\\Program Files", "containerd", "cni", "conf") : "/etc/cni/net.d",
  };
}

function readConfig(path: string, isNamed: boolean): AgentConfig {
  if (!existsSync(path) && !isNamed) return parseAgentConfig("", path);
  try {
    return parseAgentConfig(readFileSync(path, "utf8"), path);
  } catch (thrown) {
    if (thrown instanceof PluginError) throw thrown;
    throw new PluginError("IO_FAILURE", { message: `cannot read ${path}`, remedy: "correct --config" }, { cause: thrown });
  }
}

/** The value after `name`; undefined when it is not there. */
function readOption(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof PluginError)) return thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
  return thrown.data.remedy === undefined ? thrown.message : `${thrown.message}; ${thrown.data.remedy}`;
}

function once(run: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    run();
  };
}
