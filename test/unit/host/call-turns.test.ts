/** Calls to HNS that wait for their turn, over a library that answers at once. */
import { ZERO_GUID } from "../../../src/core/base/ids.ts";
import { FfiHcnBackend } from "../../../src/host/ffi/hcn-backend.ts";
import { HcnLibrary } from "../../../src/host/ffi/hcn-library.ts";
import type { NativeLibrary } from "../../../src/host/ffi/library.ts";
import { ServiceCallback } from "../../../src/host/ffi/service-callback.ts";
import { Turns } from "../../../src/host/exec/turns.ts";
import { errorWith } from "../../support/matchers.ts";

const LONG_MS = 60_000;

/** Answers S_OK; `asked` has the names of the calls that were made. A call whose name is in `hanging` never returns. */
class AnsweringLibrary implements NativeLibrary {
  readonly asked: string[] = [];
  readonly hanging: string[] = [];

  find(name: string): ReturnType<NativeLibrary["find"]> {
    const callAsync = (...args: unknown[]): Promise<unknown> => {
      this.asked.push(name);
      if (this.hanging.includes(name)) return new Promise(() => undefined);
      const cell = args.find((arg): arg is [unknown] => Array.isArray(arg));
      if (cell !== undefined && !name.startsWith("HcnDelete")) cell[0] = 7n;
      return Promise.resolve(0);
    };
    return { call: () => 0, callAsync };
  }
}

let native: AnsweringLibrary;
let turns: Turns;
let backend: FfiHcnBackend;
let callback: ServiceCallback;

beforeEach(() => {
  jest.useFakeTimers();
  native = new AnsweringLibrary();
  turns = new Turns(1);
  const ffi = { load: () => native, readWide: () => "", readBytes: () => new Uint8Array(), allocate: () => 0n, callback: () => 1n };
  const free = { call: () => undefined, callAsync: () => Promise.resolve(undefined) };
  const libraries = { ffi, hcn: native, hns: native, free };
  backend = new FfiHcnBackend(new HcnLibrary(libraries), turns);
  callback = new ServiceCallback(
    () => libraries,
    () => undefined,
    turns,
  );
});
afterEach(() => jest.useRealTimers());

/** Somebody has the only turn for so long. */
async function occupy(ms: number): Promise<void> {
  await jest.advanceTimersByTimeAsync(ms);
  turns.give();
}

describe("a call whose turn comes", () => {
  beforeEach(() => void turns.take("begin", LONG_MS));

  test("in time is made", async () => {
    const call = backend.delete("endpoint", ZERO_GUID, { deadlineMs: 10_000, waitMs: 30_000 });
    await occupy(28_000);
    await call;
    expect(native.asked).toEqual(["HcnDeleteEndpoint"]);
  });

  test("when its time is nearly over is not made: HNS would do what nobody waits for, and be taken for one that hangs", async () => {
    const call = expect(backend.delete("endpoint", ZERO_GUID, { deadlineMs: 10_000, waitMs: 30_000 })).rejects.toThrow(
      errorWith({ code: "OPERATION_TIMEOUT" }),
    );
    await occupy(29_500);
    await call;
    expect(native.asked).toEqual([]);
    expect(turns.take("begin", 0)).toBeUndefined(); // the turn is there for the next
  });

  test("however late closes its handle", async () => {
    const call = backend.close({ kind: "endpoint", value: 7n }, { deadlineMs: 10_000 });
    await occupy(9_999);
    await call;
    expect(native.asked).toEqual(["HcnCloseEndpoint"]);
  });
});

describe("the service callback", () => {
  test("is one of the calls that may be made at a time, until it returns", async () => {
    native.hanging.push("HcnRegisterServiceCallback");
    const call = expect(callback.register(1_000)).rejects.toThrow(errorWith({ code: "HNS_TIMEOUT" }));
    await jest.advanceTimersByTimeAsync(1_000);
    await call;
    const next = turns.take("begin", 10);
    await jest.advanceTimersByTimeAsync(10);
    expect(await next).toBe(false);
  });

  test("gives its turn back with its answer", async () => {
    await callback.register(1_000);
    await callback.unregister(1_000);
    expect(native.asked).toEqual(["HcnRegisterServiceCallback", "HcnUnregisterServiceCallback"]);
    expect(turns.take("begin", 0)).toBeUndefined();
  });

  test("is not asked for without a turn, and may be tried again", async () => {
    void turns.take("begin", LONG_MS);
    const call = expect(callback.register(1_000)).rejects.toThrow(errorWith({ code: "OPERATION_TIMEOUT" }));
    await jest.advanceTimersByTimeAsync(1_000);
    await call;
    expect([native.asked, callback.abandonedCalls]).toEqual([[], 0]);
    turns.give();
    await callback.register(1_000);
    expect(native.asked).toEqual(["HcnRegisterServiceCallback"]);
  });

  test("that was given up before its turn came is not asked for", async () => {
    void turns.take("begin", LONG_MS);
    const call = expect(callback.register(1_000)).rejects.toThrow(errorWith({ code: "HNS_TIMEOUT" }));
    await callback.unregister(1_000);
    turns.give();
    await call;
    expect(native.asked).toEqual([]);
    expect(turns.take("begin", 0)).toBeUndefined();
  });
});
