import type { Clock } from "../../core/base/async.ts";
import { processStart, type ProcessTable } from "../../core/engine/lease.ts";
import type { LeaseHolder } from "../../core/engine/store.ts";
import type { System32 } from "./system32.ts";

const PROCESS_QUERY_LIMITED_INFORMATION = 0x1000;
const ERROR_INVALID_PARAMETER = 87;
const STILL_ACTIVE = 259;
const FILETIME_BYTES = 8;

/** Processes by pid and creation time. */
export class WindowsProcessTable implements ProcessTable {
  readonly #system32: System32;
  readonly #clock: Clock;
  #self: LeaseHolder | undefined;

  constructor(system32: System32, clock: Clock) {
    this.#system32 = system32;
    this.#clock = clock;
  }

  self(): LeaseHolder {
    this.#self ??= { pid: process.pid, startedAt: this.startTime(process.pid) ?? "", bootId: this.#clock.bootId() };
    return this.#self;
  }

  isAlive(holder: LeaseHolder): boolean {
    const startedAt = this.startTime(holder.pid);
    return startedAt === "unknown" || startedAt === processStart(holder);
  }

  /** Creation time in 100 ns since 1601 as text; "unknown" when Windows will not tell; undefined when there is no such process. */
  startTime(pid: number): string | undefined {
    const open = this.#system32.function("kernel32.dll", "OpenProcess", "pointer", ["uint32", "int32", "uint32"]);
    const handle = open.call(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid);
    if (typeof handle !== "bigint") return this.#lastError() === ERROR_INVALID_PARAMETER ? undefined : "unknown";
    try {
      return this.#readStartTime(handle);
    } finally {
      this.#system32.function("kernel32.dll", "CloseHandle", "int32", ["pointer"]).call(handle);
    }
  }

  #readStartTime(handle: bigint): string | undefined {
    const exitCode: [number | null] = [null];
    this.#system32.function("kernel32.dll", "GetExitCodeProcess", "int32", ["pointer", "out uint32"]).call(handle, exitCode);
    if (exitCode[0] !== null && exitCode[0] !== STILL_ACTIVE) return undefined;
    const times = new Uint8Array(4 * FILETIME_BYTES);
    const cells = [0, 1, 2, 3].map((index) => times.subarray(index * FILETIME_BYTES, (index + 1) * FILETIME_BYTES));
    const args = ["pointer", "bytes", "bytes", "bytes", "bytes"] as const;
    const ok = this.#system32.function("kernel32.dll", "GetProcessTimes", "int32", args).call(handle, ...cells);
    return ok === 0 ? "unknown" : new DataView(times.buffer).getBigUint64(0, true).toString();
  }

  #lastError(): number {
    return Number(this.#system32.function("kernel32.dll", "GetLastError", "uint32", []).call());
  }
}
