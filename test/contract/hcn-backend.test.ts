import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { FfiHcnBackend } from "../../src/host/ffi/hcn-backend.ts";
import { type HcnLibraries, HcnLibrary } from "../../src/host/ffi/hcn-library.ts";
import { type Ffi, openFfi } from "../../src/host/ffi/library.ts";
import { Turns } from "../../src/host/exec/turns.ts";
import { openLinuxLibraries } from "../../src/host/linux/libraries.ts";
import { EmulatorClient } from "../emulator/client.ts";
import { doControl } from "../emulator/control.ts";
import { ModelBackend } from "../emulator/model-backend.ts";
import { emulatorLibrary } from "../support/paths.ts";
import { describeUnless } from "../support/skip.ts";
import { type BackendHarness, describeHcnBackend, guid } from "./hcn-backend.contract.ts";
import { anyNumber, containing, errorWith } from "../support/matchers.ts";

const KOFFI = join(process.cwd(), "node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node");
const OPTIONS = { deadlineMs: 20_000 };
const NETWORK_ID = guid("11111111-2222-4333-8444-555555555555");

describeHcnBackend("the model", async () => {
  const backend = new ModelBackend();
  const { model } = backend;
  const harness: BackendHarness = {
    backend,
    reset: async (settings) => model.reset(settings),
    addFault: async (fault) => void model.faults.add(fault),
    openHandles: async () => model.handles.list().length,
    networkNames: async () => [...model.world.networks.values()].map(({ name }) => name),
    createNamespace: async () => (doControl(model, { op: "create-namespace" }) as { ID: string }).ID,
    close: async () => undefined,
  };
  return harness;
});

interface NativeHarness extends BackendHarness {
  readonly backend: FfiHcnBackend;
  readonly emulator: EmulatorClient;
  readonly strings: { taken: number; freed: number };
}

/** The product's own backend over the real library, and an emulator's process behind that. */
async function openNative(turns = new Turns(Infinity)): Promise<NativeHarness> {
  const ffi = openFfi(KOFFI);
  const emulator = await EmulatorClient.start();
  setEmulatorAddress(ffi, emulator.address);
  const strings = { taken: 0, freed: 0 };
  const backend = new FfiHcnBackend(new HcnLibrary(countStrings(openLinuxLibraries(ffi, emulatorLibrary), strings)), turns);
  return {
    backend,
    emulator,
    strings,
    reset: (settings) => emulator.reset(settings),
    addFault: async (fault) => {
      await emulator.addFault(fault);
    },
    openHandles: async () => (await emulator.handles()).length,
    networkNames: async () => (await emulator.networks()).map(({ name }) => name),
    createNamespace: () => emulator.createNamespace(),
    close: () => emulator.close(),
  };
}

/** The library reads the real environment, which process.env of a test is only a copy of. */
function setEmulatorAddress(ffi: Ffi, address: string): void {
  const text = (value: string): Buffer => Buffer.from(`${value}\0`, "utf8");
  ffi.load("libc.so.6").find("setenv", "int32", ["bytes", "bytes", "int32"])?.call(text("HNS_EMULATOR_ADDRESS"), text(address), 1);
}

function countStrings(libraries: HcnLibraries, strings: { taken: number; freed: number }): HcnLibraries {
  const readWide: Ffi["readWide"] = (pointer) => {
    strings.taken += 1;
    return libraries.ffi.readWide(pointer);
  };
  const call: HcnLibraries["free"]["call"] = (...args) => {
    strings.freed += 1;
    return libraries.free.call(...args);
  };
  return { ...libraries, ffi: { ...libraries.ffi, readWide }, free: { ...libraries.free, call } };
}

const missing = existsSync(emulatorLibrary) ? undefined : "the emulator's library is not built (it needs gcc): npm run package";

describeUnless(missing, "over the native library", () => describeHcnBackend("FFI", openNative));

