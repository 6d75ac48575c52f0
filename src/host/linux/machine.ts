import { readFileSync } from "node:fs";
import type { Clock } from "../../core/base/async.ts";
import { PluginError } from "../../core/base/errors.ts";
import { formatIp, type IpAddress } from "../../core/base/ip.ts";
import { processStart, type ProcessTable } from "../../core/engine/lease.ts";
import type { Machine } from "../../core/engine/machine.ts";
import type { LeaseHolder } from "../../core/engine/store.ts";
import { kubernetesArchitecture } from "../exec/architecture.ts";
import { readHostName } from "../exec/host-name.ts";
import { HNS_START_AGE_MS, recent } from "../exec/recent.ts";
import { monotonicMs, sleep } from "../exec/time.ts";
import type { HcnLibraries } from "../ffi/hcn-library.ts";
import type { NativeFunction, Out, Pointer } from "../ffi/library.ts";

/**
 * The computer as the Linux build sees it: its own kernel for processes, and for what only Windows has, the library's optional
 * export `HnsEmulatorHost` (UTF-16 JSON in and out), which tells the emulated boot and sets forwarding.
 */
export function openLinuxMachine(libraries: () => HcnLibraries): Machine {
  const host = new EmulatedHost(libraries);
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

class EmulatedHost {
  readonly #libraries: () => HcnLibraries;
  readonly identity = recent(HNS_START_AGE_MS, () => this.#readIdentity());

  constructor(libraries: () => HcnLibraries) {
    this.#libraries = libraries;
  }

  enableForwarding(address: IpAddress): Promise<"enabled" | "missing"> {
    const native = this.#find();
    if (native === undefined) return Promise.resolve("missing");
    const { hresult } = this.#request(native, { op: "set-forwarding", address: formatIp(address), enabled: true });
    if (hresult < 0x80000000) return Promise.resolve("enabled");
    const message = `forwarding could not be enabled on the interface with ${formatIp(address)}: 0x${hresult.toString(16)}`;
    const data = { message, hresult, remedy: "check that the host endpoint is attached to the host" };
    return Promise.reject(new PluginError("FORWARDING_FAILED", data, { retryable: true }));
  }

  #readIdentity(): { bootId: string; hnsStart: string } {
    const kernel = { bootId: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(), hnsStart: "" };
    const native = this.#tryFind();
    if (native === undefined) return kernel;
    const { hresult, answer } = this.#request(native, { op: "identity" });
    if (hresult >= 0x80000000 || typeof answer !== "object" || answer === null) return kernel;
    const { bootId, hnsStart } = answer as { bootId?: unknown; hnsStart?: unknown };
    return { bootId: typeof bootId === "string" ? bootId : kernel.bootId, hnsStart: typeof hnsStart === "string" ? hnsStart : "" };
  }

  #tryFind(): NativeFunction | undefined {
    try {
      return this.#find();
    } catch (thrown) {
      if (thrown instanceof PluginError && thrown.code === "HNS_UNAVAILABLE") return undefined; // its own call will report it
      throw thrown;
    }
  }

  #find(): NativeFunction | undefined {
    return this.#libraries().hcn.find("HnsEmulatorHost", "int32", ["wide", "out pointer"]);
  }

  #request(native: NativeFunction, request: object): { hresult: number; answer: unknown } {
    const libraries = this.#libraries();
    const cell: Out<Pointer> = [null];
    const hresult = Number(native.call(JSON.stringify(request), cell)) >>> 0;
    if (cell[0] === null) return { hresult, answer: undefined };
    const text = libraries.ffi.readWide(cell[0]);
    libraries.free.call(cell[0]);
    return { hresult, answer: JSON.parse(text) };
  }
}
