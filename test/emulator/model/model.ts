import { CallLog, type CallRecord } from "./call-log.ts";
import { CallBudget } from "./call-budget.ts";
import { type CallArgs, type CallEffect, readHandle } from "./export-arguments.ts";
import { EXPORTS } from "./exports.ts";
import { FaultBook, HOST_CALL, type Fault } from "./faults.ts";
import { knows } from "./features.ts";
import { HandleTable, type OpenHandle } from "./handles.ts";
import { doHnsCall } from "./hns-call.ts";
import { dropUnusedSwitches } from "./host.ts";
import { doHostCall } from "./host-call.ts";
import { buildErrorRecord, HnsError, HRESULT, hresultText } from "./hresult.ts";
import { LatencyBook } from "./latency.ts";
import { World, type Notification, type Settings, type Sources } from "./world.ts";

/** Flag of a network document: the network is not kept over a start of the machine. */
const FLAG_NON_PERSISTENT = 8;
/** Notification type: the service went away. */
export const SERVICE_DISCONNECT = 0x01000000;

export interface Caller {
  readonly pid: number;
}

/** What an export gives its caller. `hresult` is unsigned; null strings are out pointers left NULL. */
export interface CallResult {
  readonly hresult: number;
  readonly handle: number;
  readonly output: string | null;
  readonly errorRecord: string | null;
}

/** A call that arrived and was logged, with the fault it met. It has had no effect yet. */
export interface PendingCall {
  readonly name: string;
  readonly args: CallArgs;
  readonly caller: Caller;
  readonly record: CallRecord | undefined;
  readonly fault: Fault | undefined;
  /** How long the service takes before the call has its effect, in milliseconds. */
  readonly latencyMs: number;
  /** The service's start the call was sent to: a restarted service no longer knows it. */
  readonly hnsStart: string;
  /** The handle it was given, as it was when the call arrived: the service has it in hand even if the caller closes it meanwhile. */
  readonly handle: OpenHandle | undefined;
}

export interface ModelOptions {
  readonly sources: Sources;
  readonly settings?: Partial<Settings>;
}

/** The emulated Host Networking Service: pure, in memory, without time of its own. Faults are carried out by run-call.ts. */
export class HnsModel {
  readonly log = new CallLog();
  readonly faults = new FaultBook();
  readonly latencies = new LatencyBook();
  readonly budget = new CallBudget();
  readonly handles = new HandleTable();
  readonly #sources: Sources;
  readonly #listeners = new Set<(notification: Notification) => void>();
  #world: World;

  constructor(options: ModelOptions) {
    this.#sources = options.sources;
    this.#world = this.#makeWorld(options.settings ?? {});
  }

  get world(): World {
    return this.#world;
  }