describeUnless(missing, "the FFI backend", () => {
  let native: NativeHarness;

  beforeAll(async () => {
    native = await openNative();
  });
  afterAll(() => native.close());
  beforeEach(() => native.reset());

  test("frees every string that HNS gives out, those of refusals included", async () => {
    const { backend, strings } = native;
    const before = { ...strings };
    await backend.enumerate("network", {}, OPTIONS);
    await expect(backend.open("network", NETWORK_ID, OPTIONS)).rejects.toMatchObject({ code: "HNS_REFUSED" });
    await backend.callV1({ method: "GET", path: "/globals/version" }, OPTIONS);
    await expect(backend.callV1({ method: "GET", path: "/nonsense" }, OPTIONS)).rejects.toMatchObject({ code: "HNS_REFUSED" });
    expect(strings.taken - before.taken).toBe(4);
    expect(strings.freed - before.freed).toBe(4);
  });

  test("does not grow over many calls with large answers", async () => {
    const { backend } = native;
    const Policies = [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Ethernet" } }];
    const document = {
      SchemaVersion: { Major: 2, Minor: 0 },
      Name: "large",
      Type: "L2Bridge",
      Policies,
      Dns: { Domain: "x".repeat(40_000) },
    };
    const network = await backend.createNetwork(NETWORK_ID, document, OPTIONS);
    const query = async (times: number): Promise<void> => {
      for (let index = 0; index < times; index++) await backend.query(network, OPTIONS);
    };
    await query(200);
    const before = residentBytes();
    await query(1_500);
    // Every answer is 80 KB in UTF-16: all of them would be 120 MB.
    expect(residentBytes() - before).toBeLessThan(60_000_000);
    await backend.close(network, OPTIONS);
  });

  test("knows of the calls that it gave up until they return", async () => {
    const { backend } = native;
    await native.emulator.addFault({ call: "HcnEnumerateNetworks", kind: "late", nth: 1, ms: 80 });
    await expect(backend.enumerate("network", {}, { deadlineMs: 10 })).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    expect(backend.abandonedCalls).toBe(1);
    while (backend.abandonedCalls > 0) await new Promise<void>((resolve) => setImmediate(resolve));
  });

  test("with turns, makes any number of calls, and gives a call up that has no turn in time without asking HNS", async () => {
    const { backend, emulator, close } = await openNative(new Turns(2));
    const many = Array.from({ length: 600 }, () => backend.enumerate("network", {}, OPTIONS)); // koffi alone takes 256
    expect((await Promise.all(many)).every((found) => found.length === 0)).toBe(true);
    for (const nth of [1, 2]) await emulator.addFault({ call: "HcnEnumerateNetworks", kind: "late", nth, ms: 80 });
    const slow = [1, 2].map(() => backend.enumerate("network", {}, { deadlineMs: 10 }));
    const asked = backend.enumerate("endpoint", {}, { deadlineMs: 10, waitMs: 10_000 });
    await expect(backend.enumerate("namespace", {}, { deadlineMs: 10 })).rejects.toMatchObject({
      code: "OPERATION_TIMEOUT",
      retryable: true,
    });
    for (const call of slow) await expect(call).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    expect(backend.abandonedCalls).toBe(2);
    expect(await asked).toEqual([]); // once the threads are back
    expect((await emulator.calls()).map(({ name }) => name)).not.toContain("HcnEnumerateNamespaces");
    await close();
    setEmulatorAddress(openFfi(KOFFI), native.emulator.address);
  });

  test("carries what HNS wrote about a refusal in the details", async () => {
    const failure = await native.backend.open("network", NETWORK_ID, OPTIONS).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      message: containing("0x803b0001 (HCN_E_NETWORK_NOT_FOUND)"),
      data: { details: containing("ErrorCode") },
    });
  });

  test("an HNS that ended is HNS_UNAVAILABLE", async () => {
    const other = await openNative();
    await other.backend.enumerate("network", {}, OPTIONS);
    await other.close();
    await expect(other.backend.enumerate("network", {}, OPTIONS)).rejects.toMatchObject({ data: { hresult: anyNumber() } });
    await expect(other.backend.enumerate("network", {}, OPTIONS)).rejects.toMatchObject({ code: "HNS_UNAVAILABLE", retryable: true });
    setEmulatorAddress(openFfi(KOFFI), native.emulator.address);
  });

  test("a library that is not there is HNS_UNAVAILABLE, an FFI module that is not there IO_FAILURE", () => {
    const ffi = openFfi(KOFFI);
    expect(() => openLinuxLibraries(ffi, "/nowhere/lib.so")).toThrow(errorWith({ code: "HNS_UNAVAILABLE" }));
    expect(() => openLinuxLibraries(ffi, undefined)).toThrow(errorWith({ code: "HNS_UNAVAILABLE" }));
    expect(() => openFfi("/nowhere/koffi.node")).toThrow(errorWith({ code: "IO_FAILURE" }));
  });
});

function residentBytes(): number {
  return Number(readFileSync("/proc/self/statm", "utf8").split(" ")[1]) * 4096;
}
