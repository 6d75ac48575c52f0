import { deadlineIn } from "../../../../src/core/base/async.ts";
import { HcnSession } from "../../../../src/core/hcn/session.ts";
import { parseNetworkDetail } from "../../../../src/core/hcn/documents-detail.ts";
import { type NodeDocuments, readNode } from "../../../../src/core/topology/read.ts";
import { createEndpoint } from "../../../emulator/model/endpoints.ts";
import { createNamespace } from "../../../emulator/model/namespaces.ts";
import { createNetwork } from "../../../emulator/model/networks.ts";
import { createModel, ModelBackend } from "../../../emulator/model-backend.ts";
import { FakeClock } from "../../../support/fake-clock.ts";

const ZERO = "00000000-0000-0000-0000-000000000000";
const silent = { error: () => undefined, warn: () => undefined, info: () => undefined, debug: () => undefined };

describe("reading a node", () => {
  const clock = new FakeClock({ autoAdvance: true });
  let model = createModel();

  beforeEach(() => {
    model = createModel();
    const network = createNetwork(model.world, ZERO, {
      Name: "pods",
      Type: "NAT",
      Ipams: [{ Subnets: [{ IpAddressPrefix: "10.1.0.0/24" }] }],
    });
    createEndpoint(model.world, network.id, ZERO, { Name: "one" });
    createEndpoint(model.world, network.id, ZERO, { Name: "two" });
    createNamespace(model.world, ZERO, {});
  });

  function read(timeoutMs = 30_000): Promise<NodeDocuments> {
    const backend = new ModelBackend(model, { sleep: (ms) => clock.sleep(ms) });
    return readNode(new HcnSession({ backend, clock, log: silent, callTimeoutMs: timeoutMs, deadline: deadlineIn(clock, timeoutMs) }));
  }

  it("takes three calls an object and six more, and leaves no handle open", async () => {
    const documents = await read();
    expect(documents).toMatchObject({ loadBalancers: [], sdnRoutes: [], warnings: [] });
    expect([documents.networks, documents.endpoints, documents.namespaces].map((list) => list.length)).toEqual([1, 2, 1]);
    expect(documents.networks.map((one) => parseNetworkDetail(one).name)).toEqual(["pods"]);
    expect(model.log.list()).toHaveLength(4 * 3 + 6);
    expect(model.handles.list()).toEqual([]);
  });

  it("leaves out what goes away meanwhile", async () => {
    model.faults.add({ call: "HcnOpenEndpoint", kind: "fail", hresult: 0x803b0002, nth: 1 });
    expect((await read()).endpoints).toHaveLength(1);
  });

  it("goes on without what a version of Windows may lack, and says so", async () => {
    for (const call of ["HcnEnumerateLoadBalancers", "HcnEnumerateSdnRoutes", "HNSCall"]) {
      model.faults.add({ call, kind: "fail", hresult: 0x80070032 });
    }
    const { endpointsV1, warnings } = await read();
    expect(endpointsV1).toBeUndefined();
    expect(warnings).toEqual([
      expect.stringMatching(/^HNS did not tell its load balancers: .*0x80070032/),
      expect.stringMatching(/^HNS did not tell its routes: .*0x80070032/),
      expect.stringMatching(/^HNS did not tell its version 1 endpoints: .*0x80070032/),
    ]);
  });

  it.each(["HcnEnumerateNetworks", "HcnQueryEndpointProperties", "HcnEnumerateNamespaces"])("fails when HNS refuses %s", async (call) => {
    model.faults.add({ call, kind: "fail", hresult: 0x80070005 });
    await expect(read()).rejects.toMatchObject({ code: "HNS_REFUSED", data: { hresult: 0x80070005 } });
    expect(model.handles.list()).toEqual([]);
  });

  it("fails when HNS goes away in the middle", async () => {
    model.faults.add({ call: "HcnEnumerateLoadBalancers", kind: "fail", hresult: 0x800706ba });
    await expect(read()).rejects.toMatchObject({ code: "HNS_UNAVAILABLE" });
  });

  it("does not wait for ever", async () => {
    model.faults.add({ call: "HcnEnumerateNamespaces", kind: "hang" });
    await expect(read(2_000)).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
  });

  it("has one deadline for all calls together", async () => {
    model.faults.add({ call: "*", kind: "delay", ms: 900 });
    await expect(read(5_000)).rejects.toMatchObject({ retryable: true });
  });
});