  /** Does a call at once, without faults: `name` is the export's name, `args` its in-arguments in order. */
  call(name: string, args: CallArgs, caller: Caller): CallResult {
    const record = this.log.begin(name, args, caller.pid);
    const handle = this.handles.find(readHandle(args[0]), caller.pid);
    return this.execute({ name, args, caller, record, fault: undefined, latencyMs: 0, hnsStart: this.#world.hnsStart, handle });
  }

  /** Notes a call's arrival and looks for a fault that waits for it. */
  begin(name: string, args: CallArgs, caller: Caller): PendingCall {
    const record = name === HOST_CALL ? undefined : this.log.begin(name, args, caller.pid);
    const fault = this.faults.take(name, args) ?? (name === HOST_CALL ? undefined : this.budget.spend(name));
    const latencyMs = name === HOST_CALL ? 0 : this.latencies.draw(name);
    if (record !== undefined && fault !== undefined) record.fault = fault.kind;
    const handle = this.handles.find(readHandle(args[0]), caller.pid);
    return { name, args, caller, record, fault, latencyMs, hnsStart: this.#world.hnsStart, handle };
  }

  /** Lets a call take effect. */
  execute(call: PendingCall): CallResult {
    if (call.hnsStart !== this.#world.hnsStart) return this.refuse(call, HRESULT.RPC_CALL_FAILED);
    try {
      const effect = this.handles.using(call.handle, () => this.#perform(call));
      return note(call, { hresult: HRESULT.OK, handle: effect.handle ?? 0, output: effect.output ?? null, errorRecord: null });
    } catch (thrown) {
      if (!(thrown instanceof HnsError)) throw thrown;
      return this.refuse(call, thrown.hresult, thrown.message);
    }
  }

  /** Answers a call with an error, without any effect. */
  refuse(call: PendingCall, hresult: number, message: string = hresultText(hresult)): CallResult {
    const { errorText } = this.#world.settings;
    const record = buildErrorRecord(hresult, errorText === "" ? message : errorText);
    if (call.record !== undefined) call.record.hresult = hresult;
    if (isTransport(hresult)) return { hresult, handle: 0, output: null, errorRecord: null };
    if (call.name !== "HNSCall") return { hresult, handle: 0, output: null, errorRecord: hasErrorRecord(call.name) ? record : null };
    return { hresult: this.#world.settings.hnsCallFails ? hresult : HRESULT.OK, handle: 0, output: record, errorRecord: null };
  }

  /** The service starts anew: objects stay (endpoints only if not lost), handles do not. */
  restart(options: { loseEndpoints: boolean }): void {
    this.#world.hnsStart = this.#world.freshId();
    if (options.loseEndpoints) this.#dropEndpoints();
    this.handles.clear();
    this.#tell({ type: SERVICE_DISCONNECT, data: "{}" });
  }

  /** The machine starts anew: endpoints, namespaces and what refers to them go; networks stay unless made non-persistent. */
  reboot(): void {
    this.restart({ loseEndpoints: true });
    const world = this.#world;
    world.bootId = world.freshId();
    world.bootedAt = this.#sources.now();
    world.namespaces.clear();
    world.computeSystems.clear();
    world.guestServices.clear();
    world.portReservations.clear();
    for (const network of [...world.networks.values()]) if ((network.flags & FLAG_NON_PERSISTENT) !== 0) world.networks.delete(network.id);
    dropUnusedSwitches(world);
  }

  /** An empty service on a fresh machine: objects, handles, log, faults and settings go back to the start. */
  reset(settings: Partial<Settings> = {}): void {
    this.#world = this.#makeWorld(settings);
    this.handles.clear();
    this.log.clear();
    this.faults.clear();
    this.latencies.clear();
    this.budget.clear();
  }

  /** Calls `listener` for each service notification; the function returned ends that. */
  subscribe(listener: (notification: Notification) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #perform({ name, args, caller }: PendingCall): CallEffect {
    const world = this.#world;
    if (name === HOST_CALL) return { output: JSON.stringify(doHostCall(world, args[0] ?? "")) };
    if (name === "HNSCall") {
      const [method, path, body] = args;
      return { output: JSON.stringify({ Success: true, Output: doHnsCall(world, method ?? "", path ?? "", body ?? "") }) };
    }
    const perform = EXPORTS.get(name);
    if (perform === undefined) throw new HnsError(HRESULT.INVALID_ARGUMENT, `no export ${name}`);
    if (name.startsWith("Hcn") && !knows(world.settings.version, "V2Api"))
      throw new HnsError(HRESULT.REQUEST_UNSUPPORTED, "no version 2 API");
    return perform({ world, handles: this.handles, pid: caller.pid }, args);
  }

  #makeWorld(settings: Partial<Settings>): World {
    const world = new World(this.#sources, settings);
    world.notify = (notification) => this.#tell(notification);
    return world;
  }

  #dropEndpoints(): void {
    const world = this.#world;
    world.endpoints.clear();
    world.loadBalancers.clear();
    world.sdnRoutes.clear();
    for (const namespace of world.namespaces.values()) namespace.endpoints = [];
  }

  #tell(notification: Notification): void {
    for (const listener of this.#listeners) listener(notification);
  }
}

function note(call: PendingCall, result: CallResult): CallResult {
  if (call.record !== undefined) call.record.hresult = result.hresult;
  return result;
}

/** Exports without an argument for it give no error record; those of vmcompute.dll have a result document instead. */
function hasErrorRecord(name: string): boolean {
  return name !== HOST_CALL && !/^Hcn(Close|Reserve|Release)|Callback$|PortReservations$/.test(name);
}

/** Whether the code says that the service was not reached, so that there is nobody to write an error record. */
function isTransport(hresult: number): boolean {
  return hresult === HRESULT.RPC_UNAVAILABLE || hresult === HRESULT.RPC_CALL_FAILED;
}
