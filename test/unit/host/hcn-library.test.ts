import { PluginError } from "../../../src/core/base/errors.ts";
import { HcnLibrary } from "../../../src/host/ffi/hcn-library.ts";
import { FfiHcnBackend } from "../../../src/host/ffi/hcn-backend.ts";
import type { NativeFunction, NativeLibrary, NativeType } from "../../../src/host/ffi/library.ts";
import { ZERO_GUID } from "../../../src/core/base/ids.ts";
import { containing, errorWith } from "../../support/matchers.ts";

interface Bound {
  readonly name: string;
  readonly args: readonly NativeType[];
}

/** A library with only the exports of `names`, which notes what is bound. A function does nothing and answers `hresult`. */
class NamedLibrary implements NativeLibrary {
  readonly bound: Bound[] = [];
  readonly #names: readonly string[];
  readonly #hresult: number;

  constructor(names: readonly string[], hresult = 0) {
    this.#names = names;
    this.#hresult = hresult;
  }

  find(name: string, _result: NativeType, args: readonly NativeType[]): NativeFunction | undefined {
    this.bound.push({ name, args });
    if (!this.#names.includes(name)) return undefined;
    return { call: () => this.#hresult, callAsync: () => Promise.resolve(this.#hresult) };
  }
}

function open(hcn: NativeLibrary, hns: NativeLibrary = new NamedLibrary([])): HcnLibrary {
  const ffi = { load: () => hcn, readWide: () => "", readBytes: () => new Uint8Array(), allocate: () => 0n, callback: () => 0n };
  return new HcnLibrary({ ffi, hcn, hns, free: { call: () => undefined, callAsync: () => Promise.resolve(undefined) } });
}

describe("the functions of the HCN library", () => {
  test("an export that this Windows lacks is HNS_UNAVAILABLE, naming it, when it is asked for and not before", () => {
    const library = open(new NamedLibrary(["HcnOpenNetwork"]));
    library.function("Open", "network");
    const lacking = errorWith({ code: "HNS_UNAVAILABLE", message: containing("HcnOpenSdnRoute") });
    expect(() => library.function("Open", "sdnRoute")).toThrow(lacking);
    expect(() => library.hnsCall()).toThrow(errorWith({ code: "HNS_UNAVAILABLE", message: containing("HNSCall") }));
  });

  test("are bound once each", () => {
    const native = new NamedLibrary(["HcnOpenNetwork"]);
    const library = open(native);
    expect(library.function("Open", "network")).toBe(library.function("Open", "network"));
    expect(native.bound).toHaveLength(1);
  });

  // Source: the prototypes of the HCN reference (computenetwork.h): an endpoint's creation takes its network's handle first.
  test.each([
    ["Enumerate", "network", "HcnEnumerateNetworks", ["wide", "out pointer", "out pointer"]],
    ["Create", "network", "HcnCreateNetwork", ["bytes", "wide", "out pointer", "out pointer"]],
    ["Create", "endpoint", "HcnCreateEndpoint", ["pointer", "bytes", "wide", "out pointer", "out pointer"]],
    ["Open", "namespace", "HcnOpenNamespace", ["bytes", "out pointer", "out pointer"]],
    ["Query", "endpoint", "HcnQueryEndpointProperties", ["pointer", "wide", "out pointer", "out pointer"]],
    ["Modify", "namespace", "HcnModifyNamespace", ["pointer", "wide", "out pointer"]],
    ["Delete", "loadBalancer", "HcnDeleteLoadBalancer", ["bytes", "out pointer"]],
    ["Close", "sdnRoute", "HcnCloseSdnRoute", ["pointer"]],
  ] as const)("%s %s is %s", (verb, kind, name, args) => {
    const native = new NamedLibrary([name]);
    open(native).function(verb, kind);
    expect(native.bound).toEqual([{ name, args }]);
  });
});

describe("an answer that is none", () => {
  const options = { deadlineMs: 1_000 };

  function backend(): FfiHcnBackend {
    const native = new NamedLibrary(["HcnOpenNetwork", "HcnCloseNetwork", "HcnEnumerateNetworks", "HNSCall"]);
    return new FfiHcnBackend(open(native, native));
  }

  test.each([
    ["an open without a handle", () => backend().open("network", ZERO_GUID, options)],
    ["an enumeration without a list", () => backend().enumerate("network", {}, options)],
    ["a version 1 call without an envelope", () => backend().callV1({ method: "GET", path: "/" }, options)],
  ])("%s is HNS_REFUSED", async (_what, call) => {
    const failure: unknown = await call().catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(PluginError);
    expect(failure).toMatchObject({ code: "HNS_REFUSED", message: containing("cannot be read") });
  });
});
