import type { Ffi, Pointer } from "../ffi/library.ts";
import type { System32 } from "./system32.ts";
import { encodeWide } from "./wide.ts";

const ADVAPI = "advapi32.dll";

/** SERVICE_STATUS (winsvc.h). */
const STATUS_WORDS = 7;
const OWN_PROCESS = 0x10;
const STATES = { stopped: 1, starting: 2, stopping: 3, running: 4 } as const;
const ACCEPT_STOP_SHUTDOWN_PRESHUTDOWN = 0x1 | 0x4 | 0x100;
const CONTROLS: Readonly<Record<number, "stop" | "interrogate">> = { 1: "stop", 4: "interrogate", 5: "stop", 15: "stop" };
const NO_ERROR = 0;
const ERROR_CALL_NOT_IMPLEMENTED = 120;
const ERROR_SERVICE_SPECIFIC = 1066;

/** The service manager gives up on a state that lasts longer without a word, milliseconds. */
const PENDING_HINT_MS = 30_000;
const PENDING_TICK_MS = 5_000;

export interface ServiceProgram {
  readonly name: string;
  /** Rejects when the service cannot run. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Runs `program` under Windows' service manager: resolves with true when it has ended there, or with false, having started nothing, when the
 * process was not started by the service manager. Stop, shutdown and preshutdown end it.
 */
export async function runAsService(ffi: Ffi, system32: System32, program: ServiceProgram): Promise<boolean> {
  const service = new Service(ffi, system32, program);
  return service.run();
}

class Service {
  readonly #ffi: Ffi;
  readonly #system32: System32;
  readonly #program: ServiceProgram;
  readonly #name: Pointer;
  #handle: unknown;
  #state: keyof typeof STATES = "starting";
  #exitCode = 0;
  #checkPoint = 0;
  #tick: NodeJS.Timeout | undefined;

  constructor(ffi: Ffi, system32: System32, program: ServiceProgram) {
    this.#ffi = ffi;
    this.#system32 = system32;
    this.#program = program;
    this.#name = ffi.allocate(encodeWide(program.name));
  }

  /** The dispatcher keeps its thread until the service has stopped, and returns at once where no service manager waits for us. */
  async run(): Promise<boolean> {
    const main = this.#ffi.callback("void", ["uint32", "pointer"], () => this.#main());
    const table = new Uint8Array(32); // two SERVICE_TABLE_ENTRYW, the second empty
    const view = new DataView(table.buffer);
    view.setBigUint64(0, this.#name, true);
    view.setBigUint64(8, main, true);
    const dispatch = this.#system32.function(ADVAPI, "StartServiceCtrlDispatcherW", "int32", ["pointer"]);
    const ended = await dispatch.callAsync(this.#ffi.allocate(table));
    clearInterval(this.#tick);
    return ended !== 0;
  }

  /** ServiceMain: runs on the event loop and returns soon; the manager then waits for the status that is reported. */
  #main(): void {
    const handler = this.#ffi.callback("uint32", ["uint32", "uint32", "pointer", "pointer"], (control) => this.#control(Number(control)));
    const register = this.#system32.function(ADVAPI, "RegisterServiceCtrlHandlerExW", "pointer", ["pointer", "pointer", "pointer"]);
    this.#handle = register.call(this.#name, handler, null);
    this.#enter("starting");
    this.#program.start().then(
      () => this.#enter("running"),
      () => this.#stopped(1),
    );
  }

  #control(control: number): number {
    const meaning = CONTROLS[control];
    if (meaning === "stop" && this.#state === "running") this.#stop();
    return meaning === undefined ? ERROR_CALL_NOT_IMPLEMENTED : NO_ERROR;
  }

  #stop(): void {
    this.#enter("stopping");
    this.#program.stop().then(
      () => this.#stopped(0),
      () => this.#stopped(1),
    );
  }

  #stopped(exitCode: number): void {
    this.#exitCode = exitCode;
    this.#enter("stopped");
  }

  /** States that last are reported again and again with a higher check point: the manager then knows that there is progress. */
  #enter(state: keyof typeof STATES): void {
    this.#state = state;
    this.#checkPoint = 0;
    clearInterval(this.#tick);
    if (state === "starting" || state === "stopping") this.#tick = setInterval(() => this.#report(), PENDING_TICK_MS);
    this.#report();
  }

  #report(): void {
    const isPending = this.#state === "starting" || this.#state === "stopping";
    const failed = this.#exitCode === 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC;
    const words = new Uint32Array(STATUS_WORDS);
    words.set([OWN_PROCESS, STATES[this.#state], this.#state === "running" ? ACCEPT_STOP_SHUTDOWN_PRESHUTDOWN : 0, failed, this.#exitCode]);
    words.set([isPending ? ++this.#checkPoint : 0, isPending ? PENDING_HINT_MS : 0], 5);
    const set = this.#system32.function(ADVAPI, "SetServiceStatus", "int32", ["pointer", "bytes"]);
    set.call(this.#handle, new Uint8Array(words.buffer));
  }
}
