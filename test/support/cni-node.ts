/** One node for a test: an emulated HNS, a state folder and the packaged program, called the way containerd calls it. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildPluginInput, type ConfList, type JsonObject, type PluginObject, readConfList } from "../../scripts/demo/conf-list.ts";
import { EmulatorClient } from "../emulator/client.ts";
import type { Settings } from "../emulator/model/world.ts";
import type { CniProgram, ProgramOutcome } from "./programs.ts";
import { readState, type StateRows } from "./state-file.ts";

/** A sandbox as the runtime knows it. */
export interface Pod {
  /** 32 random bytes as hexadecimal text. */
  readonly containerId: string;
  /** The GUID of its host compute namespace. */
  readonly netns: string;
  readonly ifname: string;
  /** In the spelling of Go's field names, as containerd sends it. */
  readonly runtimeConfig: JsonObject;
}

export type AttachmentCommand = "ADD" | "CHECK" | "DEL";

export interface CallOptions {
  readonly prevResult?: unknown;
  /** Put over the plugin object. */
  readonly config?: JsonObject;
  readonly cniVersion?: string;
  /** Put over the CNI_* variables. */
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** The error document of the specification. */
export interface CniError {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}

export interface AddResult {
  readonly cniVersion: string;
  readonly interfaces: readonly { readonly name: string; readonly mac: string; readonly sandbox: string }[];
  readonly ips: readonly { readonly address: string; readonly gateway: string; readonly interface: number }[];
  readonly routes: readonly { readonly dst: string; readonly gw: string }[];
  readonly dns: JsonObject;
}

/** What containerd sends for a pod with one host port and its own DNS settings; slices that are nil in Go arrive as null. */
export const CONTAINERD_RUNTIME_CONFIG = {
  portMappings: [{ HostPort: 8080, ContainerPort: 80, Protocol: "tcp", HostIP: "" }],
  dns: { Servers: ["10.96.0.10"], Searches: ["shop.svc.cluster.local", "svc.cluster.local", "cluster.local"], Options: null },
  "io.kubernetes.cri.pod-annotations": { "kubernetes.io/config.seen": "2026-01-01T00:00:00Z" },
};

/** And for one without: the capabilities are offered all the same. */
export const PLAIN_RUNTIME_CONFIG = { portMappings: null, dns: null };

/** The configuration list that the README shows. */
export const README_LIST: ConfList = readConfList(join(process.cwd(), "README.md"));

export class CniNode {
  readonly program: CniProgram;
  readonly emulator: EmulatorClient;
  readonly list: ConfList;
  #stateDir: string;

  /** `stateDir` is another node's, whose folder that one removes. */
  constructor(program: CniProgram, emulator: EmulatorClient, list: ConfList, stateDir = makeStateDir()) {
    this.program = program;
    this.emulator = emulator;
    this.list = list;
    this.#stateDir = stateDir;
  }

  static async start(program: CniProgram, list: ConfList = README_LIST): Promise<CniNode> {
    return new CniNode(program, await EmulatorClient.start(), list);
  }

