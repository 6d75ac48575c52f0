import { findGuid } from "../../../../src/core/base/ids.ts";
import type { HcnBackend, HcnHandle } from "../../../../src/core/hcn/backend.ts";
import { decorate } from "../../../../src/core/hcn/decorate.ts";
import { flushFirst } from "../../../../src/service/agent/flush-first.ts";

const ID = findGuid("00000000-0000-4000-8000-000000000001") ?? fail();
const HANDLE: HcnHandle = { kind: "namespace", value: 1n };
const OPTIONS = { deadlineMs: 1 };

type Call = readonly [name: string, make: (backend: HcnBackend) => Promise<unknown>];

const CHANGING: readonly Call[] = [
  ["createNetwork", (hcn) => hcn.createNetwork(ID, {}, OPTIONS)],
  ["createEndpoint", (hcn) => hcn.createEndpoint(HANDLE, ID, {}, OPTIONS)],
  ["modify", (hcn) => hcn.modify(HANDLE, {}, OPTIONS)],
  ["delete", (hcn) => hcn.delete("endpoint", ID, OPTIONS)],
  ["callV1 POST", (hcn) => hcn.callV1({ method: "POST", path: "/endpoints/1/attach" }, OPTIONS)],
  ["callV1 DELETE", (hcn) => hcn.callV1({ method: "DELETE", path: "/endpoints/1" }, OPTIONS)],
];

const LOOKING: readonly Call[] = [
  ["enumerate", (hcn) => hcn.enumerate("endpoint", {}, OPTIONS)],
  ["open", (hcn) => hcn.open("endpoint", ID, OPTIONS)],
  ["query", (hcn) => hcn.query(HANDLE, OPTIONS)],
  ["close", (hcn) => hcn.close(HANDLE, OPTIONS)],
  ["callV1 GET", (hcn) => hcn.callV1({ method: "GET", path: "/endpoints/" }, OPTIONS)],
];

/** A backend that notes its calls, behind a flush that is noted when it ends. */
function build(flush: () => Promise<void>, done: string[]): HcnBackend {
  const note = (name: string) => (): Promise<never> => {
    done.push(name);
    return Promise.resolve(undefined as never);
  };
  const names = ["enumerate", "open", "createNetwork", "createEndpoint", "query", "modify", "delete", "close", "callV1"];
  // Every method of the interface is named above.
  const backend = Object.fromEntries(names.map((name) => [name, note(name)])) as unknown as HcnBackend;
  return decorate(backend, flushFirst(flush));
}

describe("durability before HNS", () => {
  test.each(CHANGING)("%s waits until what is meant is on the disk", async (name, make) => {
    const done: string[] = [];
    const flush = async (): Promise<void> => {
      await new Promise((resolve) => setImmediate(resolve));
      done.push("flushed");
    };
    await make(build(flush, done));
    expect(done).toEqual(["flushed", name.split(" ")[0]]);
  });

  test.each(CHANGING)("%s is not made when the disk fails", async (_name, make) => {
    const done: string[] = [];
    await expect(make(build(() => Promise.reject(new Error("EIO")), done))).rejects.toThrow("EIO");
    expect(done).toEqual([]);
  });

  test.each(LOOKING)("%s waits for no disk", async (name, make) => {
    const done: string[] = [];
    await make(build(() => Promise.reject(new Error("EIO")), done));
    expect(done).toEqual([name.split(" ")[0]]);
  });
});

function fail(): never {
  throw new Error("no GUID");
}
