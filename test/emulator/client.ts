import { spawn, type ChildProcess } from "node:child_process";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import type { Packet, Verdict } from "./model/acl.ts";
import type { BudgetReport, BudgetSpec } from "./model/call-budget.ts";
import type { CallRecord } from "./model/call-log.ts";
import type { Fault, FaultSpec } from "./model/faults.ts";
import type { OpenHandle } from "./model/handles.ts";
import type { JsonObject, JsonValue } from "./model/json.ts";
import type { HostInterface } from "./model/host.ts";
import type { LatencySpec } from "./model/latency.ts";
import type { EmulatedUplink } from "./model/uplinks.ts";
import type { HostRoute, ListRecord, PortReservation, Settings, WorldSnapshot } from "./model/world.ts";
import { decodeControl, encodeControl, FrameReader } from "./wire.ts";

export interface EmulatedNetwork {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly adapter: string | null;
  readonly subnets: string[];
  /** The version 2 document. */
  readonly document: JsonObject;
}

export interface EmulatedEndpoint {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly networkName: string;
  /** With prefix: `10.244.3.5/24`. */
  readonly addresses: string[];
  readonly mac: string;
  readonly namespace: string | null;
  readonly hostCompartment: number | null;
  readonly forwarding: boolean;
  /** Containers it was attached to the version 1 way; `vm:` stands before a machine's card. */
  readonly attachments: string[];
  readonly document: JsonObject;
}

export interface EmulatedNamespace {
  readonly id: string;
  readonly compartment: number;
  readonly endpoints: string[];
}

/** The version 2 document of an object just made. */
export interface CreatedDocument extends JsonObject {
  readonly ID: string;
}

export interface EmulatorStatus {
  readonly bootId: string;
  readonly hnsStart: string;
  readonly settings: Settings;
  readonly networks: number;
  readonly endpoints: number;
  readonly namespaces: number;
  readonly loadBalancers: number;
  readonly sdnRoutes: number;
  readonly calls: number;
  readonly openHandles: number;
  readonly faults: number;
  readonly latencies: number;
  readonly budget: BudgetReport | null;
}

/** The emulator refused a control request; `hresult` is there when it was HNS's own rules that refused it. */
export class ControlError extends Error {
  readonly hresult: number | undefined;

