import { dirname, join } from "node:path";
import type { HcnBackend } from "../core/hcn/backend.ts";
import type { Machine } from "../core/engine/machine.ts";
import type { LockFile } from "../host/exec/agent-lock.ts";
import { FfiHcnBackend } from "../host/ffi/hcn-backend.ts";
import { type HcnLibraries, HcnLibrary } from "../host/ffi/hcn-library.ts";
import { type Ffi, openFfi } from "../host/ffi/library.ts";
import { Turns } from "../host/exec/turns.ts";
import { EmulatedHost } from "../host/linux/emulated-host.ts";
import { endLinuxProcess, openLinuxLibraries } from "../host/linux/libraries.ts";
import { lockLinuxFile } from "../host/linux/lock-file.ts";
import { openLinuxMachine } from "../host/linux/machine.ts";
import { lockWindowsFile } from "../host/windows/lock-file.ts";
import { openWindowsMachine } from "../host/windows/machine.ts";
import { endWindowsProcess, openWindowsLibraries, System32 } from "../host/windows/system32.ts";

/** koffi refuses the 257th call at a time, and a command that describes each endpoint of a large node begins as many as there are. */
const CALLS_OF_ONE_COMMAND = 64;
const AGENT_PIPE = "\\\\.\\pipe\\hns-cni";

export interface WindowsNative {
  readonly ffi: Ffi;
  readonly system32: System32;
}

/** What differs between Windows and Linux, chosen once. */
export interface Platform {
  readonly machine: Machine;
  readonly backend: HcnBackend;
  /** The libraries behind the backend. Throws HNS_UNAVAILABLE. */
  hcnLibraries(): HcnLibraries;
  /** Calls to HNS that were given up and have not returned. */
  abandonedCalls(): number;
  /** Of all calls to HNS. */
  readonly turns: Turns;
  /** Ends the process at once, also while such calls are stuck. */
  endProcess(code: number): void;
  readonly lockFile: LockFile;
  readonly defaultStateDir: string;
  /** Where the agent listens. */
  readonly agentSocket: string;
  /** What only Windows has, for the agent; undefined on Linux. */
  readonly windows: WindowsNative | undefined;
  /** The machine that the Linux build's library plays; undefined on Windows, which has one. */
  readonly emulatedHost: EmulatedHost | undefined;
}

/**
 * The libraries are loaded when they are first needed. koffi.node lies beside the program. `parallel` is how many calls to HNS are made at a time, for a
 * program that has a thread for each; one without makes them as they come, up to what koffi takes.
 */
export function openPlatform(env: NodeJS.ProcessEnv, parallel?: number): Platform {
  const ffi = openFfi(join(dirname(process.execPath), "koffi.node"), parallel);
  const turns = new Turns(parallel ?? CALLS_OF_ONE_COMMAND);
  return process.platform === "win32" ? openWindows(ffi, turns, env) : openLinux(ffi, turns, env);
}

/** Where state lies when the configuration does not say. */
export function defaultStateDir(env: NodeJS.ProcessEnv): string {
  return process.platform === "win32" ? join(env["ProgramData"] ?? "C:\\ProgramData", "hns-cni") : "/var/lib/hns-cni";
}

function openWindows(ffi: Ffi, turns: Turns, env: NodeJS.ProcessEnv): Platform {
  const system32 = new System32(ffi);
  const open = (): HcnLibraries => openWindowsLibraries(ffi, system32);
  return {
    machine: openWindowsMachine(ffi, system32),
    ...openBackend(open, turns),
    turns,
    hcnLibraries: open,
    endProcess: (code) => endWindowsProcess(system32, code),
    lockFile: (path, kind) => lockWindowsFile(system32, path, kind),
    agentSocket: AGENT_PIPE,
    windows: { ffi, system32 },
    emulatedHost: undefined,
    defaultStateDir: defaultStateDir(env),
  };
}

function openLinux(ffi: Ffi, turns: Turns, env: NodeJS.ProcessEnv): Platform {
  let libraries: HcnLibraries | undefined;
  const open = (): HcnLibraries => (libraries ??= openLinuxLibraries(ffi, env["HNS_CNI_HCN_LIBRARY"]));
  const emulatedHost = new EmulatedHost(open);
  return {
    machine: openLinuxMachine(open, emulatedHost),
    ...openBackend(open, turns),
    turns,
    hcnLibraries: open,
    endProcess: (code) => endLinuxProcess(ffi, code),
    lockFile: (path, kind) => lockLinuxFile(ffi, path, kind),
    agentSocket: env["HNS_CNI_SOCKET"] ?? "/run/hns-cni/agent.sock",
    windows: undefined,
    emulatedHost,
    defaultStateDir: defaultStateDir(env),
  };
}

function openBackend(open: () => HcnLibraries, turns: Turns): Pick<Platform, "backend" | "abandonedCalls"> {
  let backend: FfiHcnBackend | undefined;
  const get = (): FfiHcnBackend => (backend ??= new FfiHcnBackend(new HcnLibrary(open()), turns));
  return {
    backend: {
      enumerate: async (...args) => get().enumerate(...args),
      open: async (...args) => get().open(...args),
      createNetwork: async (...args) => get().createNetwork(...args),
      createEndpoint: async (...args) => get().createEndpoint(...args),
      query: async (...args) => get().query(...args),
      modify: async (...args) => get().modify(...args),
      delete: async (...args) => get().delete(...args),
      close: async (...args) => get().close(...args),
      callV1: async (...args) => get().callV1(...args),
    },
    abandonedCalls: () => backend?.abandonedCalls ?? 0,
  };
}
