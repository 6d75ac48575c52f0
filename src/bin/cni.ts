import { readFileSync } from "node:fs";
import { join, parse } from "node:path";
import type { LogFields, Logger } from "../core/base/log.ts";
import { dispatch } from "../core/cni/dispatch.ts";
import type { HostConfig, Normalised } from "../core/config/plugin-config.ts";
import { Operation } from "../core/engine/operation.ts";
import { DelegateProcess } from "../host/exec/delegate.ts";
import { openLogFile } from "../host/exec/log-file.ts";
import { withStateStore } from "../host/state/open-store.ts";
import { takeOverOrHandOver } from "./hand-over.ts";
import type { RunOperation } from "./handlers.ts";
import { writeAll } from "./output.ts";
import { openPlatform, type Platform } from "./platform.ts";
import { readText } from "./read-text.ts";
import { buildRoleHandlers } from "./roles.ts";

const LOG_FILE_BYTES = 10 * 1024 * 1024;
const LOG_FILES_KEPT = 4;

/** Runs one CNI call with this process's environment and standard streams; ends the process with the call's exit code. */
export async function runCni(): Promise<void> {
  let platform: Platform | undefined;
  let stdin = "";
  const name = parse(process.execPath).name;
  const run: RunOperation = async (read, context, work) => {
    platform = openPlatform(process.env);
    const { lockFile, machine, agentSocket: socket, defaultStateDir } = platform;
    const { stateDir = defaultStateDir, operationTimeoutMs } = read.config;
    const request = { socket, program: name, env: process.env, stdin, deadlineMs: operationTimeoutMs };
    await takeOverOrHandOver({ lockFile, stateDir, clock: machine.clock, request });
    await withOperation(platform, read, context, work);
  };
  const readStdin = (): string => (stdin = readFileSync(0, "utf8"));
  const io = { env: process.env, readStdin, writeStdout: (text: string) => writeAll(1, text) };
  const names = [name];
  const exitCode = await dispatch(
    io,
    buildRoleHandlers({ run, names, readText, openDelegate: (delegate) => new DelegateProcess({ env: process.env, ...delegate }) }),
  );
  process.exitCode = exitCode;
  // A call stuck in HNS keeps its thread, and an ordinary exit would wait for it.
  if (platform !== undefined && platform.abandonedCalls() > 0) platform.endProcess(exitCode);
}

async function withOperation<C extends HostConfig>(
  platform: Platform,
  read: Normalised<C>,
  context: LogFields,
  work: (operation: Operation<C>) => Promise<void>,
): Promise<void> {
  const { config, warnings } = read;
  const { machine, backend } = platform;
  const stateDir = config.stateDir ?? platform.defaultStateDir;
  const log = openLog(config, stateDir, { pid: process.pid, network: config.networkName, ...context });
  for (const warning of warnings) log.warn("configuration", { warning });
  const start = machine.clock.uptime();
  try {
    await withStateStore({ stateDir, log, clock: machine.clock }, (store) => work(new Operation({ backend, store, machine, log }, config)));
    log.debug("done", { ms: machine.clock.uptime() - start });
  } catch (thrown) {
    log.error("failed", { ms: machine.clock.uptime() - start, error: thrown });
    throw thrown;
  }
}

function openLog(config: HostConfig, stateDir: string, context: LogFields): Logger {
  const path = config.logFile ?? join(stateDir, "hns-cni.log");
  return openLogFile({ path, level: config.logLevel, context, maxBytes: LOG_FILE_BYTES, keep: LOG_FILES_KEPT, now: Date.now });
}
