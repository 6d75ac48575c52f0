/** The plugin with addresses of another IPAM plugin: that one is a fake in memory, HNS is the emulator's model. */
import type { CniResult } from "../../../../src/core/cni/result.ts";
import { normaliseDelegated } from "../../../../src/core/config/normalise.ts";
import type { DelegatedConfig } from "../../../../src/core/config/plugin-config.ts";
import type { AttachRequest } from "../../../../src/core/engine/attachment.ts";
import { IpamDelegate } from "../../../../src/core/engine/delegate.ts";
import { attachDelegated, checkDelegated, reportDelegatedStatus } from "../../../../src/core/engine/delegated.ts";
import { detach } from "../../../../src/core/engine/detach.ts";
import { collectGarbage } from "../../../../src/core/engine/gc.ts";
import type { Operation } from "../../../../src/core/engine/operation.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";
import { FakeIpam, refusal } from "../../../support/fake-ipam.ts";
import type { TestProcess } from "../../../support/test-process.ts";

let node: EngineFixture;
let ipam: FakeIpam;
let changes: object;

beforeEach(() => {
  node = new EngineFixture();
  ipam = new FakeIpam();
  changes = {};
});
afterEach(() => node.close());

function readConfig(): DelegatedConfig {
  return normaliseDelegated({
    cniVersion: "1.1.0",
    name: NETWORK,
    type: "hns-cni",
    mode: "l2bridge",
    ipam: { type: "fake-ipam" },
    ...changes,
  }).config;
}

function operate<T>(
  container: string,
  work: (operation: Operation<DelegatedConfig>, delegate: IpamDelegate) => Promise<T>,
  process = node.spawn(),
): Promise<T> {
  const operation = node.operation(process).withConfig(readConfig());
  return process.run(() => work(operation, new IpamDelegate(ipam.program(container), node.clock)));
}

const add = (pod: AttachRequest, process?: TestProcess): Promise<CniResult> =>
  operate(pod.containerId, (operation, delegate) => attachDelegated(operation, pod, delegate), process);
const del = (pod: AttachRequest): Promise<void> =>
  operate(pod.containerId, (operation, delegate) => detach(operation, pod, () => delegate.del(operation.deadline)));
const check = (pod: AttachRequest, prevResult?: CniResult): Promise<void> =>
  operate(pod.containerId, (operation, delegate) => checkDelegated(operation, { ...pod, prevResult }, delegate));
const gc = (valid: readonly AttachRequest[]): Promise<void> =>
  operate("none", (operation, delegate) => collectGarbage(operation, { network: NETWORK, valid }, delegate));
const status = (): Promise<void> => operate("none", (operation, delegate) => reportDelegatedStatus(operation, delegate));

function expectNothing(): void {
  expectNothingHeld();
  expect(node.model.handles.list()).toEqual([]);
}

/** A killed program leaves its handles to Windows. */
function expectNothingHeld(): void {
  expect(node.podEndpoints()).toEqual([]);
  expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  expect([...ipam.held]).toEqual([]);
}

