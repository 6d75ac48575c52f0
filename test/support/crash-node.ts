/** A node for tests over the packaged program: an emulator of its own, a state folder, and runs of the program as a runtime makes them. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Mode } from "../../src/core/config/plugin-config.ts";
import { EmulatorClient, type EmulatedEndpoint } from "../emulator/client.ts";
import type { Settings, WorldSnapshot } from "../emulator/model/world.ts";
import { emulatorLibrary } from "./paths.ts";
import { type ProgramResult, runPackaged } from "./packaged.ts";

export const NETWORK = "pods";
export const HOST_ENDPOINT = `${NETWORK}_ep`;

export type Command = "ADD" | "DEL" | "CHECK" | "GC" | "STATUS" | "VERSION";
export type Table = "attachments" | "addresses" | "blocks" | "pools" | "leases" | "networks";
export type StoredRow = Readonly<Record<string, unknown>>;

export interface Pod {
  readonly container: string;
  readonly netns: string;
}

export interface RunOptions {
  /** Laid over the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Laid over the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the configuration. */
  readonly stdin?: string;
}

/** HNS and the state folder at one moment. */
export interface SavedNode {
  readonly world: WorldSnapshot;
  readonly folder: string;
}

/** The parts of an ADD result that tests look at. */
export interface AddResult {
  readonly interfaces: readonly { readonly name: string; readonly sandbox: string }[];
  readonly ips: readonly { readonly address: string }[];
}

export class CrashNode {
  readonly emulator: EmulatorClient;
  readonly #root: string;
  #mode: Mode = "l2bridge";
  #saves = 0;

  private constructor(emulator: EmulatorClient) {
    this.emulator = emulator;
    this.#root = mkdtempSync(join(tmpdir(), "hns-cni-node-"));
  }

  static async start(): Promise<CrashNode> {
    return new CrashNode(await EmulatorClient.start());
  }

  async close(): Promise<void> {
    await this.emulator.close();
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** A folder of this node's own that is not the state's. */
  get root(): string {
    return this.#root;
  }

  get stateDir(): string {
    return join(this.#root, "state");
  }

  get database(): string {
    return join(this.stateDir, "state.db");
  }

  /** A new node with a network of `mode` to come: an empty HNS and no state. Everything saved before is forgotten. */
  async reset(settings: Partial<Settings> = {}, mode: Mode = "l2bridge"): Promise<void> {
    this.#mode = mode;
    await this.emulator.reset(settings);
    for (const entry of readdirSync(this.#root)) rmSync(join(this.#root, entry), { recursive: true, force: true });
  }

  async pod(container: string): Promise<Pod> {
    return { container, netns: await this.emulator.createNamespace() };
  }

  /** Runs the program; a command about no container gets none. */
  run(command: Command, pod?: Pod, options: RunOptions = {}): Promise<ProgramResult> {
    const about = pod === undefined ? {} : { CNI_CONTAINERID: pod.container, CNI_NETNS: pod.netns, CNI_IFNAME: "eth0" };
    const env = {
      HNS_EMULATOR_ADDRESS: this.emulator.address,
      HNS_CNI_HCN_LIBRARY: emulatorLibrary,
      CNI_COMMAND: command,
      CNI_PATH: "/opt/cni/bin",
      ...about,
      ...options.env,
    };
    return runPackaged({
      env,
      stdin: options.stdin ?? JSON.stringify(buildRawConfig(this.stateDir, { mode: this.#mode, ...options.config })),
    });
  }

  /** ADD that must succeed. */
  async add(pod: Pod, options: RunOptions = {}): Promise<AddResult> {
    const { code, stdout, stderr } = await this.run("ADD", pod, options);
    if (code !== 0) throw new Error(`ADD of ${pod.container} failed (${String(code)}): ${stdout}${stderr}`);
    return JSON.parse(stdout) as AddResult;
  }

  /** DEL that must succeed. */
  async del(pod: Pod, options: RunOptions = {}): Promise<void> {
    await this.#silently("DEL", pod, options);
  }

  /** GC that must succeed. */
  async gc(valid: readonly Pod[] = []): Promise<void> {
    const entries = valid.map(({ container }) => ({ containerID: container, ifname: "eth0" }));
    await this.#silently("GC", undefined, { config: { "cni.dev/valid-attachments": entries } });
  }

  /** CHECK that must succeed. */
  async check(pod: Pod, prevResult: AddResult): Promise<void> {
    await this.#silently("CHECK", pod, { config: { prevResult } });
  }

  async #silently(command: Command, pod: Pod | undefined, options: RunOptions): Promise<void> {
    const { code, stdout, stderr } = await this.run(command, pod, options);
    if (code !== 0 || stdout !== "") throw new Error(`${command} of ${pod?.container ?? "all"} gave ${String(code)}: ${stdout}${stderr}`);
  }

  async save(): Promise<SavedNode> {
    const folder = join(this.#root, `saved-${++this.#saves}`);
    if (existsSync(this.stateDir)) cpSync(this.stateDir, folder, { recursive: true });
    return { world: await this.emulator.snapshot(), folder };
  }

  /** Goes back to `saved`; the emulator's log, faults and handles are cleared. */
  async restore(saved: SavedNode): Promise<void> {
    await this.emulator.clearFaults();
    await this.emulator.clearCalls();
    await this.emulator.clearHandles();
    await this.emulator.restore(saved.world);
    rmSync(this.stateDir, { recursive: true, force: true });
    if (existsSync(saved.folder)) cpSync(saved.folder, this.stateDir, { recursive: true });
  }

  forget(saved: SavedNode): void {
    rmSync(saved.folder, { recursive: true, force: true });
  }

  /** The rows of a table; none while there is no state. */
  rows(table: Table): StoredRow[] {
    if (!existsSync(this.database)) return [];
    const database = new DatabaseSync(this.database);
    try {
      return database.prepare(`SELECT * FROM ${table}`).all();
    } finally {
      database.close();
    }
  }

  /** Every endpoint but the host's. */
  async podEndpoints(): Promise<EmulatedEndpoint[]> {
    return (await this.emulator.endpoints()).filter(({ name }) => name !== HOST_ENDPOINT);
  }

  async endpointOf(pod: Pod): Promise<EmulatedEndpoint | undefined> {
    return (await this.podEndpoints()).find(({ name }) => name === `${pod.container}_${NETWORK}`);
  }

  readDatabase(): Buffer {
    return readFileSync(this.database);
  }

  writeDatabase(bytes: Uint8Array): void {
    mkdirSync(this.stateDir, { recursive: true });
    writeFileSync(this.database, bytes);
  }
}

/** The configuration every test starts from; values of undefined are left out. */
export function buildRawConfig(stateDir: string, changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    cniVersion: "1.1.0",
    name: NETWORK,
    type: "hns-cni",
    mode: "l2bridge",
    clusterCidrs: ["10.244.0.0/16"],
    serviceCidrs: ["10.96.0.0/12"],
    dns: { nameservers: ["10.96.0.10"], search: ["svc.cluster.local"] },
    ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    stateDir,
    ...changes,
  };
}
