import type { Clock } from "../../core/base/async.ts";
import type { Machine } from "../../core/engine/machine.ts";
import { kubernetesArchitecture } from "../exec/architecture.ts";
import { readHostName } from "../exec/host-name.ts";
import { HNS_START_AGE_MS, recent } from "../exec/recent.ts";
import { monotonicMs, sleep } from "../exec/time.ts";
import type { Ffi } from "../ffi/library.ts";
import { readBootId, readHnsStart } from "./boot.ts";
import { enableForwarding } from "./forwarding.ts";
import { WindowsProcessTable } from "./processes.ts";
import type { System32 } from "./system32.ts";

/** The computer as the Windows build sees it. What costs a call is asked when first needed, and only the run of HNS again. */
export function openWindowsMachine(ffi: Ffi, system32: System32): Machine {
  let bootId: string | undefined;
  const clock: Clock = { now: Date.now, uptime: monotonicMs, bootId: () => (bootId ??= readBootId(system32)), sleep };
  const processes = new WindowsProcessTable(system32, clock);
  return {
    clock,
    processes,
    get nodeName() {
      return readHostName();
    },
    architecture: kubernetesArchitecture(),
    hnsStart: recent(HNS_START_AGE_MS, () => readHnsStart(system32, processes)),
    enableForwarding: (address, waitMs) => enableForwarding({ ffi, iphlpapi: system32.load("iphlpapi.dll"), clock }, address, waitMs),
  };
}
