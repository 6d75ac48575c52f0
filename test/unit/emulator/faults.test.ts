import { PluginError } from "../../../src/core/base/errors.ts";
import { findGuid, ZERO_GUID, type Guid } from "../../../src/core/base/ids.ts";
import type { HcnHandle } from "../../../src/core/hcn/backend.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import { createModel, KilledError, ModelBackend } from "../../emulator/model-backend.ts";
import type { WorldSnapshot } from "../../emulator/model/world.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { L2_NETWORK } from "./model-kit.ts";

const DEADLINE = { deadlineMs: 1000 };

function setUp(): { hcn: ModelBackend; clock: FakeClock; names(): string[]; create(): Promise<HcnHandle> } {
  const clock = new FakeClock();
  const hcn = new ModelBackend(createModel(), { sleep: (ms) => clock.sleep(ms) });
  return {
    hcn,
    clock,
    names: () => [...hcn.model.world.networks.values()].map(({ name }) => name),
    create: () => hcn.createNetwork(ZERO_GUID, L2_NETWORK, DEADLINE),
  };
}

describe("faults through the in-process backend", () => {
  test("fail: refused with the HRESULT and no effect, at the n-th call only", async () => {
    const { hcn, names, create } = setUp();
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind: "fail", hresult: HRESULT.ADDRESS_RESERVED, nth: 1 });
    await expect(create()).rejects.toMatchObject({ code: "HNS_REFUSED", data: { hresult: HRESULT.ADDRESS_RESERVED } });
    expect(names()).toEqual([]);
    await create();
    expect(names()).toEqual(["l2"]);
  });

  test("fail-after: the effect stands, the caller sees the error and no handle is left behind", async () => {
    const { hcn, names, create } = setUp();
    hcn.model.faults.add({ call: "*", kind: "fail-after", hresult: HRESULT.RPC_CALL_FAILED });
    await expect(create()).rejects.toBeInstanceOf(PluginError);
    expect(names()).toEqual(["l2"]);
    expect(hcn.model.handles.list()).toEqual([]);
  });

  test("late: the caller's time runs out first, the effect comes afterwards", async () => {
    const { hcn, clock, names, create } = setUp();
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind: "late", ms: 5000 });
    const refused = expect(create()).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    await clock.advance(1000);
    await refused;
    expect(names()).toEqual([]);
    await clock.advance(4000);
    expect(names()).toEqual(["l2"]);
    expect(hcn.model.handles.list()).toEqual([]);
  });

  test("late: comes although the caller has closed the handle it gave, which the service has in hand", async () => {
    const { hcn, clock, create } = setUp();
    const network = await create();
    hcn.model.faults.add({ call: "HcnCreateEndpoint", kind: "late", ms: 5000 });
    const options = { deadlineMs: 1000 };
    const document = { Name: "late", IpConfigurations: [{ IpAddress: "10.244.3.9", PrefixLength: 24 }] };
    const refused = expect(hcn.createEndpoint(network, ZERO_GUID, document, options)).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    await clock.advance(1000);
    await refused;
    await hcn.close(network, options);
    await clock.advance(4000);
    expect([...hcn.model.world.endpoints.values()].map(({ name }) => name)).toEqual(["late"]);
    await expect(hcn.query(network, options)).rejects.toMatchObject({ data: { hresult: HRESULT.INVALID_HANDLE } });
  });

  test("late: lost when the service restarts before it comes", async () => {
    const { hcn, clock, names, create } = setUp();
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind: "late", ms: 500 });
    const refused = expect(create()).rejects.toMatchObject({ data: { hresult: HRESULT.RPC_CALL_FAILED } });
    hcn.model.restart({ loseEndpoints: false });
    await clock.advance(500);
    await refused;
    expect(names()).toEqual([]);
  });

  test("delay: the effect comes at once, the answer in time", async () => {
    const { hcn, clock, names, create } = setUp();
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind: "delay", ms: 500 });
    const created = create();
    expect(names()).toEqual(["l2"]);
    await clock.advance(500);
    await created;
    expect(hcn.model.handles.list()).toHaveLength(1);
  });

  test.each(["hang", "hang-after"] as const)("%s: no answer ever", async (kind) => {
    const { hcn, clock, names, create } = setUp();
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind });
    const refused = expect(create()).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
    await clock.advance(1000);
    await refused;
    expect(names()).toEqual(kind === "hang" ? [] : ["l2"]);
    expect(hcn.model.log.list()).toMatchObject([{ hresult: null, fault: kind }]);
  });

  test.each(["kill", "kill-after"] as const)("%s: ends the caller", async (kind) => {
    const { hcn, names, create } = setUp();
    hcn.model.faults.add({ call: "*", kind, nth: 1 });
    await expect(create()).rejects.toBeInstanceOf(KilledError);
    expect(names()).toEqual(kind === "kill" ? [] : ["l2"]);
  });

  test.each(["restart", "restart-after"] as const)("%s: the caller's handles are void, networks and endpoints stay", async (kind) => {
    const { hcn, names, create } = setUp();
    const before = hcn.model.world.hnsStart;
    const old = await hcn.createNetwork(ZERO_GUID, { ...L2_NETWORK, Name: "old" }, DEADLINE);
    await hcn.createEndpoint(old, ZERO_GUID, {}, DEADLINE);
    hcn.model.faults.add({ call: "HcnCreateNetwork", kind });
    await expect(create()).rejects.toMatchObject({ data: { hresult: HRESULT.RPC_CALL_FAILED } });
    expect(names()).toEqual(kind === "restart" ? ["old"] : ["old", "l2"]);
    expect(hcn.model.world.endpoints.size).toBe(1);
    expect(hcn.model.world.hnsStart).not.toBe(before);
    await expect(hcn.query(old, DEADLINE)).rejects.toMatchObject({ data: { hresult: HRESULT.INVALID_HANDLE } });
  });

  test("reboot: a new boot id; only networks that persist are left", async () => {
    const { hcn, names, create } = setUp();
    const { model } = hcn;
    const { bootId } = model.world;
    const network = await hcn.createNetwork(ZERO_GUID, L2_NETWORK, DEADLINE);
    await hcn.createNetwork(ZERO_GUID, { Name: "gone", Type: "NAT", Flags: 8 }, DEADLINE);
    await hcn.createEndpoint(network, ZERO_GUID, {}, DEADLINE);
    model.call("HcnCreateNamespace", [ZERO_GUID, "{}"], { pid: 1 });
    model.faults.add({ call: "HcnCreateNetwork", kind: "reboot" });
    await expect(create()).rejects.toBeInstanceOf(KilledError);
    expect(names()).toEqual(["l2"]);
    expect([model.world.endpoints.size, model.world.namespaces.size]).toEqual([0, 0]);
    expect(model.world.bootId).not.toBe(bootId);
  });

  test("match: only calls that carry the text", async () => {
    const { hcn } = setUp();
    hcn.model.faults.add({ call: "HNSCall", kind: "fail", hresult: HRESULT.ELEMENT_NOT_FOUND, match: "/networks" });
    await expect(hcn.callV1({ method: "GET", path: "/networks/" }, DEADLINE)).rejects.toMatchObject({
      data: { hresult: HRESULT.ELEMENT_NOT_FOUND },
    });
    await expect(hcn.callV1({ method: "GET", path: "/globals/version" }, DEADLINE)).resolves.toEqual({ Major: 15, Minor: 2 });
  });

  test("questions to the machine can be made to fail, and '*' does not mean them", async () => {
    const { hcn } = setUp();
    hcn.model.faults.add({ call: "*", kind: "kill" });
    await expect(hcn.host({ op: "identity" }, DEADLINE)).resolves.toMatchObject({ bootId: hcn.model.world.bootId });
    hcn.model.faults.add({ call: "HnsEmulatorHost", kind: "fail", hresult: HRESULT.ELEMENT_NOT_FOUND });
    await expect(hcn.host({ op: "identity" }, DEADLINE)).rejects.toMatchObject({ data: { hresult: HRESULT.ELEMENT_NOT_FOUND } });
    expect(hcn.model.log.list()).toEqual([]);
  });
});

