import { attachmentId, hostEndpointId, networkId } from "../../../../src/core/engine/attachment.ts";
import { EngineFixture, HOST_ENDPOINT, NETWORK, upper } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture();
});
afterEach(() => node.close());

describe("ADD", () => {
  test("makes network, host endpoint and pod endpoint, and answers with what the pod got", async () => {
    const pod = node.pod("c1");
    const result = await node.add(pod);
    const endpoint = node.endpointOf(pod);
    expect(result).toEqual({
      interfaces: [{ name: "eth0", sandbox: pod.netns, mac: endpoint?.mac.toLowerCase().replaceAll("-", ":") }],
      ips: [{ address: "10.244.3.3/24", interface: 0, gateway: "10.244.3.2" }],
      routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }],
      dns: { nameservers: ["10.96.0.10"], search: ["cluster.local"], options: [] },
    });
    expect(endpoint).toMatchObject({
      id: upper(attachmentId(pod)),
      name: `c1_${NETWORK}`,
      addresses: [{ address: "10.244.3.3", prefix: 24 }],
    });
    expect([...node.model.world.networks.keys()]).toEqual([upper(networkId("node-1", NETWORK))]);
    const host = [...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT);
    expect(host).toMatchObject({
      id: upper(hostEndpointId("node-1", NETWORK)),
      addresses: [{ address: "10.244.3.2", prefix: 24 }],
      hostCompartment: 1,
      forwarding: true,
    });
    expect(node.attachment(pod)).toMatchObject({ phase: "attached", endpoint: attachmentId(pod), isCancelled: false });
    expect(node.rows("leases")).toEqual([]);
    expect(node.model.handles.list()).toEqual([]);
  });

  test("a second interface of the pod gets an endpoint and an address of its own", async () => {
    const first = node.pod("c1");
    const second = { ...node.pod("c1", "eth1") };
    await node.add(first);
    const result = await node.add(second);
    expect(result.ips[0]?.address).toBe("10.244.3.4/24");
    expect(node.podEndpoints().map(({ name }) => name)).toEqual([`c1_${NETWORK}`, `c1_${NETWORK}_eth1`]);
  });

  test("promise 2: a repeated ADD returns the same result and touches nothing", async () => {
    const pod = node.pod("c1");
    const first = await node.add(pod);
    const before = node.model.world.snapshot();
    const rows = node.held();
    expect(await node.add(pod)).toEqual(first);
    expect(node.model.world.snapshot()).toEqual(before);
    expect(node.held()).toEqual(rows);
  });

  test("a repeated ADD whose endpoint is gone makes it again, with the same address", async () => {
    const pod = node.pod("c1");
    const first = await node.add(pod);
    node.model.world.endpoints.delete(upper(attachmentId(pod)));
    for (const namespace of node.model.world.namespaces.values()) namespace.endpoints = [];
    const again = await node.add(pod);
    expect(again.ips).toEqual(first.ips);
    expect(node.endpointOf(pod)).toBeDefined();
  });

  test("a repeated ADD for another namespace moves the pod there, with the same address", async () => {
    const pod = node.pod("c1");
    const first = await node.add(pod);
    const moved = { ...pod, netns: node.pod("c1").netns };
    const again = await node.add(moved);
    expect(again.ips).toEqual(first.ips);
    expect(again.interfaces[0]?.sandbox).toBe(moved.netns);
    expect(node.podEndpoints()).toHaveLength(1);
    expect(node.endpointOf(moved)).toBeDefined();
    expect(node.attachment(pod)?.netns).toBe(moved.netns);
  });

  test("a pod that HNS gives another id works all the same, and its record names that id", async () => {
    node = new EngineFixture({ settings: { ignoreCallerIds: true } });
    const pod = node.pod("c1");
    await node.add(pod);
    const endpoint = node.endpointOf(pod);
    expect(upper(node.attachment(pod)?.endpoint ?? "")).toBe(endpoint?.id);
    await node.check(pod);
  });

  test("an unknown namespace is INVALID_NAMESPACE and leaves no trace", async () => {
    const pod = { ...node.pod("c1"), netns: "11111111-1111-4111-8111-111111111111" };
    await expect(node.add(pod)).rejects.toMatchObject({ code: "INVALID_NAMESPACE" });
    expect(node.model.world.endpoints.size).toBe(0);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });

  test("a CNI_NETNS that is no GUID is refused before anything is asked of HNS", async () => {
    await expect(node.add({ ...node.pod("c1"), netns: "/proc/1/ns/net" })).rejects.toMatchObject({ code: "INVALID_ENVIRONMENT" });
    expect(node.calls()).toEqual([]);
  });

  test("a pool used up is ADDRESS_EXHAUSTED with the counts, and HNS is not asked for an endpoint", async () => {
    node = new EngineFixture({ config: { ipam: { cidr: "10.244.3.0/29", blockSize: 29, waitSeconds: 0 } } });
    for (const name of ["c1", "c2", "c3", "c4"]) await node.add(node.pod(name));
    await node.del({ network: NETWORK, containerId: "c4", ifname: "eth0", netns: "" });
    node.clearCalls();
    await expect(node.add(node.pod("c5"))).rejects.toMatchObject({
      code: "ADDRESS_EXHAUSTED",
      message: "no free address in 10.244.3.0/29: 3 assigned, 1 resting after release, 0 quarantined",
    });
    expect(node.calls()).not.toContain("HcnCreateEndpoint");
    expect(node.model.handles.list()).toEqual([]);
  });

  test("promise 7: policies go into the create request, and a refused one fails the ADD", async () => {
    await node.add(node.pod("c1"));
    const [, , document] =
      node.model.log
        .list()
        .filter(({ name }) => name === "HcnCreateEndpoint")
        .at(-1)?.args ?? [];
    const policies = (JSON.parse(document ?? "{}") as { Policies: { Type: string }[] }).Policies.map(({ Type }) => Type);
    expect(policies).toEqual(["OutBoundNAT", "SDNRoute", "OutBoundNAT"]);
    expect(node.calls().filter((name) => name === "HcnModifyEndpoint")).toEqual([]);
    node.config = { ...node.config, portMappings: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }] };
    await node.add(node.pod("c2"));
    const before = node.held();
    await expect(node.add(node.pod("c3"))).rejects.toMatchObject({ code: "HNS_REFUSED", data: { hresult: 0x803b0013 } });
    expect(node.held()).toEqual(before);
    expect(node.podEndpoints()).toHaveLength(2);
  });

  test("a host without a function for forwarding still gets its pod, with a warning", async () => {
    node.forwarding = "missing";
    await node.add(node.pod("c1"));
    expect(node.log.filter(({ level }) => level === "warn")).toMatchObject([{ message: containing("forwarding not enabled") }]);
  });

  test("forwarding that cannot be set fails the ADD, and the next one tries again", async () => {
    node.model.faults.add({ call: "HnsEmulatorHost", kind: "fail", nth: 1, hresult: 0x80070490 });
    await expect(node.add(node.pod("c1"))).rejects.toMatchObject({ data: { hresult: 0x80070490 } });
    expect(node.podEndpoints()).toEqual([]);
    await node.add(node.pod("c2"));
    expect([...node.model.world.endpoints.values()].find(({ name }) => name === HOST_ENDPOINT)?.forwarding).toBe(true);
  });
});