describe("ADD", () => {
  test("point 74: takes over address, mask, routes and DNS; the gateway is gatewayMode's", async () => {
    const pod = node.pod("c1");
    const result = await add(pod);
    const route = { dst: "192.168.0.0/16", gw: "10.244.3.9" };
    expect(result).toMatchObject({
      interfaces: [{ name: "eth0", sandbox: pod.netns }],
      ips: [{ address: "10.244.3.7/24", interface: 0, gateway: "10.244.3.2" }],
      routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }, route],
      dns: { nameservers: ["10.0.0.53"], search: [], options: ["ndots:2"] },
    });
    expect(node.endpointOf(pod)).toMatchObject({ addresses: [{ address: "10.244.3.7", prefix: 24 }] });
    expect(node.rows("addresses")).toEqual([]);
    await check(pod, result);
    expect(ipam.calls).toEqual(["ADD c1", "CHECK c1"]);
  });

  test.each([
    ["0.2.0", { ip4: { ip: "ADDRESS/24", gateway: "10.244.3.1" } }],
    ["0.4.0", { ips: [{ version: "4", address: "ADDRESS/24" }] }],
  ])("point 74: an answer in %s is converted", async (cniVersion, answer) => {
    ipam.answer = { cniVersion, ...answer };
    expect((await add(node.pod("c1"))).ips).toEqual([{ address: "10.244.3.7/24", interface: 0, gateway: "10.244.3.2" }]);
  });

  test("one address of each family makes a network and an endpoint with both", async () => {
    ipam.answer = { cniVersion: "1.1.0", ips: [{ address: "ADDRESS/24" }, { address: "fd00::7/64" }], routes: [{ dst: "fd05::/64" }] };
    const pod = node.pod("c1");
    const result = await add(pod);
    expect(result.ips).toEqual([
      { address: "10.244.3.7/24", interface: 0, gateway: "10.244.3.2" },
      { address: "fd00::7/64", interface: 0, gateway: "fd00::2" },
    ]);
    expect(result.routes).toEqual([
      { dst: "0.0.0.0/0", gw: "10.244.3.2" },
      { dst: "::/0", gw: "fd00::2" },
      { dst: "fd05::/64", gw: "fd00::2" },
    ]);
    const [network] = node.model.world.networks.values();
    expect(network?.subnets.map(({ prefix }) => prefix)).toEqual(["10.244.3.0/24", "fd00::/64"]);
    await check(pod, result);
    await status();
    await del(pod);
    expectNothing();
  });

  test("a second family on an HNS without it is refused before anything is made, and both addresses go back", async () => {
    node.model.world.settings.version = { Major: 9, Minor: 5 };
    ipam.answer = { cniVersion: "1.1.0", ips: [{ address: "ADDRESS/24" }, { address: "fd00::7/64" }] };
    await expect(add(node.pod("c1"))).rejects.toMatchObject({ code: "UNSUPPORTED_FIELD", data: { field: "subnet" } });
    expect(node.model.world.networks.size).toBe(0);
    expectNothing();
  });

  test("without a mode the network's type counts", async () => {
    changes = { mode: undefined };
    await expect(add(node.pod("c1"))).rejects.toMatchObject({ code: "INVALID_CONFIG", data: { field: "mode" } });
    expect(ipam.calls).toEqual([]);
    node.foreignNetwork({ Type: "NAT" });
    const pod = node.pod("c2");
    const result = await add(pod);
    expect(result.ips[0]?.gateway).toBe("10.244.3.1");
    await check(pod, result);
    await status();
    await del(pod);
    expectNothing();
  });

  test("with gatewayMode ipam the gateway is the plugin's, and .2 may be a pod's", async () => {
    changes = { gatewayMode: "ipam" };
    ipam.next = 2;
    ipam.answer = { cniVersion: "1.1.0", ips: [{ address: "ADDRESS/24", gateway: "10.244.3.254" }] };
    const pod = node.pod("c1");
    expect(await add(pod)).toMatchObject({
      ips: [{ address: "10.244.3.2/24", gateway: "10.244.3.254" }],
      routes: [{ gw: "10.244.3.254" }],
    });
    await check(pod);
  });

  test("the subnet of the HNS network can be larger than the mask", async () => {
    changes = { ipam: { type: "fake-ipam", subnet: "10.244.3.0/24" } };
    ipam.answer = { cniVersion: "1.1.0", ips: [{ address: "ADDRESS/32" }] };
    const pod = node.pod("c1");
    expect((await add(pod)).ips).toEqual([{ address: "10.244.3.7/32", interface: 0, gateway: "10.244.3.2" }]);
    expect(node.endpointOf(pod)).toMatchObject({ addresses: [{ address: "10.244.3.7", prefix: 24 }] });
    await check(pod);
  });

  test("a repeat gives the same result and does not ask again", async () => {
    const pod = node.pod("c1");
    expect(await add(pod)).toEqual(await add(pod));
    expect(ipam.calls).toEqual(["ADD c1"]);
  });

  test("a repeat whose endpoint has another address than ADD gave makes it anew", async () => {
    const pod = node.pod("c1");
    await add(pod);
    for (const endpoint of node.podEndpoints()) {
      node.model.world.endpoints.set(endpoint.id, { ...endpoint, addresses: [{ address: "10.244.3.99", prefix: 24 }] });
    }
    expect((await add(pod)).ips[0]?.address).toBe("10.244.3.8/24");
    expect(node.endpointOf(pod)).toMatchObject({ addresses: [{ address: "10.244.3.8" }] });
  });

  test("a repeat whose endpoint is gone gives the old address back before it asks for one", async () => {
    const pod = node.pod("c1");
    await add(pod);
    node.model.world.endpoints.delete(node.endpointOf(pod)?.id ?? "");
    for (const namespace of node.model.world.namespaces.values()) namespace.endpoints = [];
    expect((await add(pod)).ips[0]?.address).toBe("10.244.3.8/24");
    expect(ipam.calls).toEqual(["ADD c1", "DEL c1", "ADD c1"]);
  });

  test.each([
    ["the gateway", { next: 2 }, /gave 10\.244\.3\.2, which is the pods' gateway.*/, 'rangeStart": "10.244.3.3'],
    ["HNS's own", { next: 1 }, /HNS keeps/, "10.244.3.3"],
    ["the broadcast", { next: 255 }, /no address for a pod/, "range"],
    [
      "two addresses of one family",
      { answer: { ips: [{ address: "ADDRESS/24" }, { address: "10.9.0.7/24" }] } },
      /several addresses of one family \(10\.244\.3\.7\/24, 10\.9\.0\.7\/24\)/,
      "one range a family",
    ],
    ["the IPv6 gateway", { answer: { ips: [{ address: "ADDRESS/24" }, { address: "fd00::2/64" }] } }, /fd00::2/, '"rangeStart": "fd00::3"'],
    ["no address of a pod", { answer: { ips: [{ address: "ADDRESS/24" }, { address: "fd00::/64" }] } }, /fd00::/, "fd00::3"],
    ["no address", { answer: { ips: [] } }, /no address/, "range"],
    ["a mask for nobody", { answer: { ips: [{ address: "ADDRESS/32" }] } }, /too small/, "set subnet"],
    ["IPv6 alone", { answer: { ips: [{ address: "fd00::7/64" }] } }, /IPv6 alone \(fd00::7\/64\)/, "an IPv4 range too"],
    [
      "an IPv6 route",
      { answer: { ips: [{ address: "ADDRESS/24" }], routes: [{ dst: "fd00::/8" }] } },
      /the route fd00::\/8/,
      "gateways of their family",
    ],
  ])(
    "an answer that no pod can have is refused and given back: %s",
    async (_, { answer, ...rest }: { answer?: object; next?: number }, message, remedy) => {
      Object.assign(ipam, rest, answer === undefined ? {} : { answer: { cniVersion: "1.1.0", ...answer } });
      const failure: unknown = await add(node.pod("c1")).catch((thrown: unknown) => thrown);
      expect(failure).toMatchObject({ code: "INVALID_CONFIG", message: expect.stringMatching(message) as string });
      expect(failure).toHaveProperty("data.remedy", expect.stringContaining(remedy));
      expect(ipam.calls).toEqual(["ADD c1", "DEL c1"]);
      expectNothing();
    },
  );

  test.each([
    [refusal(11, "busy"), { code: "DELEGATE_FAILED", data: { cniCode: 11 } }, ["ADD c1"]],
    [
      refusal(999, "no range"),
      { code: "DELEGATE_FAILED", message: 'the IPAM plugin "fake-ipam" failed at ADD with code 999: no range' },
      ["ADD c1"],
    ],
    [{ exitCode: 2, stdout: "panic" }, { code: "DELEGATE_FAILED" }, ["ADD c1", "DEL c1"]],
    [{ exitCode: 0, stdout: "" }, { code: "DELEGATE_FAILED" }, ["ADD c1", "DEL c1"]],
    [{ exitCode: 0, stdout: '{"cniVersion": "9.9.9"}' }, { code: "DELEGATE_FAILED" }, ["ADD c1", "DEL c1"]],
    [{ exitCode: 0, stdout: '{"cniVersion": "1.1.0", "ips": 5}' }, { code: "DELEGATE_FAILED" }, ["ADD c1", "DEL c1"]],
  ])("its answer %j fails the ADD; what it may have kept it gives back", async (output, error, calls) => {
    ipam.fail("ADD", { kind: "answer", output });
    await expect(add(node.pod("c1"))).rejects.toMatchObject(error);
    expect(ipam.calls).toEqual(calls);
    expectNothing();
  });

  test("a plugin that takes too long gets a DEL", async () => {
    ipam.fail("ADD", { kind: "timeout" });
    await expect(add(node.pod("c1"))).rejects.toMatchObject({ code: "OPERATION_TIMEOUT" });
    expectNothing();
  });

  test.each(["HcnCreateNetwork", "HcnCreateEndpoint", "HcnQueryEndpointProperties", "HcnModifyNamespace", "HnsEmulatorHost"])(
    "point 75: a failure of %s after the address is there gives it back",
    async (name) => {
      node.model.faults.add({ call: name, kind: "fail", hresult: 0x80004005 });
      await expect(add(node.pod("c1"))).rejects.toMatchObject({ data: { hresult: 0x80004005 } });
      expect(ipam.calls).toEqual(["ADD c1", "DEL c1"]);
      expectNothing();
    },
  );

  test("an address that HNS says is in use is given back and named", async () => {
    await add(node.pod("c1"));
    node.foreignEndpoint("other", "10.244.3.8");
    await expect(add(node.pod("c2"))).rejects.toMatchObject({
      code: "ADDRESS_CONFLICT",
      message: expect.stringContaining("10.244.3.8") as string,
    });
    expect([...ipam.held.keys()]).toEqual(["c1"]);
  });

  test("an address stays taken while HNS does not confirm that the endpoint is gone", async () => {
    const pod = node.pod("c1");
    node.model.faults.add({ call: "HcnModifyNamespace", kind: "fail", hresult: 0x80004005, nth: 1 });
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x80004005, nth: 1 });
    await expect(add(pod)).rejects.toThrow();
    expect(ipam.calls).toEqual(["ADD c1"]);
    expect(node.attachment(pod)?.phase).toBe("deleting");
    await del(pod);
    expectNothing();
  });

  test("an address that could not be given back is, by the next DEL or ADD", async () => {
    const pod = node.pod("c1");
    ipam.next = 2;
    ipam.fail("DEL", { kind: "answer", output: refusal(11, "busy") });
    await expect(add(pod)).rejects.toMatchObject({ code: "INVALID_CONFIG" });
    expect(node.attachment(pod)?.phase).toBe("deleting");
    expect((await add(pod)).ips[0]?.address).toBe("10.244.3.3/24");
    expect(ipam.calls).toEqual(["ADD c1", "DEL c1", "DEL c1", "ADD c1"]);
  });
});

