import koffi, { type LibraryHandle } from "koffi";
import { findGuid, guidToBytes } from "../../../src/core/base/ids.ts";

/** What an export gave: its HRESULT as an unsigned number, and its out arguments. */
export interface NativeResult {
  readonly hresult: number;
  readonly handle: bigint;
  readonly output: string | null;
  readonly error: string | null;
}

export interface Received {
  readonly type: number;
  readonly data: string | null;
}

type Out = [unknown];
type NativeFunction = ReturnType<LibraryHandle["func"]>;

/** The exports of the emulator's library as C calls, each on a thread of its own: for tests of the library itself. */
export class NativeHns {
  readonly #library: LibraryHandle;
  readonly #functions = new Map<string, NativeFunction>();
  readonly #free: NativeFunction;
  readonly #setenv: NativeFunction;

  constructor(path: string) {
    this.#library = koffi.load(path);
    this.#free = this.#library.func("void CoTaskMemFree(void *memory)");
    this.#setenv = koffi.load("libc.so.6").func("int setenv(str name, str value, int overwrite)");
  }

  /** The library reads the real environment, which a test's process.env is only a copy of. */
  useAddress(address: string): void {
    this.#setenv("HNS_EMULATOR_ADDRESS", address, 1);
  }

  async enumerate(kind: string, query: string | null): Promise<NativeResult> {
    return await this.#call(`HcnEnumerate${kind}`, "str16, _Out_ void **, _Out_ void **", [query], "text");
  }

  async create(kind: string, id: string | null, settings: string | null): Promise<NativeResult> {
    return await this.#call(`HcnCreate${kind}`, "void *, str16, _Out_ void **, _Out_ void **", [bytes(id), settings], "handle");
  }

  async createEndpoint(network: bigint, id: string, settings: string): Promise<NativeResult> {
    return await this.#call(
      "HcnCreateEndpoint",
      "void *, void *, str16, _Out_ void **, _Out_ void **",
      [network, bytes(id), settings],
      "handle",
    );
  }

  async open(kind: string, id: string): Promise<NativeResult> {
    return await this.#call(`HcnOpen${kind}`, "void *, _Out_ void **, _Out_ void **", [bytes(id)], "handle");
  }

  async query(kind: string, handle: bigint, query: string | null): Promise<NativeResult> {
    return await this.#call(`HcnQuery${kind}Properties`, "void *, str16, _Out_ void **, _Out_ void **", [handle, query], "text");
  }

  async modify(kind: string, handle: bigint, settings: string): Promise<NativeResult> {
    return await this.#call(`HcnModify${kind}`, "void *, str16, _Out_ void **", [handle, settings], "none");
  }

  async remove(kind: string, id: string): Promise<NativeResult> {
    return await this.#call(`HcnDelete${kind}`, "void *, _Out_ void **", [bytes(id)], "none");
  }

  async close(kind: string, handle: bigint): Promise<number> {
    const close = this.#function(`HcnClose${kind}`, "void *");
    return unsigned(await callAsync(close, [handle]));
  }

  async hnsCall(method: string, path: string, body: string): Promise<NativeResult> {
    return await this.#callPlain("HNSCall", "str16, str16, str16, _Out_ void **", [method, path, body]);
  }

  async host(request: object): Promise<NativeResult> {
    return await this.#callPlain("HnsEmulatorHost", "str16, _Out_ void **", [JSON.stringify(request)]);
  }

  /** Registers a callback that collects; `next` settles at the next notification. */
  registerCallback(): { received: Received[]; handle: bigint; next(): Promise<void> } {
    const received: Received[] = [];
    let wake: () => void = () => undefined;
    const type = koffi.pointer(koffi.proto("void (uint32_t type, void *context, int32_t status, str16 data)"));
    const callback = koffi.register((kind: number, _context: unknown, _status: number, data: string | null) => {
      received.push({ type: kind, data });
      wake();
    }, type);
    const handle: Out = [null];
    const register = this.#library.func("HcnRegisterServiceCallback", "int32_t", [type, "void *", koffi.out(koffi.pointer("void *"))]);
    expect(unsigned(register(callback, null, handle))).toBe(0);
    return { received, handle: koffi.address(handle[0]), next: () => new Promise((resolve) => (wake = resolve)) };
  }

  async unregisterCallback(handle: bigint): Promise<number> {
    return unsigned(await callAsync(this.#function("HcnUnregisterServiceCallback", "void *"), [handle]));
  }

  async #call(name: string, signature: string, args: unknown[], out: "text" | "handle" | "none"): Promise<NativeResult> {
    const first: Out = [null];
    const error: Out = [null];
    const outs = out === "none" ? [error] : [first, error];
    const hresult = unsigned(await callAsync(this.#function(name, signature), [...args, ...outs]));
    return {
      hresult,
      handle: out === "handle" && first[0] !== null ? koffi.address(first[0]) : 0n,
      output: out === "text" ? this.#take(first[0]) : null,
      error: this.#take(error[0]),
    };
  }

  async #callPlain(name: string, signature: string, args: unknown[]): Promise<NativeResult> {
    const output: Out = [null];
    const hresult = unsigned(await callAsync(this.#function(name, signature), [...args, output]));
    return { hresult, handle: 0n, output: this.#take(output[0]), error: null };
  }

  #function(name: string, signature: string): NativeFunction {
    const known = this.#functions.get(name) ?? this.#library.func(`int32_t ${name}(${signature})`);
    this.#functions.set(name, known);
    return known;
  }

  #take(pointer: unknown): string | null {
    if (pointer === null) return null;
    const text: unknown = koffi.decode(pointer, "char16_t", -1);
    this.#free(pointer);
    return typeof text === "string" ? text : null;
  }
}

function callAsync(target: NativeFunction, args: unknown[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    target.async(...args, (error: Error | null, value: unknown) => (error === null ? resolve(value) : reject(error)));
  });
}

function bytes(id: string | null): Uint8Array | null {
  const guid = id === null ? undefined : findGuid(id);
  return guid === undefined ? null : guidToBytes(guid);
}

function unsigned(value: unknown): number {
  return Number(value) >>> 0;
}
