import { dirname, join } from "node:path";
import type { AgentService, InstallOptions } from "../cli/world.ts";
import { sleep } from "../host/exec/time.ts";
import { openFfi } from "../host/ffi/library.ts";
import { registerEventSource, removeEventSource } from "../host/windows/event-log.ts";
import { type ServiceDescription, ServiceManager } from "../host/windows/service-manager.ts";
import { System32 } from "../host/windows/system32.ts";

/** Threads for calls to HNS and to the disk; a service on Windows has it in its environment, since libuv reads it there before any script. */
export const THREADS = "32";
export const SERVICE_NAME = "hns-cni";

/** Restarts after it ended by itself: the state is durable and calls wait, so it comes back at once. */
const RESTARTS_MS = [2_000, 5_000, 60_000] as const;
/** Longer than calls under way may take to finish at the end. */
const STOP_MS = 120_000;
const PRESHUTDOWN_MS = 60_000;

/** The agent as a service of Windows; undefined elsewhere. */
export function openAgentService(): AgentService | undefined {
  if (process.platform !== "win32") return undefined;
  const ffi = openFfi(join(dirname(process.execPath), "koffi.node"));
  const system32 = new System32(ffi);
  const manager = new ServiceManager(ffi, system32);
  const stop = { waitMs: STOP_MS, sleep };
  return {
    name: SERVICE_NAME,
    install: (options) => {
      registerEventSource(system32, SERVICE_NAME);
      return manager.install(describeService(options));
    },
    uninstall: async () => {
      const isGone = await manager.uninstall(SERVICE_NAME, stop);
      removeEventSource(system32, SERVICE_NAME);
      return isGone;
    },
    start: () => manager.start(SERVICE_NAME),
    stop: () => manager.stop(SERVICE_NAME, stop),
    state: () => manager.state(SERVICE_NAME),
  };
}

function describeService({ config, variables }: InstallOptions): ServiceDescription {
  return {
    name: SERVICE_NAME,
    displayName: "hns-cni agent",
    description: "Gives the pods of this node their network through the Host Networking Service.",
    program: process.execPath,
    args: ["agent", "--service", ...(config === undefined ? [] : ["--config", config])],
    environment: [`UV_THREADPOOL_SIZE=${THREADS}`, ...variables],
    restartAfterMs: RESTARTS_MS,
    preshutdownMs: PRESHUTDOWN_MS,
  };
}
