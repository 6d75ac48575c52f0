import { PluginError } from "../../core/base/errors.ts";
import type { NativeFunction, NativeType } from "../ffi/library.ts";
import type { System32 } from "./system32.ts";
import { encodeWide } from "./wide.ts";

const ADVAPI = "advapi32.dll";
const HKEY_LOCAL_MACHINE = 0xffffffff80000002n;
const REG_EXPAND_SZ = 2;
const REG_DWORD = 4;
const NOT_FOUND = 2;
/**
 * Whose texts the viewer shows: Windows' own program for writing events has "%1" for each id from 1 to 1000. Texts of our own executable would be
 * gone with it, and the event log's service would hold the file open while it is to be replaced.
 */
const MESSAGE_FILE = "%SystemRoot%\\System32\\EventCreate.exe";
/** Event types (winnt.h). */
const TYPES = { error: 1, warning: 2, information: 4 } as const;
const ALL_TYPES = 7;

export interface WindowsEvent {
  readonly kind: keyof typeof TYPES;
  /** 1 to 1000. */
  readonly id: number;
  readonly text: string;
}

function keyOf(source: string): string {
  return `SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\${source}`;
}

/** Lets the event viewer show the source's events in full; to be done again changes nothing. Throws IO_FAILURE. */
export function registerEventSource(system32: System32, source: string): void {
  const set = system32.function(ADVAPI, "RegSetKeyValueW", "uint32", ["pointer", "wide", "wide", "uint32", "bytes", "uint32"]);
  const write = (name: string, type: number, data: Uint8Array): void => {
    const error = Number(set.call(HKEY_LOCAL_MACHINE, keyOf(source), name, type, data, data.length));
    if (error !== 0) throw failure(`RegSetKeyValue failed with ${error} on ${keyOf(source)}`);
  };
  write("EventMessageFile", REG_EXPAND_SZ, encodeWide(MESSAGE_FILE));
  write("TypesSupported", REG_DWORD, new Uint8Array(Uint32Array.of(ALL_TYPES).buffer));
}

/** Events that are there keep their texts, with a remark of the viewer's before them. Throws IO_FAILURE. */
export function removeEventSource(system32: System32, source: string): void {
  const remove = system32.function(ADVAPI, "RegDeleteTreeW", "uint32", ["pointer", "wide"]);
  const error = Number(remove.call(HKEY_LOCAL_MACHINE, keyOf(source)));
  if (error !== 0 && error !== NOT_FOUND) throw failure(`RegDeleteTree failed with ${error} on ${keyOf(source)}`);
}

/** Windows' Application log. The calls run on the thread pool: the service behind them can hang. */
export class WindowsEventLog {
  readonly #system32: System32;
  readonly #source: string;
  #handle: bigint | undefined;

  constructor(system32: System32, source: string) {
    this.#system32 = system32;
    this.#source = source;
  }

  /** Resolves once Windows has the event. Throws IO_FAILURE when it refuses. */
  async write({ kind, id, text }: WindowsEvent): Promise<void> {
    const handle = this.#handle ?? (await this.#open());
    this.#handle = handle;
    const report = this.#function("ReportEventW", "int32", [
      ...(["pointer", "uint32", "uint32", "uint32", "pointer"] as const),
      ...(["uint32", "uint32", "wide list", "pointer"] as const),
    ]);
    const isTaken = await report.callAsync(handle, TYPES[kind], 0, id, null, 1, 0, [text], null);
    if (isTaken !== 0) return;
    this.#handle = undefined; // the service may have been started anew
    throw failure("ReportEvent failed");
  }

  async #open(): Promise<bigint> {
    const handle = await this.#function("RegisterEventSourceW", "pointer", ["pointer", "wide"]).callAsync(null, this.#source);
    if (typeof handle !== "bigint") throw failure("RegisterEventSource failed");
    return handle;
  }

  #function(name: string, result: NativeType, args: readonly NativeType[]): NativeFunction {
    return this.#system32.function(ADVAPI, name, result, args);
  }
}

function failure(message: string): PluginError {
  return new PluginError("IO_FAILURE", { message, remedy: "run it as an administrator; check the service EventLog" });
}
