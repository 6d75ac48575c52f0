import { readFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { LogFields, Logger } from "../core/base/log.ts";
import { dispatch } from "../core/cni/dispatch.ts";
import { normalise, normaliseForDelete } from "../core/config/normalise.ts";
import type { HostConfig, Normalised } from "../core/config/plugin-config.ts";
import { attach } from "../core/engine/attach.ts";
import { check } from "../core/engine/check.ts";
import { detach } from "../core/engine/detach.ts";
import { collectGarbage } from "../core/engine/gc.ts";
import { Operation } from "../core/engine/operation.ts";
import { reportStatus } from "../core/engine/status.ts";
import type { StateStore } from "../core/engine/store.ts";
import { openLogFile } from "../host/exec/log-file.ts";
import { openStateStore } from "../host/state/open-store.ts";
import { openPlatform, type Platform } from "./platform.ts";

const LOG_FILE_BYTES = 10 * 1024 * 1024;
const LOG_FILES_KEPT = 4;
/** STATUS is asked every few seconds and holds up the runtime: it never waits long. */
const STATUS_MS = 5_000;

/** Runs one CNI call with this process's environment and standard streams; ends the process with the call's exit code. */
export async function runCni(): Promise<void> {
  let platform: Platform | undefined;
  const run = async <C extends HostConfig>(read: Normalised<C>, context: LogFields, work: (operation: Operation<C>) => Promise<void>): Promise<void> => {
    platform = openPlatform(process.env);
    await withOperation(platform, read, context, work);
  };
  const exitCode = await dispatch(
    { env: process.env, readStdin: () => readFileSync(0, "utf8"), writeStdout: (text) => writeAll(1, text) },
    {
      add: async (request) => {
        const { containerId, ifname, netns, args, rawConfig, networkName: network } = request;
        let result: Awaited<ReturnType<typeof attach>> | undefined;
        await run(normalise(rawConfig), { command: "ADD", container: containerId, pod: podName(args) }, async (operation) => {
          result = await attach(operation, { network, containerId, ifname, netns });
        });
        if (result === undefined) throw new Error("the ADD ended without a result");
        return result;
      },
      del: ({ containerId, ifname, netns, rawConfig, networkName: network }) =>
        run(normaliseForDelete(rawConfig), { command: "DEL", container: containerId }, (operation) =>
          detach(operation, { network, containerId, ifname, netns }),
        ),
      check: ({ containerId, ifname, netns, rawConfig, prevResult, networkName: network }) =>
        run(normalise(rawConfig), { command: "CHECK", container: containerId }, (operation) =>
          check(operation, { network, containerId, ifname, netns, prevResult }),
        ),
      gc: ({ rawConfig, validAttachments, networkName: network }) =>
        run(normaliseForDelete(rawConfig), { command: "GC" }, (operation) => collectGarbage(operation, { network, valid: validAttachments })),
      status: ({ rawConfig }) => run(shorten(normalise(rawConfig)), { command: "STATUS" }, reportStatus),
    },
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
  const store: StateStore = openStateStore({ stateDir, log, clock: machine.clock });
  const start = machine.clock.uptime();
  try {
    await work(new Operation({ backend, store, machine, log }, config));
    log.debug("done", { ms: machine.clock.uptime() - start });
  } catch (thrown) {
    log.error("failed", { ms: machine.clock.uptime() - start, error: thrown });
    throw thrown;
  } finally {
    store.close();
  }
}

function openLog(config: HostConfig, stateDir: string, context: LogFields): Logger {
  const path = config.logFile ?? join(stateDir, "hns-cni.log");
  return openLogFile({ path, level: config.logLevel, context, maxBytes: LOG_FILE_BYTES, keep: LOG_FILES_KEPT, now: Date.now });
}

function shorten<C extends HostConfig>(read: Normalised<C>): Normalised<C> {
  const { config } = read;
  return { ...read, config: { ...config, operationTimeoutMs: Math.min(config.operationTimeoutMs, STATUS_MS) } };
}

function podName(args: { podNamespace?: string; podName?: string }): string | undefined {
  return args.podName === undefined ? undefined : `${args.podNamespace ?? ""}/${args.podName}`;
}

/** A pipe can take less than all at once. */
function writeAll(descriptor: number, text: string): void {
  const bytes = Buffer.from(text, "utf8");
  for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
}
