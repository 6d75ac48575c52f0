import type { AgentService, CliWorld } from "../../../src/cli/world.ts";
import type { StateStore } from "../../../src/core/engine/store.ts";
import type { UplinkAccess } from "../../../src/core/engine/prepare/uplink.ts";
import type { Machine } from "../../../src/core/engine/machine.ts";
import type { HcnBackend } from "../../../src/core/hcn/backend.ts";
import type { AdminQuery } from "../../../src/service/agent/admin-protocol.ts";
import { Database } from "../../../src/host/state/database.ts";
import { SqliteStateStore } from "../../../src/host/state/sqlite-store.ts";
import { ModelBackend } from "../../emulator/model-backend.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** A machine for commands: its files, its stdin, and what was written. */
export class FakeWorld implements CliWorld {
  readonly version = "1.2.3";
  readonly nodeVersion = "24.0.0";
  readonly platform = "win32-x64";
  readonly defaultStateDir = "C:\\ProgramData\\hns-cni";
  readonly #files: Readonly<Record<string, string>>;
  /** The state in each folder; it outlives its closing. */
  readonly states = new Map<string, StateStore>();
  readonly clock = new FakeClock({ autoAdvance: true });
  hns: HcnBackend = new ModelBackend(undefined, { sleep: (ms) => this.clock.sleep(ms) });
  terminal: CliWorld["terminal"] = { isTerminal: false, isWindows: false, variables: {} };
  out = "";
  error = "";

  /** The file "-" is stdin. */
  constructor(files: Readonly<Record<string, string>> = {}) {
    this.#files = files;
  }

  readonly joinPath = (folder: string, file: string): string => `${folder}\\${file}`;

  readonly readFile = (path: string): string => {
    const text = this.#files[path];
    if (text === undefined) throw new Error("ENOENT: no such file");
    return text;
  };

  /** What was written, by path. */
  readonly written = new Map<string, string>();

  readonly hasFile = (path: string): boolean => path in this.#files || this.written.has(path);

  readonly writeFile = (path: string, text: string): void => {
    if (path.startsWith("read-only\\")) throw new Error("EACCES: permission denied");
    this.written.set(path, text);
  };

  readonly readStdin = (): string => this.readFile("-");

  readonly writeOut = (text: string): void => void (this.out += text);

  readonly writeError = (text: string): void => void (this.error += text);

  readonly listFiles = (folder: string): string[] => {
    const names = Object.keys(this.#files).filter((path) => path.startsWith(`${folder}\\`));
    if (names.length === 0) throw new Error("ENOENT: no such folder");
    return names.map((path) => path.slice(folder.length + 1));
  };

  readonly hasState = (stateDir: string): boolean => this.states.has(stateDir);

  readonly openState = (stateDir: string): StateStore => {
    const known = this.states.get(stateDir);
    const store = known ?? new SqliteStateStore(Database.open({ path: ":memory:", busyTimeoutMs: 0 }));
    if (stateDir !== "scratch") this.states.set(stateDir, store);
    return { transaction: (work) => store.transaction(work), read: (work) => store.read(work), close: () => undefined };
  };

  readonly openClock = (): FakeClock => this.clock;

  readonly openHns = (): HcnBackend => this.hns;

  /** A test whose command needs one puts it here. */
  machine: Machine | undefined;

  service: AgentService | undefined;
  readonly openService = (): AgentService | undefined => this.service;

  /** What the agent answers to each query; none listens while there is nothing. */
  readonly answers = new Map<AdminQuery, unknown>();
  readonly askAgent = (query: AdminQuery): Promise<string | undefined> => {
    const answer = this.answers.get(query);
    return Promise.resolve(answer === undefined ? undefined : JSON.stringify(answer));
  };

  /** What comes while a file is followed. */
  readonly coming: string[] = [];
  readonly followFile = (_path: string, onText: (text: string) => void): Promise<void> => {
    for (const text of this.coming) onText(text);
    return Promise.resolve();
  };

  readonly openMachine = (): Machine => {
    if (this.machine === undefined) throw new Error("this command is not to ask for the machine");
    return this.machine;
  };

  /** A test whose command needs them puts them here. */
  uplinks: UplinkAccess | undefined;
  readonly openUplinks = (): UplinkAccess => {
    if (this.uplinks === undefined) throw new Error("this command is not to ask for the uplinks");
    return this.uplinks;
  };

  /** Another process has the snapshot. */
  isSnapshotLocked = false;
  readonly openSnapshot: CliWorld["openSnapshot"] = (stateDir) => {
    const path = this.joinPath(stateDir, "uplink-snapshot.json");
    return {
      path,
      read: () => this.written.get(path),
      write: (text) => void this.written.set(path, text),
      remove: () => void this.written.delete(path),
      lock: () => (this.isSnapshotLocked ? undefined : { release: () => undefined }),
    };
  };

  readonly onInterrupt: CliWorld["onInterrupt"] = () => () => undefined;
}
