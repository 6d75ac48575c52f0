import { readFileSync } from "node:fs";
import type { Clock } from "../../core/base/async.ts";
import { processStart, type ProcessTable } from "../../core/engine/lease.ts";
import type { Machine } from "../../core/engine/machine.ts";
import type { LeaseHolder } from "../../core/engine/store.ts";
import { kubernetesArchitecture } from "../exec/architecture.ts";
import { readHostName } from "../exec/host-name.ts";
import { monotonicMs, sleep } from "../exec/time.ts";
import type { HcnLibraries } from "../ffi/hcn-library.ts";
import { EmulatedHost } from "./emulated-host.ts";

/**
 * The computer as the Linux build sees it: its own kernel for processes, and for what only Windows has, the library's optional
 * export `HnsEmulatorHost` (UTF-16 JSON in and out), which tells the emulated boot and sets forwarding.
 */
export function openLinuxMachine(libraries: () => HcnLibraries, host = new EmulatedHost(libraries)): Machine {
  let bootId: string | undefined;
  const clock: Clock = { now: Date.now, uptime: monotonicMs, bootId: () => (bootId ??= host.identity().bootId), sleep };
  return {
    clock,
    processes: new LinuxProcessTable(clock),
    get nodeName() {
      return readHostName();
    },
    architecture: kubernetesArchitecture(),
    hnsStart: () => host.identity().hnsStart,
    enableForwarding: (address) => host.enableForwarding(address),
  };
}

class LinuxProcessTable implements ProcessTable {
  readonly #clock: Clock;
  #self: LeaseHolder | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  self(): LeaseHolder {
    this.#self ??= { pid: process.pid, startedAt: readStartTime(process.pid) ?? "", bootId: this.#clock.bootId() };
    return this.#self;
  }

  isAlive(holder: LeaseHolder): boolean {
    return readStartTime(holder.pid) === processStart(holder);
  }
}

/** Clock ticks from boot to the start of the process (proc(5), field 22), undefined when it is gone or a zombie. */
function readStartTime(pid: number): string | undefined {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" "); // the name before it may hold spaces and brackets
  return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
}