  async close(): Promise<void> {
    await this.emulator.close();
    rmSync(this.#stateDir, { recursive: true, force: true });
  }

  /** A node on which nothing ever happened. */
  async renew(settings: Partial<Settings> = {}): Promise<void> {
    await this.emulator.reset(settings);
    rmSync(this.#stateDir, { recursive: true, force: true });
    this.#stateDir = makeStateDir();
  }

  get stateDir(): string {
    return this.#stateDir;
  }

  /** What containerd does before ADD: a namespace, and a container id of its own. */
  async makePod(runtimeConfig: JsonObject = PLAIN_RUNTIME_CONFIG): Promise<Pod> {
    return { containerId: makeContainerId(), netns: await this.emulator.createNamespace(), ifname: "eth0", runtimeConfig };
  }

  /** The rows of state.db; the program must have ended. */
  state(): StateRows {
    return readState(this.#stateDir);
  }

  /** The lines of the log. */
  log(): JsonObject[] {
    const text = readFileSync(join(this.#stateDir, "hns-cni.log"), "utf8");
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as JsonObject);
  }

  call(command: AttachmentCommand, pod: Pod, options: CallOptions = {}): Promise<ProgramOutcome> {
    return this.run(this.buildInput(options, pod.runtimeConfig), { ...buildVariables(command, pod), ...options.env }, options.timeoutMs);
  }

  /** STATUS and GC. */
  callForNetwork(command: "STATUS" | "GC", options: CallOptions = {}): Promise<ProgramOutcome> {
    const env = { CNI_COMMAND: command, CNI_PATH: CNI_PATH, ...options.env };
    return this.run(this.buildInput(options, {}), env, options.timeoutMs);
  }

  run(input: JsonObject | string, env: Readonly<Record<string, string>>, timeoutMs?: number): Promise<ProgramOutcome> {
    const stdin = typeof input === "string" ? input : JSON.stringify(input);
    return this.program.run({ env, stdin, ...(timeoutMs !== undefined && { timeoutMs }) }, this.emulator.address);
  }

  /** ADD that must succeed. */
  async add(pod: Pod, options: CallOptions = {}): Promise<AddResult> {
    const outcome = await this.call("ADD", pod, options);
    const { code, stderr, stdout } = outcome;
    // The document is compared too, so that a failure shows the program's own error.
    expect({ code, stderr, error: code === 0 ? "" : stdout }).toEqual({ code: 0, stderr: "", error: "" });
    return parseDocument(outcome) as unknown as AddResult;
  }

  /** CHECK or DEL that must succeed, without a word. */
  async callSilently(command: "CHECK" | "DEL", pod: Pod, options: CallOptions = {}): Promise<void> {
    expectSilence(await this.call(command, pod, options));
  }

  buildInput(options: CallOptions, runtimeConfig: JsonObject): JsonObject {
    const plugin = { ...getPlugin(this.list), stateDir: this.program.path(this.#stateDir), ...options.config };
    const list = { ...this.list, cniVersion: options.cniVersion ?? this.list.cniVersion };
    const prevResult = "prevResult" in options ? { prevResult: options.prevResult } : {};
    return buildPluginInput(list, plugin, { runtimeConfig, ...prevResult });
  }
}

const CNI_PATH = "C:\\Program Files\\containerd\\cni\\bin";

export function buildVariables(command: AttachmentCommand, pod: Pod): Record<string, string> {
  return {
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod.containerId,
    CNI_NETNS: pod.netns,
    CNI_IFNAME: pod.ifname,
    CNI_PATH,
    CNI_ARGS: buildArguments(pod),
  };
}

/** containerd walks a Go map for CNI_ARGS, so the order differs from call to call. */
function buildArguments({ containerId }: Pod): string {
  const pairs = [
    "IgnoreUnknown=1",
    "K8S_POD_NAMESPACE=default",
    "K8S_POD_NAME=web-0",
    `K8S_POD_INFRA_CONTAINER_ID=${containerId}`,
    "K8S_POD_UID=6f2b8c1e-0d6f-4b5e-9a53-0d9a8a1f7c11",
  ];
  const at = randomBytes(1).readUInt8() % pairs.length;
  return [...pairs.slice(at), ...pairs.slice(0, at)].join(";");
}

export function makeContainerId(): string {
  return randomBytes(32).toString("hex");
}

/** The one JSON document on stdout. */
export function parseDocument({ stdout }: ProgramOutcome): JsonObject {
  return JSON.parse(stdout) as JsonObject;
}

/** The error document of a call that failed the way the specification wants it: exit code 1, nothing on stderr. */
export function parseError(outcome: ProgramOutcome): CniError {
  expect(outcome).toMatchObject({ code: 1, stderr: "" });
  const { cniVersion, code, msg, details } = parseDocument(outcome);
  expect([typeof cniVersion, typeof code, typeof msg]).toEqual(["string", "number", "string"]);
  return { cniVersion: String(cniVersion), code: Number(code), msg: String(msg), ...(typeof details === "string" && { details }) };
}

export function expectSilence(outcome: ProgramOutcome): void {
  expect(outcome).toMatchObject({ code: 0, stdout: "", stderr: "" });
}

function getPlugin(list: ConfList): PluginObject {
  const plugin = list.plugins.find(({ type }) => type === "hns-cni");
  if (plugin === undefined) throw new Error("the configuration list does not name hns-cni");
  return plugin;
}

function makeStateDir(): string {
  return mkdtempSync(join(tmpdir(), "hns-cni-system-"));
}
