import { PluginError } from "../../core/base/errors.ts";
import type { HcnKind } from "../../core/hcn/backend.ts";
import type { Ffi, NativeFunction, NativeLibrary, NativeType, Pointer } from "./library.ts";

/** Where the two libraries and the allocator are. On Linux one library stands for all of them. */
export interface HcnLibraries {
  readonly ffi: Ffi;
  /** computenetwork.dll: the Hcn* functions. */
  readonly hcn: NativeLibrary;
  /** vmcompute.dll: HNSCall. */
  readonly hns: NativeLibrary;
  /** Frees the strings HNS hands out. */
  readonly free: NativeFunction;
}

/** Every prototype: `HRESULT f(...)`. Source: the HCN reference and mingw-w64's computenetwork.h. */
const OPEN: readonly NativeType[] = ["bytes", "out pointer", "out pointer"];
const CREATE: readonly NativeType[] = ["bytes", "wide", "out pointer", "out pointer"];
const TEXT_TO_TEXT: readonly NativeType[] = ["wide", "out pointer", "out pointer"];
const QUERY: readonly NativeType[] = ["pointer", "wide", "out pointer", "out pointer"];
const MODIFY: readonly NativeType[] = ["pointer", "wide", "out pointer"];
const DELETE: readonly NativeType[] = ["bytes", "out pointer"];
const CLOSE: readonly NativeType[] = ["pointer"];
const CREATE_ENDPOINT: readonly NativeType[] = ["pointer", ...CREATE];
const HNS_CALL: readonly NativeType[] = ["wide", "wide", "wide", "out pointer"];

type Verb = "Enumerate" | "Create" | "Open" | "Query" | "Modify" | "Delete" | "Close";

const NAMES: Readonly<Record<HcnKind, string>> = {
  network: "Network",
  endpoint: "Endpoint",
  namespace: "Namespace",
  loadBalancer: "LoadBalancer",
  sdnRoute: "SdnRoute",
};

const PROTOTYPES: Readonly<Record<Verb, readonly NativeType[]>> = {
  Enumerate: TEXT_TO_TEXT,
  Create: CREATE,
  Open: OPEN,
  Query: QUERY,
  Modify: MODIFY,
  Delete: DELETE,
  Close: CLOSE,
};

/** The functions of the libraries, bound when first called: a program that makes eight calls binds eight. */
export class HcnLibrary {
  readonly #libraries: HcnLibraries;
  readonly #bound = new Map<string, NativeFunction>();

  constructor(libraries: HcnLibraries) {
    this.#libraries = libraries;
  }

  /** Throws HNS_UNAVAILABLE when this Windows does not export the function. */
  function(verb: Verb, kind: HcnKind): NativeFunction {
    const suffix = verb === "Enumerate" ? "s" : verb === "Query" ? "Properties" : "";
    const args = verb === "Create" && kind === "endpoint" ? CREATE_ENDPOINT : PROTOTYPES[verb];
    return this.#bind(this.#libraries.hcn, `Hcn${verb}${NAMES[kind]}${suffix}`, args);
  }

  hnsCall(): NativeFunction {
    return this.#bind(this.#libraries.hns, "HNSCall", HNS_CALL);
  }

  /** The text at `pointer`, whose memory is freed; undefined for a null pointer. */
  takeText(pointer: Pointer | null): string | undefined {
    if (pointer === null) return undefined;
    const text = this.#libraries.ffi.readWide(pointer);
    this.#libraries.free.call(pointer);
    return text;
  }

  #bind(library: NativeLibrary, name: string, args: readonly NativeType[]): NativeFunction {
    const known = this.#bound.get(name);
    if (known !== undefined) return known;
    const found = library.find(name, "int32", args);
    if (found === undefined) {
      throw new PluginError("HNS_UNAVAILABLE", {
        message: `this Windows does not export ${name}`,
        remedy: "use Windows Server 2019 or later",
      });
    }
    this.#bound.set(name, found);
    return found;
  }
}
