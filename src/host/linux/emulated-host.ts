import { readFileSync } from "node:fs";
import { PluginError } from "../../core/base/errors.ts";
import { formatIp, type IpAddress } from "../../core/base/ip.ts";
import { HNS_START_AGE_MS, recent } from "../exec/recent.ts";
import type { HcnLibraries } from "../ffi/hcn-library.ts";
import type { NativeFunction, Out, Pointer } from "../ffi/library.ts";

/** What the machine answered: an HRESULT as an unsigned number, and JSON. */
export interface HostAnswer {
  readonly hresult: number;
  readonly answer: unknown;
}

/** The machine that only Windows has, through the library's optional export `HnsEmulatorHost` (UTF-16 JSON in and out). */
export class EmulatedHost {
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

  /** Undefined where the library does not play the machine. Throws HNS_UNAVAILABLE without a library. */
  ask(request: object): HostAnswer | undefined {
    const native = this.#find();
    return native === undefined ? undefined : this.#request(native, request);
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

  #request(native: NativeFunction, request: object): HostAnswer {
    const libraries = this.#libraries();
    const cell: Out<Pointer> = [null];
    const hresult = Number(native.call(JSON.stringify(request), cell)) >>> 0;
    if (cell[0] === null) return { hresult, answer: undefined };
    const text = libraries.ffi.readWide(cell[0]);
    libraries.free.call(cell[0]);
    return { hresult, answer: JSON.parse(text) };
  }
}