describe("a program killed after the plugin gave an address", () => {
  async function crash(pod: AttachRequest): Promise<void> {
    const process = node.spawn();
    ipam.fail("ADD", { kind: "kill-caller", kill: () => (process.isAlive = false) });
    void add(pod, process).catch(() => undefined);
    await node.settle();
    expect([...ipam.held.keys()]).toEqual(["c1"]);
    expect(node.attachment(pod)?.phase).toBe("intent");
  }

  test.each([
    ["DEL", (pod: AttachRequest): Promise<void> => del(pod)],
    ["GC", (): Promise<void> => gc([])],
  ])("is cleaned up after by %s", async (_, clean) => {
    const pod = node.pod("c1");
    await crash(pod);
    await clean(pod);
    expectNothingHeld();
  });

  test("is followed by an ADD that gets an address", async () => {
    const pod = node.pod("c1");
    await crash(pod);
    expect((await add(pod)).ips[0]?.address).toBe("10.244.3.8/24");
    expect([...ipam.held.values()]).toEqual(["10.244.3.8"]);
  });
});

describe("DEL", () => {
  test("point 50: gives the address back once the endpoint is gone, and again, and for an unknown container", async () => {
    const pod = node.pod("c1");
    await add(pod);
    await del(pod);
    expectNothing();
    await del(pod);
    await del(node.pod("never"));
    expect(ipam.calls).toEqual(["ADD c1", "DEL c1", "DEL c1", "DEL never"]);
  });

  test("does not give it back while HNS has the endpoint", async () => {
    const pod = node.pod("c1");
    await add(pod);
    node.model.faults.add({ call: "HcnDeleteEndpoint", kind: "fail", hresult: 0x80004005, nth: 1 });
    await expect(del(pod)).rejects.toMatchObject({ retryable: true });
    expect(ipam.calls).toEqual(["ADD c1"]);
    await del(pod);
    expectNothing();
  });

  test("point 50: the plugin's error comes after our own cleanup, and a repeat settles it", async () => {
    const pod = node.pod("c1");
    await add(pod);
    ipam.fail("DEL", { kind: "answer", output: refusal(5, "disk full") });
    await expect(del(pod)).rejects.toMatchObject({ code: "DELEGATE_FAILED", data: { cniCode: 5 }, retryable: true });
    expect(node.podEndpoints()).toEqual([]);
    expect(node.attachment(pod)?.phase).toBe("deleting");
    await del(pod);
    expectNothing();
  });
});

