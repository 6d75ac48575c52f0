import type { Clock } from "../core/base/async.ts";
import type { Machine } from "../core/engine/machine.ts";
import type { SnapshotFile } from "../core/engine/prepare/snapshot.ts";
import type { UplinkAccess } from "../core/engine/prepare/uplink.ts";
import type { StateStore } from "../core/engine/store.ts";
import type { HcnBackend } from "../core/hcn/backend.ts";
import type { AdminQuery } from "../service/agent/admin-protocol.ts";
import type { TerminalFacts } from "./terminal.ts";

/** What the commands see of the machine; src/bin supplies it. */
export interface CliWorld {
  readonly version: string;
  readonly nodeVersion: string;
  /** Such as `win32-x64`. */
  readonly platform: string;
  /** Where state lies when a configuration does not say. */
  readonly defaultStateDir: string;
  /** Joins a folder and a file name the way the platform does. */
  readonly joinPath: (folder: string, file: string) => string;
  readonly readFile: (path: string) => string;
  readonly readStdin: () => string;
  readonly hasFile: (path: string) => boolean;
  /** Writes the file in one step: a reader sees all of it or none. Replaces one that is there. */
  readonly writeFile: (path: string, text: string) => void;
  readonly writeOut: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** The names of the files in a folder. */
  readonly listFiles: (folder: string) => string[];
  /** Whether there is a state in the folder. */
  readonly hasState: (stateDir: string) => boolean;
  /** Opens or creates the state in the folder; "scratch" stands for one that is gone when it is closed. Throws STATE_FAILURE, STATE_DAMAGED. */
  readonly openState: (stateDir: string) => StateStore;
  readonly openClock: () => Clock;
  /** HNS of this machine. Its library is loaded at the first call, which throws HNS_UNAVAILABLE when it is not there. */
  readonly openHns: () => HcnBackend;
  readonly openMachine: () => Machine;
  readonly openUplinks: () => UplinkAccess;
  /** The snapshot of an uplink in a state folder; `lock` gives undefined while another process has it. */
  readonly openSnapshot: (stateDir: string) => SnapshotFile & { lock(): { release(): void } | undefined };
  /** Calls the listener when the user wants the program to end, which goes on then, until the function returned is called. */
  readonly onInterrupt: (listener: () => void) => () => void;
  readonly terminal: TerminalFacts;
  /** The agent as a service of Windows; undefined on other systems. */
  readonly openService: () => AgentService | undefined;
  /** What the agent answers, as JSON text; undefined when none listens. Throws AGENT_SILENT. */
  readonly askAgent: (query: AdminQuery) => Promise<string | undefined>;
  /** What is written to the end of a file from now on, over its renewals, until the user ends the program. */
  readonly followFile: (path: string, onText: (text: string) => void) => Promise<void>;
}

export interface InstallOptions {
  /** Absolute path of agent.json; undefined for the usual one. */
  readonly config: string | undefined;
  /** NAME=value, for the service's environment. */
  readonly variables: readonly string[];
}

/** Windows' service of the agent. Every method throws IO_FAILURE naming Windows' error. */
export interface AgentService {
  readonly name: string;
  install(options: InstallOptions): "installed" | "updated";
  /** False when there was none. */
  uninstall(): Promise<boolean>;
  start(): void;
  /** Returns once it has stopped. */
  stop(): Promise<void>;
  /** absent, stopped, starting, running, stopping, … */
  state(): string;
}

/** 0 done, 1 failed, 2 wrong usage. */
export type ExitCode = 0 | 1 | 2;

/** A failure that the user can act on, told as: what failed, why, what to do next. */
export class CliError extends Error {
  readonly next: string;

  constructor(what: string, options: { why: string; next: string }) {
    super(`${what}: ${options.why}`);
    this.name = "CliError";
    this.next = options.next;
  }
}

/** Runs a command's work with the world and keeps its exit code; handlers of yargs return nothing but when they are done. */
export type Run = (work: (world: CliWorld) => ExitCode | Promise<ExitCode>) => Promise<void>;

/** The text of a file, or of stdin for `-`. Throws CliError. */
export function readInput(world: CliWorld, file: string): string {
  const isStdin = file === "-";
  try {
    return isStdin ? world.readStdin() : world.readFile(file);
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    const name = isStdin ? "standard input" : file;
    throw new CliError(`cannot read ${name}`, { why, next: "name a file that exists and that you may read, or - for standard input" });
  }
}
