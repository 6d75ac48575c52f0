import { PluginError } from "../../core/base/errors.ts";
import type { HeldLock, LockKind } from "../exec/agent-lock.ts";
import type { System32 } from "./system32.ts";

const GENERIC_READ_WRITE = 0xc0000000;
const FILE_SHARE_ALL = 0x7;
const OPEN_ALWAYS = 4;
const FILE_ATTRIBUTE_NORMAL = 0x80;
const INVALID_HANDLE = 0xffffffffffffffffn;
// LockFileEx
const FAIL_IMMEDIATELY = 1;
const EXCLUSIVE_LOCK = 2;
const ERROR_LOCK_VIOLATION = 33;
const OVERLAPPED_BYTES = 32;

/** A LockFile, by a lock on the first byte: the file is made when missing. */
export function lockWindowsFile(system32: System32, path: string, kind: LockKind): HeldLock | undefined {
  const handle = openFile(system32, path);
  const lock = system32.function("kernel32.dll", "LockFileEx", "int32", ["pointer", "uint32", "uint32", "uint32", "uint32", "bytes"]);
  const flags = FAIL_IMMEDIATELY | (kind === "exclusive" ? EXCLUSIVE_LOCK : 0);
  if (lock.call(handle, flags, 0, 1, 0, new Uint8Array(OVERLAPPED_BYTES)) !== 0) return { release: () => close(system32, handle) };
  const error = lastError(system32);
  close(system32, handle);
  if (error === ERROR_LOCK_VIOLATION) return undefined;
  throw unusable(path, `LockFileEx failed with ${error}`);
}

function openFile(system32: System32, path: string): bigint {
  const args = ["wide", "uint32", "uint32", "pointer", "uint32", "uint32", "pointer"] as const;
  const create = system32.function("kernel32.dll", "CreateFileW", "pointer", args);
  const handle = create.call(path, GENERIC_READ_WRITE, FILE_SHARE_ALL, null, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, null);
  if (typeof handle === "bigint" && handle !== INVALID_HANDLE && handle !== -1n) return handle;
  throw unusable(path, `CreateFile failed with ${lastError(system32)}`);
}

function close(system32: System32, handle: bigint): void {
  system32.function("kernel32.dll", "CloseHandle", "int32", ["pointer"]).call(handle);
}

function lastError(system32: System32): number {
  return Number(system32.function("kernel32.dll", "GetLastError", "uint32", []).call());
}

function unusable(path: string, why: string): PluginError {
  return new PluginError("IO_FAILURE", { message: `cannot lock ${path}: ${why}`, remedy: "check the folder's permissions" });
}
