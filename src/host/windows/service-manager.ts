import { PluginError } from "../../core/base/errors.ts";
import type { Ffi, NativeFunction, NativeType, Pointer } from "../ffi/library.ts";
import type { System32 } from "./system32.ts";
import { encodeMultiString, encodeWide } from "./wide.ts";

const ADVAPI = "advapi32.dll";
// winsvc.h
const ALL_ACCESS = 0xf003f;
const SERVICE_ALL_ACCESS = 0xf01ff;
const OWN_PROCESS = 0x10;
const AUTO_START = 2;
const ERROR_NORMAL = 1;
const CONTROL_STOP = 1;
const CONFIG_DESCRIPTION = 1;
const CONFIG_FAILURE_ACTIONS = 2;
const CONFIG_FAILURE_ACTIONS_FLAG = 4;
const CONFIG_PRESHUTDOWN = 7;
const ACTION_RESTART = 1;
const STATES = ["unknown", "stopped", "starting", "stopping", "running", "continuing", "pausing", "paused"] as const;
const STATUS_BYTES = 36; // SERVICE_STATUS_PROCESS
// Errors of Windows
const ACCESS_DENIED = 5;
const INVALID_LEVEL = 124;
const SERVICE_EXISTS = 1073;
const SERVICE_DOES_NOT_EXIST = 1060;
const SERVICE_NOT_ACTIVE = 1062;
const ALREADY_RUNNING = 1056;
const MARKED_FOR_DELETE = 1072;
const HKEY_LOCAL_MACHINE = 0xffffffff80000002n;
const REG_MULTI_SZ = 7;

export type ServiceState = (typeof STATES)[number] | "absent";

export interface ServiceDescription {
  readonly name: string;
  readonly displayName: string;
  readonly description: string;
  /** Absolute path of the program, without quotes. */
  readonly program: string;
  readonly args: readonly string[];
  /** NAME=value: libuv reads the size of its pool there before any script runs. */
  readonly environment: readonly string[];
  /** Waits before it is started anew after it ended by itself, milliseconds: the first time, the second, and from then on. */
  readonly restartAfterMs: readonly [number, number, number];
  /** How long it may take when Windows shuts down, milliseconds. */
  readonly preshutdownMs: number;
}

export interface StopOptions {
  /** How long the service may take to stop, milliseconds. */
  readonly waitMs: number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Windows' service manager. Every method throws IO_FAILURE naming the function and Windows' error; most need administrator's rights. */
export class ServiceManager {
  readonly #ffi: Ffi;
  readonly #system32: System32;

  constructor(ffi: Ffi, system32: System32) {
    this.#ffi = ffi;
    this.#system32 = system32;
  }

