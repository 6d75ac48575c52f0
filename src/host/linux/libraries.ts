import { PluginError } from "../../core/base/errors.ts";
import type { HcnLibraries } from "../ffi/hcn-library.ts";
import type { Ffi, NativeFunction, NativeLibrary } from "../ffi/library.ts";

const REMEDY = "set HNS_CNI_HCN_LIBRARY to the emulator's libcomputenetwork.so";

/**
 * The library that stands for HNS on Linux: computenetwork, vmcompute and the allocator in one file.
 * Throws HNS_UNAVAILABLE when `path` is not given or cannot be loaded. Strings are freed by CoTaskMemFree, or by free where it is missing.
 */
export function openLinuxLibraries(ffi: Ffi, path: string | undefined): HcnLibraries {
  if (path === undefined || path === "") {
    const message = "there is no Host Networking Service on Linux, and HNS_CNI_HCN_LIBRARY names no library that stands for it";
    throw new PluginError("HNS_UNAVAILABLE", { message, remedy: REMEDY });
  }
  const library = load(ffi, path);
  const free = library.find("CoTaskMemFree", "void", ["pointer"]) ?? getFree(ffi);
  return { ffi, hcn: library, hns: library, free };
}

/** Ends the process now: a thread stuck in a foreign call would keep an ordinary exit waiting. */
export function endLinuxProcess(ffi: Ffi, code: number): void {
  ffi.load("libc.so.6").find("_exit", "void", ["int32"])?.call(code);
}

/** The loader's own remedy is one for Windows. */
function load(ffi: Ffi, path: string): NativeLibrary {
  try {
    return ffi.load(path);
  } catch (thrown) {
    if (!(thrown instanceof PluginError)) throw thrown;
    throw new PluginError(thrown.code, { ...thrown.data, remedy: REMEDY }, { cause: thrown.cause, retryable: thrown.retryable });
  }
}

function getFree(ffi: Ffi): NativeFunction {
  const free = ffi.load("libc.so.6").find("free", "void", ["pointer"]);
  if (free === undefined)
    throw new PluginError("IO_FAILURE", { message: "the C library exports no free", remedy: "use a system with glibc" });
  return free;
}
