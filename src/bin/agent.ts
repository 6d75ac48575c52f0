import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { PluginError } from "../core/base/errors.ts";
import { DelegateProcess } from "../host/exec/delegate.ts";
import { securePipe } from "../host/windows/pipe-security.ts";
import { runAsService, type ServiceProgram } from "../host/windows/service.ts";
import { Agent } from "../service/agent/agent.ts";
import { type AgentConfig, parseAgentConfig } from "../service/agent/config.ts";
import { SERVICE_NAME, THREADS } from "./agent-service.ts";
import { defaultConfigPath } from "./config-path.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { readText } from "./read-text.ts";
import { buildRoleHandlers } from "./roles.ts";

declare const HNS_CNI_VERSION: string;

const PROGRAM = "hns-cni";

export { followFile } from "../host/exec/follow-file.ts";
export { openAgentService } from "./agent-service.ts";

/**
 * Runs the agent: with `--service` under Windows' service manager, else in the foreground until SIGINT, SIGTERM or SIGBREAK. Ends the
 * process with 0, or 1 when it could not start.
 */
export async function runAgent(args: readonly string[]): Promise<void> {
  process.env["UV_THREADPOOL_SIZE"] ??= THREADS;
  const platform = openPlatform(process.env);
  try {
    if (args.includes("--service")) await runService(platform, args);
    else await runInForeground(platform, args);
  } catch (thrown) {
    process.stderr.write(`hns-cni: ${describe(thrown)}\n`);
    process.exitCode = 1;
  }
}

async function runInForeground(platform: Platform, args: readonly string[]): Promise<void> {
  const agent = await startAgent(platform, args);
  // Not process.exit: it waits for the threads of calls that are stuck in HNS.
  const stop = once(() => void agent.close().finally(() => platform.endProcess(0)));
  for (const signal of ["SIGINT", "SIGTERM", "SIGBREAK"] as const) process.on(signal, stop);
}

async function runService(platform: Platform, args: readonly string[]): Promise<void> {
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

async function startAgent(platform: Platform, args: readonly string[]): Promise<Agent> {
  const env = process.env;
  const configPath = readOption(args, "--config") ?? defaultConfigPath(env);
  const config = readConfig(configPath, readOption(args, "--config") !== undefined);
  const agent = new Agent({
    version: HNS_CNI_VERSION,
    config,
    host: openHost(platform, config, env),
    isVerbose: !args.includes("--quiet"),
    buildHandlers: (run, call) =>
      buildRoleHandlers({
        run,
        names: call.program === PROGRAM ? [] : [call.program],
        readText,
        openDelegate: (delegate) => new DelegateProcess({ env: { ...env, ...call.env }, ...delegate }),
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

function openHost(platform: Platform, config: AgentConfig, env: NodeJS.ProcessEnv): ConstructorParameters<typeof Agent>[0]["host"] {
  const isWindows = process.platform === "win32";
  return {
    machine: platform.machine,
    backend: platform.backend,
    lockFile: platform.lockFile,
    abandonedCalls: () => platform.abandonedCalls(),
    endProcess: (code) => platform.endProcess(code),
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
