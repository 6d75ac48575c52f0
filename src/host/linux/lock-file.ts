import { closeSync, openSync } from "node:fs";
import { PluginError } from "../../core/base/errors.ts";
import type { HeldLock, LockKind } from "../exec/agent-lock.ts";
import type { Ffi } from "../ffi/library.ts";

// flock(2)
const LOCK_SHARED = 1;
const LOCK_EXCLUSIVE = 2;
const LOCK_AT_ONCE = 4;

/** A LockFile: the file is made when missing. */
export function lockLinuxFile(ffi: Ffi, path: string, kind: LockKind): HeldLock | undefined {
  const descriptor = openFile(path);
  const flock = ffi.load("libc.so.6").find("flock", "int32", ["int32", "int32"]);
  const mode = (kind === "exclusive" ? LOCK_EXCLUSIVE : LOCK_SHARED) | LOCK_AT_ONCE;
  if (flock?.call(descriptor, mode) === 0) return { release: () => closeSync(descriptor) };
  closeSync(descriptor);
  return undefined;
}

function openFile(path: string): number {
  try {
    return openSync(path, "a", 0o600);
  } catch (thrown) {
    throw new PluginError("IO_FAILURE", { message: `cannot open ${path}`, remedy: "check the folder's permissions" }, { cause: thrown });
  }
}
