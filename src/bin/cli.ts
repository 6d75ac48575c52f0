import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { runCli } from "../cli/main.ts";
import type { followFile as FollowFile } from "../host/exec/follow-file.ts";
import type { writeInOneStep as WriteInOneStep } from "../host/exec/write-file.ts";
import { Database } from "../host/state/database.ts";
import { SqliteStateStore } from "../host/state/sqlite-store.ts";
import type { AdminQuery } from "../service/agent/admin-protocol.ts";
import type { openAgentService as OpenService } from "./agent-service.ts";
import { loadAsset } from "./assets.ts";
import type { askAgent as Ask } from "./forward.ts";
import { writeAll } from "./output.ts";
import type {
  listenForInterrupts as ListenForInterrupts,
  openSnapshotFile as OpenSnapshotFile,
  openUplinks as OpenUplinks,
} from "./prepare-host.ts";
import { defaultStateDir, openPlatform, type Platform } from "./platform.ts";

declare const HNS_CNI_VERSION: string;

/** Runs the admin command line, which the executable carries apart so that a CNI call neither parses nor loads it. */
export async function runAdmin(): Promise<void> {
  // What this build's src/cli/main.ts exports.
  const { runCli: run } = loadAsset("cli") as { runCli: typeof runCli };
  let platform: Platform | undefined;
  const getPlatform = (): Platform => (platform ??= openPlatform(process.env));
  const exitCode = await run(process.argv.slice(2), {
    version: HNS_CNI_VERSION,
    nodeVersion: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    defaultStateDir: defaultStateDir(process.env),
    joinPath: join,
    readFile: (path) => readFileSync(path, "utf8"),
    readStdin: () => readFileSync(0, "utf8"),
    hasFile: existsSync,
    writeFile: (path, text) => loadAgent().writeInOneStep(path, text),
    writeOut: (text) => write(1, text),
    writeError: (text) => write(2, text),
    listFiles: (folder) => readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry.isFile() ? [entry.name] : [])),
    hasState: (stateDir) => existsSync(join(stateDir, "state.db")),
    openState: (stateDir) => openState(stateDir === "scratch" ? ":memory:" : join(stateDir, "state.db")),
    openClock: () => getPlatform().machine.clock,
    openHns: () => getPlatform().backend,
    openMachine: () => getPlatform().machine,
    openService: () => loadAgent().openAgentService(),
    askAgent: (query) => askAgent(query, getPlatform().agentSocket),
    followFile: (path, onText) => loadAgent().followFile(path, onText),
    openUplinks: () => loadAgent().openUplinks(getPlatform()),
    openSnapshot: (stateDir) => loadAgent().openSnapshotFile(getPlatform(), stateDir),
    onInterrupt: (listener) => loadAgent().listenForInterrupts(listener),
    terminal: { isTerminal: isTerminal(), isWindows: process.platform === "win32", variables: process.env },
  });
  process.exitCode = exitCode;
  endStuck(platform, exitCode);
}

interface AgentScript {
  readonly openAgentService: typeof OpenService;
  readonly followFile: typeof FollowFile;
  readonly writeInOneStep: typeof WriteInOneStep;
  readonly openUplinks: typeof OpenUplinks;
  readonly openSnapshotFile: typeof OpenSnapshotFile;
  readonly listenForInterrupts: typeof ListenForInterrupts;
}

function loadAgent(): AgentScript {
  return loadAsset("agent") as AgentScript; // what this build's src/bin/agent.ts exports
}

/** A question that HNS has a part in takes as long as HNS does. */
const ASK_MS = 100_000;

function askAgent(query: AdminQuery, socket: string): Promise<string | undefined> {
  // What this build's src/bin/forward.ts exports.
  const { askAgent: ask } = loadAsset("client") as { askAgent: typeof Ask };
  return ask({ socket, query, deadlineMs: ASK_MS });
}

/** On Windows the stream is made as well: with it Node has the console understand colours. Made for a pipe, it would end blocking writes. */
function isTerminal(): boolean {
  if (!process.getBuiltinModule("node:tty").isatty(1)) return false;
  return process.stdout.isTTY;
}

/** A call stuck in HNS keeps its thread, and an ordinary exit would wait for it. */
function endStuck(platform: Platform | undefined, exitCode: number): void {
  if (platform !== undefined && platform.abandonedCalls() > 0) platform.endProcess(exitCode);
}

/** How long a command waits for CNI calls that write, milliseconds. */
const BUSY_MS = 10_000;

function openState(path: string): SqliteStateStore {
  return new SqliteStateStore(Database.open({ path, busyTimeoutMs: BUSY_MS }));
}

/** A reader that went away (as head does) wants no more. */
function write(descriptor: 1 | 2, text: string): void {
  try {
    writeAll(descriptor, text);
  } catch (thrown) {
    if (!(thrown instanceof Error && "code" in thrown && thrown.code === "EPIPE")) throw thrown;
  }
}