describe("the in-process backend", () => {
  test("does what the interface says, from network to joined endpoint and back", async () => {
    const { hcn } = setUp();
    const id = asGuid("ABCDEF00-1111-2222-3333-444444444444");
    const network = await hcn.createNetwork(id, L2_NETWORK, DEADLINE);
    const endpoint = await hcn.createEndpoint(network, ZERO_GUID, { Name: "pod" }, DEADLINE);
    const [endpointId = ZERO_GUID] = await hcn.enumerate("endpoint", { VirtualNetwork: id }, DEADLINE);
    expect(endpointId).toMatch(/^[0-9a-f-]{36}$/);
    hcn.model.call("HcnCreateNamespace", [id, "{}"], { pid: 2 });
    const namespace = await hcn.open("namespace", id, DEADLINE);
    await hcn.modify(namespace, { ResourceType: "Endpoint", RequestType: "Add", Settings: { EndpointId: endpointId } }, DEADLINE);
    await expect(hcn.query(endpoint, DEADLINE)).resolves.toMatchObject({ HostComputeNamespace: id.toUpperCase() });
    for (const handle of [network, endpoint, namespace]) await hcn.close(handle, DEADLINE);
    await hcn.delete("endpoint", endpointId, DEADLINE);
    await expect(hcn.open("endpoint", endpointId, DEADLINE)).rejects.toMatchObject({
      code: "HNS_REFUSED",
      data: { hresult: HRESULT.ENDPOINT_NOT_FOUND },
    });
    expect(hcn.model.handles.list()).toMatchObject([{ kind: "namespace", pid: 2 }]);
  });

  test("gives back a snapshot's world, whatever happened since", async () => {
    const { hcn, names, create } = setUp();
    await create();
    const snapshot = JSON.stringify(hcn.model.world.snapshot());
    hcn.model.reset();
    expect(names()).toEqual([]);
    hcn.model.world.restore(JSON.parse(snapshot) as WorldSnapshot);
    expect(names()).toEqual(["l2"]);
    expect(JSON.stringify(hcn.model.world.snapshot())).toBe(snapshot);
  });
});

function asGuid(text: string): Guid {
  return findGuid(text) ?? ZERO_GUID;
}
