import type { System32 } from "./system32.ts";
import type { WindowsProcessTable } from "./processes.ts";

const HKEY_LOCAL_MACHINE = 0x80000002n;
const RRF_RT_REG_DWORD = 0x10;
const BOOT_ID_KEY = "SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters";
const SYSTEM_TIME_OF_DAY_INFORMATION = 3;
/**
 * Four arguments and room for two more: the export is a bare system call, and Wine 10 reads six arguments of every one. koffi calls on a
 * stack of its own that ends right after what is passed; without the room that read faults there, and Wine's unwinder never returns.
 */
const SYSTEM_CALL_ARGUMENTS = ["uint32", "bytes", "uint32", "bytes", "uint64", "uint64"] as const;
const SC_MANAGER_CONNECT = 1;
const SERVICE_QUERY_STATUS = 4;
const SC_STATUS_PROCESS_INFO = 0;
/** Size of SERVICE_STATUS_PROCESS, and where dwProcessId stands in it. */
const STATUS_BYTES = 36;
const STATUS_PID_OFFSET = 28;

/**
 * A name for this boot: the counter that Windows raises at every start, else the time of the start.
 * Source: the BootId value of PrefetchParameters; SystemTimeOfDayInformation of NtQuerySystemInformation (BootTime first).
 */
export function readBootId(system32: System32): string {
  const value = new Uint8Array(4);
  const size = Uint32Array.of(value.length);
  const args = ["pointer", "wide", "wide", "uint32", "bytes", "bytes", "bytes"] as const;
  const get = system32.function("advapi32.dll", "RegGetValueW", "int32", args);
  if (get.call(HKEY_LOCAL_MACHINE, BOOT_ID_KEY, "BootId", RRF_RT_REG_DWORD, null, value, size) === 0) {
    return `boot-${new DataView(value.buffer).getUint32(0, true)}`;
  }
  const times = new Uint8Array(48);
  const query = system32.function("ntdll.dll", "NtQuerySystemInformation", "int32", SYSTEM_CALL_ARGUMENTS);
  query.call(SYSTEM_TIME_OF_DAY_INFORMATION, times, times.length, null, 0, 0);
  return `time-${new DataView(times.buffer).getBigUint64(0, true)}`;
}

/** Names the running hns service by pid and start time; "" when the service or its process cannot be asked. */
export function readHnsStart(system32: System32, processes: WindowsProcessTable): string {
  const close = system32.function("advapi32.dll", "CloseServiceHandle", "int32", ["pointer"]);
  const manager = system32
    .function("advapi32.dll", "OpenSCManagerW", "pointer", ["wide", "wide", "uint32"])
    .call(null, null, SC_MANAGER_CONNECT);
  if (typeof manager !== "bigint") return "";
  const service = system32
    .function("advapi32.dll", "OpenServiceW", "pointer", ["pointer", "wide", "uint32"])
    .call(manager, "hns", SERVICE_QUERY_STATUS);
  const pid = typeof service === "bigint" ? readServicePid(system32, service) : 0;
  if (typeof service === "bigint") close.call(service);
  close.call(manager);
  const startedAt = pid === 0 ? undefined : processes.startTime(pid);
  return startedAt === undefined ? "" : `${pid}-${startedAt}`;
}

function readServicePid(system32: System32, service: bigint): number {
  const status = new Uint8Array(STATUS_BYTES);
  const args = ["pointer", "uint32", "bytes", "uint32", "bytes"] as const;
  const query = system32.function("advapi32.dll", "QueryServiceStatusEx", "int32", args);
  const ok = query.call(service, SC_STATUS_PROCESS_INFO, status, STATUS_BYTES, new Uint8Array(4));
  return ok === 0 ? 0 : new DataView(status.buffer).getUint32(STATUS_PID_OFFSET, true);
}