  constructor(message: string, hresult: number | undefined) {
    super(message);
    this.name = "ControlError";
    this.hresult = hresult;
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** Talks to an emulator, for tests and tools. Requests may overlap; they are answered in order. */
export class EmulatorClient {
  /** `host:port`, the value for HNS_EMULATOR_ADDRESS. */
  readonly address: string;
  readonly #socket: Socket;
  readonly #process: ChildProcess | undefined;
  readonly #waiting: Waiting[] = [];

  constructor(address: string, socket: Socket, process?: ChildProcess) {
    this.address = address;
    this.#socket = socket;
    this.#process = process;
    const reader = new FrameReader();
    socket.on("data", (chunk) => {
      for (const frame of reader.push(chunk)) this.#settle(decodeControl(frame));
    });
    socket.on("error", (error) => this.#abandon(error));
    socket.on("close", () => this.#abandon(new Error(`the emulator at ${address} closed the connection`)));
  }

  /** Starts an emulator of its own on a free port; `close` ends it. */
  static async start(): Promise<EmulatorClient> {
    const script = join(process.cwd(), "test/emulator/main.ts");
    const child = spawn(findNode(), [script, "--port", "0"], { stdio: ["ignore", "pipe", "inherit"] });
    const { address } = await readReady(child);
    return new EmulatorClient(address, await openSocket(address), child);
  }

  /** Connects to an emulator that runs already. */
  static async connect(address: string): Promise<EmulatorClient> {
    return new EmulatorClient(address, await openSocket(address));
  }

  /** Ends the connection, and the process if it was started here. */
  async close(): Promise<void> {
    const child = this.#process;
    this.#socket.destroy();
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill("SIGKILL");
    await ended;
  }

  status(): Promise<EmulatorStatus> {
    return this.request("status");
  }

  networks(): Promise<EmulatedNetwork[]> {
    return this.request("networks");
  }

  endpoints(): Promise<EmulatedEndpoint[]> {
    return this.request("endpoints");
  }

  namespaces(): Promise<EmulatedNamespace[]> {
    return this.request("namespaces");
  }

  loadBalancers(): Promise<ListRecord[]> {
    return this.request("load-balancers");
  }

  sdnRoutes(): Promise<ListRecord[]> {
    return this.request("sdn-routes");
  }

  /** Every export called since the log was cleared, closes included. */
  calls(): Promise<CallRecord[]> {
    return this.request("calls");
  }

  /** Calls per export since the log was cleared. */
  counts(): Promise<Record<string, number>> {
    return this.request("counts");
  }

  clearCalls(): Promise<void> {
    return this.request("clear-calls");
  }

  /** Handles never closed, those of dead clients included. */
  handles(): Promise<OpenHandle[]> {
    return this.request("handles");
  }

  clearHandles(): Promise<void> {
    return this.request("clear-handles");
  }

  /** Pids of the clients that have a connection now. */
  clients(): Promise<number[]> {
    return this.request("clients");
  }

  addFault(fault: FaultSpec): Promise<Fault> {
    return this.request("fault-add", { fault: { ...fault } });
  }

  faults(): Promise<Fault[]> {
    return this.request("fault-list");
  }

  /** Takes one fault back, or all. Calls that hang already go on hanging. */
  clearFaults(id?: number): Promise<void> {
    return this.request("fault-clear", id === undefined ? {} : { id });
  }

  /** Makes calls of one export, or of all, take their time. */
  setLatency(latency: LatencySpec): Promise<void> {
    return this.request("latency-set", { latency: { ...latency } });
  }

  latencies(): Promise<LatencySpec[]> {
    return this.request("latency-list");
  }

  /** Takes back the latency of one export, or all. */
  clearLatencies(call?: string): Promise<void> {
    return this.request("latency-clear", call === undefined ? {} : { call });
  }

  /** From now on only so many calls: the others are refused when the budget has an HRESULT, else noted. */
  setBudget(budget: BudgetSpec): Promise<void> {
    return this.request("budget-set", { budget: { ...budget } });
  }

  /** How the budget stands; null without one. */
  budget(): Promise<BudgetReport | null> {
    return this.request("budget");
  }

  clearBudget(): Promise<void> {
    return this.request("budget-clear");
  }

  /** The emulated machine's interfaces, with those that virtual switches and host attachments add. */
  interfaces(): Promise<HostInterface[]> {
    return this.request("interfaces");
  }

  routes(): Promise<HostRoute[]> {
    return this.request("routes");
  }

  /** Cards and management interfaces, with all that a connection needs. */
  uplinks(): Promise<EmulatedUplink[]> {
    return this.request("uplinks");
  }

  portReservations(): Promise<PortReservation[]> {
    return this.request("port-reservations");
  }

  /** What the runtime does before a version 1 plugin is called; needed only with `anyComputeSystem` off. */
  createComputeSystem(id: string): Promise<void> {
    return this.request("create-compute-system", { id });
  }

  deleteComputeSystem(id: string): Promise<void> {
    return this.request("delete-compute-system", { id });
  }

  /** What an endpoint's ACLs do with a packet. */
  decidePacket(endpoint: string, packet: Packet): Promise<Verdict> {
    return this.request("packet", { endpoint, packet: { ...packet } });
  }

  set(settings: Partial<Settings> & { versionPreset?: string }, identity: { bootId?: string; hnsStart?: string } = {}): Promise<void> {
    return this.request("set", { settings: toJson(settings), ...identity });
  }

  /** A fresh, empty service: objects, handles, log, faults and settings. */
  reset(settings: Partial<Settings> & { versionPreset?: string } = {}): Promise<void> {
    return this.request("reset", { settings: toJson(settings) });
  }

  /** The objects and settings, not the log, the faults or the handles. */
  snapshot(): Promise<WorldSnapshot> {
    return this.request("snapshot");
  }

  restore(snapshot: WorldSnapshot): Promise<void> {
    return this.request("restore", { snapshot: toJson(snapshot) });
  }

  restart(options: { loseEndpoints?: boolean } = {}): Promise<void> {
    return this.request("restart", { loseEndpoints: options.loseEndpoints ?? false });
  }

  reboot(): Promise<void> {
    return this.request("reboot");
  }

  /** A network made by somebody else; gives its version 2 document. */
  createNetwork(document: object, id?: string): Promise<CreatedDocument> {
    return this.request("create-network", { document: toJson(document), ...(id === undefined ? {} : { id }) });
  }

  createEndpoint(network: string, document: object, id?: string): Promise<CreatedDocument> {
    return this.request("create-endpoint", { network, document: toJson(document), ...(id === undefined ? {} : { id }) });
  }

  /** What containerd does before ADD; gives the id that becomes CNI_NETNS. */
  async createNamespace(id?: string): Promise<string> {
    const document = await this.request<CreatedDocument>("create-namespace", id === undefined ? {} : { id });
    return document.ID;
  }

  modifyNetwork(id: string, document: object): Promise<void> {
    return this.request("modify-network", { id, document: toJson(document) });
  }

  modifyEndpoint(id: string, document: object): Promise<void> {
    return this.request("modify-endpoint", { id, document: toJson(document) });
  }

  modifyNamespace(id: string, document: object): Promise<void> {
    return this.request("modify-namespace", { id, document: toJson(document) });
  }

  deleteNetwork(id: string): Promise<void> {
    return this.request("delete-network", { id });
  }

  deleteEndpoint(id: string): Promise<void> {
    return this.request("delete-endpoint", { id });
  }

  deleteNamespace(id: string): Promise<void> {
    return this.request("delete-namespace", { id });
  }

  /** A version 1 call by somebody else; gives its Output. */
  hnsCall(method: string, path: string, body: object = {}): Promise<JsonValue> {
    return this.request("hns-call", { method, path, document: toJson(body) });
  }

  /** Ends the emulator, also one that was started elsewhere. */
  stop(): Promise<void> {
    return this.request("stop");
  }

  /** Sends any control request. The answer's type is what the emulator of this same tree gives. */
  request<T>(op: string, fields: JsonObject = {}): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#waiting.push({ resolve: (value) => resolve(value as T), reject });
      this.#socket.write(encodeControl({ op, ...fields }));
    });
  }

  #settle(message: unknown): void {
    const waiting = this.#waiting.shift();
    // The emulator's answers have this one shape; see server.ts.
    const answer = message as { ok: boolean; value: unknown; error?: string; hresult?: number };
    if (answer.ok) waiting?.resolve(answer.value);
    else waiting?.reject(new ControlError(answer.error ?? "refused", answer.hresult));
  }

  #abandon(error: Error): void {
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }
}

/** The Node that runs TypeScript files directly: this one, or the one the repository brings. */
export function findNode(): string {
  const major = Number(process.versions.node.split(".")[0]);
  return major >= 24 ? process.execPath : join(process.cwd(), "node_modules/.bin/node");
}

function openSocket(address: string): Promise<Socket> {
  const at = address.lastIndexOf(":");
  return new Promise((resolve, reject) => {
    const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)), noDelay: true });
    socket.once("connect", () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
}

function readReady(child: ChildProcess): Promise<{ address: string }> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`the emulator ended with ${code} before it was ready`)));
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
      if (!text.includes("\n")) return;
      // The one line main.ts writes.
      resolve(JSON.parse(text.slice(0, text.indexOf("\n"))) as { address: string });
    });
  });
}

function toJson(value: object): JsonObject {
  return value as JsonObject;
}
