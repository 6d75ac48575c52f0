import { toNamespacedPath } from "node:path";
import { PluginError } from "../../core/base/errors.ts";

/**
 * C types of the functions we call. `guid` is a pointer to 16 bytes, `wide` NUL-terminated UTF-16 in, `wide list` an array of such texts, the `out`
 * ones point to one value.
 */
export type NativeType = "int32" | "uint32" | "uint64" | "pointer" | "wide" | "wide list" | "out pointer" | "out uint32" | "bytes" | "void";

/** A handle or address of the foreign side; bigint because handles can be above 2^53. */
export type Pointer = bigint;

/** One cell that a function writes to: `[null]` before, the value after. */
export type Out<T> = [T | null];

export interface NativeFunction {
  call(...args: unknown[]): unknown;
  /** Runs the call on a thread of the pool; the event loop lives on even when it never returns. */
  callAsync(...args: unknown[]): Promise<unknown>;
}

export interface NativeLibrary {
  /** The function, or undefined when the library does not export it. */
  find(name: string, result: NativeType, args: readonly NativeType[]): NativeFunction | undefined;
}

/** Foreign functions as the rest of the product sees them. koffi stands behind it; nothing else knows that. */
export interface Ffi {
  /** Throws HNS_UNAVAILABLE when the library cannot be loaded. */
  load(path: string): NativeLibrary;
  /** The UTF-16 text at `pointer`. */
  readWide(pointer: Pointer): string;
  /** A copy of `length` bytes of foreign memory. */
  readBytes(pointer: Pointer, length: number): Uint8Array;
  /** Memory with a copy of `content` that stays until the process ends. */
  allocate(content: Uint8Array): Pointer;
  /**
   * A function pointer, good until the process ends, that foreign threads may call too: they wait while `run` has its turn on the event
   * loop. What it throws is lost.
   */
  callback(result: NativeType, args: readonly NativeType[], run: (...args: unknown[]) => unknown): Pointer;
}

type KoffiType = object;
type KoffiFunction = ((...args: unknown[]) => unknown) & { async: (...args: unknown[]) => void };

/** What we use of koffi's native module; loading it directly costs a tenth of going through its JavaScript entry. */
interface Koffi {
  config(settings: { resident_async_pools: number; max_async_calls: number }): unknown;
  load(path: string): { func(name: string, result: string | KoffiType, args: (string | KoffiType)[]): KoffiFunction };
  pointer(type: string | KoffiType): KoffiType;
  out(type: KoffiType): KoffiType;
  decode(pointer: Pointer, type: string, length: number): unknown;
  view(pointer: Pointer, length: number): ArrayBuffer;
  alloc(type: string, length: number): Pointer;
  proto(result: string | KoffiType, args: (string | KoffiType)[]): KoffiType;
  register(run: (...args: unknown[]) => unknown, type: KoffiType): Pointer;
}

/** Most that koffi takes. */
const KOFFI_LIMITS = { memories: 32, calls: 4096 };

/**
 * Loads koffi's native module from `koffiPath`. Throws IO_FAILURE when the file is missing or of another platform. `parallel` is how many calls are made
 * at a time, where they are many: koffi then keeps the memory of each for the next, and asks the system for none.
 */
export function openFfi(koffiPath: string, parallel?: number): Ffi {
  const koffi = requireKoffi(koffiPath);
  if (parallel !== undefined)
    koffi.config({ resident_async_pools: Math.min(parallel, KOFFI_LIMITS.memories), max_async_calls: KOFFI_LIMITS.calls });
  return {
    load: (path) => loadLibrary(koffi, path),
    readWide: (pointer) => String(koffi.decode(pointer, "char16_t", -1)),
    readBytes: (pointer, length) => new Uint8Array(koffi.view(pointer, length)).slice(),
    allocate: (content) => allocate(koffi, content),
    callback: (result, args, run) => {
      const prototype = koffi.proto(
        toKoffi(koffi, result),
        args.map((type) => toKoffi(koffi, type)),
      );
      return koffi.register(run, koffi.pointer(prototype));
    },
  };
}

function allocate(koffi: Koffi, content: Uint8Array): Pointer {
  const pointer = koffi.alloc("uint8_t", content.length);
  new Uint8Array(koffi.view(pointer, content.length)).set(content);
  return pointer;
}

function requireKoffi(path: string): Koffi {
  try {
    const module = { exports: {} };
    // What require does with such a file in the end, without loading the machinery that finds modules.
    process.dlopen(module, toNamespacedPath(path));
    return module.exports as Koffi;
  } catch (thrown) {
    const data = {
      message: `cannot load the FFI module ${path}: ${reasonOf(thrown)}`,
      remedy: "put koffi.node of this release beside the program",
    };
    throw new PluginError("IO_FAILURE", data, { cause: thrown });
  }
}

function loadLibrary(koffi: Koffi, path: string): NativeLibrary {
  const library = openLibrary(koffi, path);
  return {
    find: (name, result, args) => {
      let native: KoffiFunction;
      try {
        native = library.func(
          name,
          toKoffi(koffi, result),
          args.map((type) => toKoffi(koffi, type)),
        );
      } catch {
        return undefined; // koffi has one reason to throw here: the export is missing
      }
      return { call: (...values) => native(...values), callAsync: (...values) => callAsync(native, values) };
    },
  };
}

function openLibrary(koffi: Koffi, path: string): ReturnType<Koffi["load"]> {
  try {
    return koffi.load(path);
  } catch (thrown) {
    const data = {
      message: `cannot load ${path}: ${reasonOf(thrown)}`,
      remedy: "install the Windows feature Containers (it brings the Host Networking Service)",
    };
    throw new PluginError("HNS_UNAVAILABLE", data, { cause: thrown, retryable: true });
  }
}

function callAsync(native: KoffiFunction, values: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    native.async(...values, (error: Error | null, result: unknown) => {
      if (error === null) resolve(result);
      else reject(error);
    });
  });
}

/** koffi's names of the types that it has itself. */
const PLAIN: Readonly<Record<Exclude<NativeType, `out ${string}` | "wide list">, string>> = {
  int32: "int32_t",
  uint32: "uint32_t",
  uint64: "uint64_t",
  wide: "str16",
  pointer: "void *",
  bytes: "void *",
  void: "void",
};

function toKoffi(koffi: Koffi, type: NativeType): string | KoffiType {
  switch (type) {
    case "wide list":
      return koffi.pointer("str16");
    case "out pointer":
      return koffi.out(koffi.pointer("void *"));
    case "out uint32":
      return koffi.out(koffi.pointer("uint32_t"));
    default:
      return PLAIN[type];
  }
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
