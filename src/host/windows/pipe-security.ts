import { PluginError } from "../../core/base/errors.ts";
import type { Ffi, NativeFunction, NativeType, Out, Pointer } from "../ffi/library.ts";
import type { System32 } from "./system32.ts";

/** All for SYSTEM and the administrators, nothing for anybody else, nothing inherited. */
const DESCRIPTOR = "D:P(A;;GA;;;SY)(A;;GA;;;BA)";
const READ_CONTROL_WRITE_DAC = 0x20000 | 0x40000;
const OPEN_EXISTING = 3;
const INVALID_HANDLE = 0xffffffffffffffffn;
const SE_KERNEL_OBJECT = 6;
const DACL = 4;
const DACL_PROTECTED = 0x80000000;
const SDDL_REVISION = 1;
/** What Windows makes of DESCRIPTOR when it is read back: generic rights are mapped to a pipe's own. */
const AS_WANTED = /^D:P?(\(A;;(GA|FA|0x1f01ff);;;(SY|BA)\)){2}$/;

/**
 * Lets only SYSTEM and administrators open the pipe at `path`, which this process serves: Node cannot give a pipe its rights when it makes it,
 * and instances made later take over those of the first. To be called right after the pipe is there. Returns the rights as Windows has them.
 * Throws IO_FAILURE when they are not as wanted then.
 */
export function securePipe(ffi: Ffi, system32: System32, path: string): string {
  return new PipeSecurity(ffi, system32).secure(path);
}

class PipeSecurity {
  readonly #ffi: Ffi;
  readonly #system32: System32;

  constructor(ffi: Ffi, system32: System32) {
    this.#ffi = ffi;
    this.#system32 = system32;
  }

  secure(path: string): string {
    const pipe = this.#open(path);
    try {
      this.#write(pipe);
      const found = this.#read(pipe);
      if (AS_WANTED.test(found)) return found;
      throw failure(path, `its rights are ${found}, wanted ${DESCRIPTOR}`);
    } finally {
      this.#function("kernel32.dll", "CloseHandle", "int32", ["pointer"]).call(pipe);
    }
  }

  #open(path: string): Pointer {
    const args = ["wide", "uint32", "uint32", "pointer", "uint32", "uint32", "pointer"] as const;
    const create = this.#function("kernel32.dll", "CreateFileW", "pointer", args);
    const handle = create.call(path, READ_CONTROL_WRITE_DAC, 0, null, OPEN_EXISTING, 0, null);
    if (typeof handle === "bigint" && handle !== INVALID_HANDLE && handle !== -1n) return handle;
    throw failure(path, `CreateFile failed with ${this.#lastError()}`);
  }

  #write(pipe: Pointer): void {
    const parse = this.#function("advapi32.dll", "ConvertStringSecurityDescriptorToSecurityDescriptorW", "int32", [
      ...(["wide", "uint32", "out pointer", "pointer"] as const),
    ]);
    const descriptor: Out<Pointer> = [null];
    this.#expect(parse.call(DESCRIPTOR, SDDL_REVISION, descriptor, null) !== 0, "ConvertStringSecurityDescriptorToSecurityDescriptor");
    const list: Out<Pointer> = [null];
    const [present, defaulted] = [new Uint8Array(4), new Uint8Array(4)];
    const find = this.#function("advapi32.dll", "GetSecurityDescriptorDacl", "int32", ["pointer", "bytes", "out pointer", "bytes"]);
    this.#expect(find.call(descriptor[0], present, list, defaulted) !== 0, "GetSecurityDescriptorDacl");
    const set = this.#function("advapi32.dll", "SetSecurityInfo", "uint32", [
      ...(["pointer", "uint32", "uint32", "pointer", "pointer", "pointer", "pointer"] as const),
    ]);
    const error = Number(set.call(pipe, SE_KERNEL_OBJECT, (DACL | DACL_PROTECTED) >>> 0, null, null, list[0], null));
    this.#free(descriptor);
    if (error !== 0) throw failure("the pipe", `SetSecurityInfo failed with ${error}`);
  }

  #read(pipe: Pointer): string {
    const get = this.#function("advapi32.dll", "GetSecurityInfo", "uint32", [
      ...(["pointer", "uint32", "uint32", "pointer", "pointer", "pointer", "pointer", "out pointer"] as const),
    ]);
    const descriptor: Out<Pointer> = [null];
    const error = Number(get.call(pipe, SE_KERNEL_OBJECT, DACL, null, null, null, null, descriptor));
    if (error !== 0) throw failure("the pipe", `GetSecurityInfo failed with ${error}`);
    const format = this.#function("advapi32.dll", "ConvertSecurityDescriptorToStringSecurityDescriptorW", "int32", [
      ...(["pointer", "uint32", "uint32", "out pointer", "pointer"] as const),
    ]);
    const text: Out<Pointer> = [null];
    const isFormatted = format.call(descriptor[0], SDDL_REVISION, DACL, text, null) !== 0;
    this.#expect(isFormatted && text[0] !== null, "ConvertSecurityDescriptorToStringSecurityDescriptor");
    const found = text[0] === null ? "" : this.#ffi.readWide(text[0]);
    this.#free(text);
    this.#free(descriptor);
    return found;
  }

  #free([memory]: Out<Pointer>): void {
    this.#function("kernel32.dll", "LocalFree", "pointer", ["pointer"]).call(memory);
  }

  #expect(isDone: boolean, call: string): void {
    if (!isDone) throw failure("the pipe", `${call} failed with ${this.#lastError()}`);
  }

  #function(library: string, name: string, result: NativeType, args: readonly NativeType[]): NativeFunction {
    return this.#system32.function(library, name, result, args);
  }

  #lastError(): number {
    return Number(this.#function("kernel32.dll", "GetLastError", "uint32", []).call());
  }
}

function failure(path: string, why: string): PluginError {
  const remedy = "run the agent as SYSTEM or as an administrator, and see that no other program serves a pipe of this name";
  return new PluginError("IO_FAILURE", { message: `cannot secure ${path}: ${why}`, remedy });
}
