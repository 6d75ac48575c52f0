import { PluginError } from "../../core/base/errors.ts";
import type { HcnLibraries } from "../ffi/hcn-library.ts";
import type { Ffi, NativeFunction, NativeLibrary, NativeType } from "../ffi/library.ts";

const LOAD_LIBRARY_SEARCH_SYSTEM32 = 0x800;
const PATH_CHARACTERS = 260;

/**
 * Libraries of Windows itself, from the system directory alone. The directory is asked of the kernel, never read from the
 * environment, and the loader is told to search nowhere else: a plugin that runs as SYSTEM must not load what somebody put on a path.
 */
export class System32 {
  readonly #ffi: Ffi;
  readonly #kernel32: NativeLibrary;
  readonly #opened = new Map<string, NativeLibrary>();
  #directory: string | undefined;

  constructor(ffi: Ffi) {
    this.#ffi = ffi;
    this.#kernel32 = ffi.load("kernel32.dll"); // a known DLL: Windows maps its own whatever lies beside the program
  }

  /** Throws HNS_UNAVAILABLE when Windows has no such library. */
  load(name: string): NativeLibrary {
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    // Loaded by bare name first, so that what it depends on comes from the system directory too; koffi then finds it loaded.
    this.function("kernel32.dll", "LoadLibraryExW", "pointer", ["wide", "pointer", "uint32"]).call(
      name,
      null,
      LOAD_LIBRARY_SEARCH_SYSTEM32,
    );
    const library = this.#ffi.load(`${this.directory()}\\${name}`);
    this.#opened.set(name, library);
    return library;
  }

  /** Throws IO_FAILURE when this Windows lacks a function that all supported ones have. */
  function(library: string, name: string, result: NativeType, args: readonly NativeType[]): NativeFunction {
    const owner = library === "kernel32.dll" ? this.#kernel32 : this.load(library);
    const found = owner.find(name, result, args);
    if (found !== undefined) return found;
    throw new PluginError("IO_FAILURE", {
      message: `this Windows does not export ${name} from ${library}`,
      remedy: "use Windows Server 2019 or later",
    });
  }

  /** Such as C:\\Windows\\system32. */
  directory(): string {
    if (this.#directory !== undefined) return this.#directory;
    const buffer = new Uint8Array(PATH_CHARACTERS * 2);
    const length = Number(
      this.function("kernel32.dll", "GetSystemDirectoryW", "uint32", ["bytes", "uint32"]).call(buffer, PATH_CHARACTERS),
    );
    this.#directory = new TextDecoder("utf-16le").decode(buffer.subarray(0, length * 2));
    return this.#directory;
  }
}

/** Windows' own HNS. Throws HNS_UNAVAILABLE where the Containers feature is not installed. */
export function openWindowsLibraries(ffi: Ffi, system32: System32): HcnLibraries {
  const free = system32.function("ole32.dll", "CoTaskMemFree", "void", ["pointer"]);
  return { ffi, hcn: system32.load("computenetwork.dll"), hns: system32.load("vmcompute.dll"), free };
}

/** Ends the process now: a thread stuck in HNS would keep an ordinary exit waiting. */
export function endWindowsProcess(system32: System32, code: number): void {
  const current = system32.function("kernel32.dll", "GetCurrentProcess", "pointer", []).call();
  system32.function("kernel32.dll", "TerminateProcess", "int32", ["pointer", "uint32"]).call(current, code);
}