  /** Registers the service, or gives one of that name the same settings; it starts with Windows and again when it ends by itself. */
  install(service: ServiceDescription): "installed" | "updated" {
    const command = [`"${service.program}"`, ...service.args.map(quote)].join(" ");
    return this.#withManager((manager) => {
      const create = this.#function("CreateServiceW", "pointer", [
        ...(["pointer", "wide", "wide", "uint32", "uint32", "uint32", "uint32"] as const),
        ...(["wide", "pointer", "pointer", "pointer", "pointer", "pointer"] as const),
      ]);
      const handle = create.call(
        ...[manager, service.name, service.displayName, SERVICE_ALL_ACCESS, OWN_PROCESS, AUTO_START, ERROR_NORMAL],
        ...[command, null, null, null, null, null],
      );
      const isNew = isHandle(handle);
      if (!isNew) this.#expectError("CreateService", SERVICE_EXISTS);
      const opened = isNew ? handle : this.#open(manager, service.name);
      this.#using(opened, () => {
        if (!isNew) this.#change(opened, service, command);
        this.#configure(opened, service);
      });
      this.#setEnvironment(service);
      return isNew ? "installed" : "updated";
    });
  }

  /** Stops the service and takes it away; false when there was none. It must have stopped by itself within `waitMs`. */
  async uninstall(name: string, stop: StopOptions): Promise<boolean> {
    if (this.state(name) === "absent") return false;
    await this.stop(name, stop);
    this.#withService(name, (handle) => {
      const isDeleted = this.#function("DeleteService", "int32", ["pointer"]).call(handle) !== 0;
      if (!isDeleted) this.#expectError("DeleteService", MARKED_FOR_DELETE);
    });
    return true;
  }

  start(name: string): void {
    this.#withService(name, (handle) => {
      const isStarted = this.#function("StartServiceW", "int32", ["pointer", "uint32", "pointer"]).call(handle, 0, null) !== 0;
      if (!isStarted) this.#expectError("StartService", ALREADY_RUNNING);
    });
  }

  /** Returns once the service has stopped. */
  async stop(name: string, { waitMs, sleep }: StopOptions): Promise<void> {
    this.#withService(name, (handle) => {
      const control = this.#function("ControlService", "int32", ["pointer", "uint32", "bytes"]);
      const isTold = control.call(handle, CONTROL_STOP, new Uint8Array(STATUS_BYTES)) !== 0;
      if (!isTold) this.#expectError("ControlService", SERVICE_NOT_ACTIVE);
    });
    for (let waited = 0; this.state(name) !== "stopped"; waited += 200) {
      if (waited >= waitMs) throw failure(`the service ${name} has not stopped within ${waitMs / 1000} s`);
      await sleep(200);
    }
  }

  state(name: string): ServiceState {
    return this.#withManager((manager) => {
      const handle = this.#function("OpenServiceW", "pointer", ["pointer", "wide", "uint32"]).call(manager, name, 0x4);
      if (!isHandle(handle)) {
        this.#expectError("OpenService", SERVICE_DOES_NOT_EXIST);
        return "absent";
      }
      return this.#using(handle, () => this.#queryState(handle));
    });
  }

  #queryState(handle: Pointer): ServiceState {
    const status = new Uint8Array(STATUS_BYTES);
    const query = this.#function("QueryServiceStatusEx", "int32", ["pointer", "uint32", "bytes", "uint32", "out uint32"]);
    if (query.call(handle, 0, status, STATUS_BYTES, [null]) === 0) throw this.#failed("QueryServiceStatusEx");
    return STATES[new DataView(status.buffer).getUint32(4, true)] ?? "unknown";
  }

  #change(handle: Pointer, service: ServiceDescription, command: string): void {
    const change = this.#function("ChangeServiceConfigW", "int32", [
      ...(["pointer", "uint32", "uint32", "uint32", "wide", "pointer"] as const),
      ...(["pointer", "pointer", "pointer", "pointer", "wide"] as const),
    ]);
    const args = [handle, OWN_PROCESS, AUTO_START, ERROR_NORMAL, command, null, null, null, null, null, service.displayName];
    if (change.call(...args) === 0) throw this.#failed("ChangeServiceConfig");
  }

  #configure(handle: Pointer, service: ServiceDescription): void {
    this.#set(handle, CONFIG_DESCRIPTION, [this.#text(service.description)]);
    this.#set(handle, CONFIG_FAILURE_ACTIONS, this.#buildRestarts(service.restartAfterMs));
    this.#set(handle, CONFIG_FAILURE_ACTIONS_FLAG, [1n]); // also when it stops with an error, not only when it crashes
    this.#set(handle, CONFIG_PRESHUTDOWN, [BigInt(service.preshutdownMs)]);
  }

  /** SERVICE_FAILURE_ACTIONS: the count of failures starts over after a day. */
  #buildRestarts(waits: readonly number[]): bigint[] {
    const actions = new Uint32Array(waits.flatMap((ms) => [ACTION_RESTART, ms]));
    const list = this.#ffi.allocate(new Uint8Array(actions.buffer));
    return [86_400n, 0n, 0n, BigInt(waits.length), list];
  }

  /** A structure whose members each take eight bytes on x64. Windows knows all these levels, Wine not every one. */
  #set(handle: Pointer, level: number, members: readonly bigint[]): void {
    const change = this.#function("ChangeServiceConfig2W", "int32", ["pointer", "uint32", "bytes"]);
    const isDone = change.call(handle, level, new Uint8Array(new BigUint64Array(members).buffer)) !== 0;
    if (!isDone) this.#expectError("ChangeServiceConfig2", INVALID_LEVEL);
  }

  #setEnvironment({ name, environment }: ServiceDescription): void {
    const key = `SYSTEM\\CurrentControlSet\\Services\\${name}`;
    const data = encodeMultiString(environment);
    const set = this.#function("RegSetKeyValueW", "uint32", ["pointer", "wide", "wide", "uint32", "bytes", "uint32"]);
    const error = Number(set.call(HKEY_LOCAL_MACHINE, key, "Environment", REG_MULTI_SZ, data, data.length));
    if (error !== 0) throw failure(`RegSetKeyValue failed with ${error} on ${key}`);
  }

  #text(text: string): bigint {
    return this.#ffi.allocate(encodeWide(text));
  }

  #withManager<T>(work: (manager: Pointer) => T): T {
    const open = this.#function("OpenSCManagerW", "pointer", ["pointer", "pointer", "uint32"]);
    let manager = open.call(null, null, ALL_ACCESS);
    if (!isHandle(manager)) manager = open.call(null, null, 0x1); // enough to look
    if (!isHandle(manager)) throw this.#failed("OpenSCManager");
    const handle = manager;
    return this.#using(handle, () => work(handle));
  }

  #withService<T>(name: string, work: (handle: Pointer) => T): T {
    return this.#withManager((manager) => {
      const handle = this.#open(manager, name);
      return this.#using(handle, () => work(handle));
    });
  }

  #open(manager: Pointer, name: string): Pointer {
    const handle = this.#function("OpenServiceW", "pointer", ["pointer", "wide", "uint32"]).call(manager, name, SERVICE_ALL_ACCESS);
    if (!isHandle(handle)) throw this.#failed("OpenService");
    return handle;
  }

  #using<T>(handle: Pointer, work: () => T): T {
    try {
      return work();
    } finally {
      this.#function("CloseServiceHandle", "int32", ["pointer"]).call(handle);
    }
  }

  #function(name: string, result: NativeType, args: readonly NativeType[]): NativeFunction {
    return this.#system32.function(ADVAPI, name, result, args);
  }

  #lastError(): number {
    return Number(this.#system32.function("kernel32.dll", "GetLastError", "uint32", []).call());
  }

  /** Throws unless the call that just failed did so with `expected`. */
  #expectError(call: string, expected: number): void {
    const error = this.#lastError();
    if (error !== expected) throw failure(`${call} failed with ${error}`, error);
  }

  #failed(call: string): PluginError {
    const error = this.#lastError();
    return failure(`${call} failed with ${error}`, error);
  }
}

/** As Windows' own parser of command lines takes it apart; paths end in no backslash here. */
function quote(arg: string): string {
  return /[\s"]/.test(arg) ? `"${arg.replaceAll('"', '\\"')}"` : arg;
}

function isHandle(value: unknown): value is Pointer {
  return typeof value === "bigint" && value !== 0n;
}

function failure(message: string, error?: number): PluginError {
  const remedy = error === ACCESS_DENIED ? "run it as an administrator" : "look the error up with `net helpmsg`";
  return new PluginError("IO_FAILURE", { message, remedy });
}
