/** A node on which a container runtime calls plugins: Linux with the program for Linux, or Wine with the one for Windows. */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { EmulatorClient } from "../emulator/client.ts";
import { emulatorLibrary, linuxProgram } from "../support/paths.ts";
import { runUnderWine, startWine, type WineMachine } from "../support/wine.ts";
import { findPeers } from "./build.ts";
import { ensureRandomSource } from "./stand-in.ts";

/** Client library by which the runtime calls plugins. */
export type Client = "libcni" | "go-cni";

export interface Attachment {
  readonly containerId: string;
  readonly ifname: string;
}

/** What the CRI says of a pod; containerd makes CNI_ARGS and capabilities of it. */
export interface ContainerdPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly portMappings?: readonly { hostPort: number; containerPort: number; protocol: string; hostIP?: string }[];
  readonly dns?: { servers: readonly string[]; searches: readonly string[]; options: readonly string[] };
}

export interface LibcniOptions {
  readonly network: string;
  readonly ifname: string;
  readonly args?: Readonly<Record<string, string>>;
  readonly capabilities?: Readonly<Record<string, unknown>>;
}

export interface RuntimeCall {
  readonly command: "ADD" | "CHECK" | "DEL" | "GC" | "STATUS" | "VALIDATE" | "CACHED";
  readonly containerId?: string;
  readonly netns?: string;
  readonly libcni?: LibcniOptions;
  readonly containerd?: ContainerdPod;
  /** Attachments that GC leaves alone. */
  readonly valid?: readonly Attachment[];
}

/** What the client library gave its caller. */
export interface RuntimeAnswer {
  readonly result?: unknown;
  /** `code` is 0 where the error is the library's own. */
  readonly error?: { readonly code: number; readonly message: string; readonly details?: string };
}

/** A configuration list, as a file in the runtime's folder has it. */
export interface ConfList {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly object[];
}

interface ProgramOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `runtime CLIENT` with a request on its stdin. */
type RunRuntime = (client: Client, stdin: string) => Promise<ProgramOutput>;

export class RuntimeHost {
  readonly emulator: EmulatorClient;
  /** Where our program keeps its state here, in the host's own spelling. */
  readonly stateDir: string;
  readonly #folder: string;
  /** A path of this machine as programs on the host have it. */
  readonly toHost: (path: string) => string;
  readonly #pluginDirs: readonly string[];
  readonly #run: RunRuntime;

  constructor(options: { emulator: EmulatorClient; pluginDirs: readonly string[]; toHost: (path: string) => string; run: RunRuntime }) {
    this.emulator = options.emulator;
    this.#folder = mkdtempSync(join(tmpdir(), "hns-cni-peers-"));
    this.toHost = options.toHost;
    this.#pluginDirs = options.pluginDirs.map(options.toHost);
    this.#run = options.run;
    this.stateDir = options.toHost(join(this.#folder, "state"));
    mkdirSync(join(this.#folder, "conf"));
  }

  writeConf(list: ConfList): void {
    writeFileSync(join(this.#folder, "conf/10-pods.conflist"), JSON.stringify(list));
  }

  /** libcni forgets every attachment: what a runtime knows after its node lost the cache. */
  loseCache(): void {
    rmSync(join(this.#folder, "cache"), { recursive: true, force: true });
  }

  /** Makes one call. Rejects only when the call could not be made; a refusal is in the answer. */
  async call(client: Client, call: RuntimeCall): Promise<RuntimeAnswer> {
    const { libcni, ...rest } = call;
    const own = libcni === undefined ? {} : { libcni: { ...libcni, cacheDir: this.toHost(join(this.#folder, "cache")) } };
    const request = { ...rest, ...own, pluginDirs: this.#pluginDirs, confDir: this.toHost(join(this.#folder, "conf")) };
    const { code, stdout, stderr } = await this.#run(client, JSON.stringify(request));
    if (code !== 0) throw new Error(`runtime ${client} ended with ${code}: ${stderr}`);
    // The driver's answer, whose shape is its own (test/peers/runtime/main.go).
    return JSON.parse(stdout) as RuntimeAnswer;
  }

  async close(): Promise<void> {
    await this.emulator.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** `pluginDirs` are searched after the folder of our program. */
export async function startLinuxHost(pluginDirs: readonly string[] = []): Promise<RuntimeHost> {
  const emulator = await EmulatorClient.start();
  const env = { PATH: process.env["PATH"] ?? "", HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: emulator.address };
  const program = join(findPeers().linux, "runtime");
  return new RuntimeHost({
    emulator,
    pluginDirs: [dirname(linuxProgram), ...pluginDirs],
    toHost: (path) => path,
    run: (client, stdin) => runLinux(program, { args: [client], env, stdin }),
  });
}

/** As startLinuxHost; `pluginDirs` are Linux paths. */
export async function startWineHost(pluginDirs: readonly string[] = []): Promise<RuntimeHost> {
  const machine = await startPeersWine();
  const emulator = await EmulatorClient.start();
  const env = { HNS_EMULATOR_ADDRESS: emulator.address };
  const exe = join(findPeers().windows, "runtime.exe");
  return new RuntimeHost({
    emulator,
    pluginDirs: [dirname(machine.program), ...pluginDirs],
    toHost: toWindowsPath,
    run: (client, stdin) => runUnderWine(machine, { exe, args: [client], env, stdin }),
  });
}

/** Wine in which Go's programs start, too. */
export async function startPeersWine(): Promise<WineMachine> {
  const machine = await startWine();
  ensureRandomSource(machine.prefix.folder);
  return machine;
}

/** Wine shows the whole Linux tree as drive Z. */
export function toWindowsPath(path: string): string {
  return `Z:${path.replaceAll("/", "\\")}`;
}

function runLinux(program: string, run: { args: string[]; env: NodeJS.ProcessEnv; stdin: string }): Promise<ProgramOutput> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, run.args, { env: run.env, stdio: "pipe", timeout: 60_000, killSignal: "SIGKILL" });
    const output = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].setEncoding("utf8").on("data", (text: string) => (output[name] += text));
    }
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
    child.stdin.end(run.stdin);
  });
}