test("CHECK reports what the plugin says, after our own comparison", async () => {
  const pod = node.pod("c1");
  await expect(check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED" });
  await add(pod);
  ipam.fail("CHECK", { kind: "answer", output: refusal(100, "no such reservation") });
  await expect(check(pod)).rejects.toMatchObject({ code: "DELEGATE_FAILED" });
  await check(pod);
  node.model.world.endpoints.delete(node.endpointOf(pod)?.id ?? "");
  await expect(check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED" });
});

describe("GC", () => {
  test("points 55 and 75: releases each stale attachment and is passed on, whatever failed before", async () => {
    const [keep, stale] = [node.pod("c1"), node.pod("c2")];
    await add(keep);
    await add(stale);
    ipam.fail("DEL", { kind: "answer", output: refusal(11, "busy") });
    await expect(gc([keep])).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
    expect(ipam.calls.slice(2)).toEqual(["DEL c2", "GC"]);
    await gc([keep]);
    expect(ipam.calls.slice(4)).toEqual(["DEL c2", "GC"]);
    expect([...ipam.held.keys()]).toEqual(["c1"]);
    expect(node.endpointOf(keep)).toBeDefined();
    ipam.fail("GC", { kind: "answer", output: refusal(11, "busy") });
    await expect(gc([keep])).rejects.toMatchObject({ code: "CLEANUP_FAILED" });
  });

  test("gives back the address of an endpoint that no record names", async () => {
    const pod = node.pod("c1");
    await add(pod);
    node.database.run("DELETE FROM attachments");
    await gc([]);
    expectNothing();
  });
});

describe("STATUS", () => {
  test.each([
    ["before there is a network", (): Promise<unknown> => Promise.resolve()],
    ["with one", (): Promise<unknown> => add(node.pod("c1"))],
  ])("point 75: is passed on %s", async (_, prepare) => {
    await prepare();
    await status();
    ipam.fail("STATUS", { kind: "answer", output: refusal(51, "gone") });
    await expect(status()).rejects.toMatchObject({ code: "DELEGATE_FAILED", data: { existingContainersAffected: true } });
  });

  test("a network that differs is told before the plugin is asked", async () => {
    node.foreignNetwork({
      Type: "Overlay",
      Ipams: [
        { Type: "Static", Subnets: [{ IpAddressPrefix: "10.9.0.0/24", Policies: [{ Type: "VSID", Settings: { IsolationId: 4096 } }] }] },
      ],
    });
    await expect(status()).rejects.toMatchObject({ code: "NETWORK_MISMATCH" });
    expect(ipam.calls).toEqual([]);
  });
});
