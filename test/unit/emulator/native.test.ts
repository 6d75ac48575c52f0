import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ControlError, EmulatorClient } from "../../emulator/client.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import { buildEmulator } from "../../emulator/native/build.ts";
import { NativeHns } from "./native-hns.ts";

const NETWORK = "11111111-2222-3333-4444-555555555555";
const ENDPOINT = "AAAAAAAA-BBBB-CCCC-DDDD-EEEEEEEEEEEE";
const ZERO = "00000000-0000-0000-0000-000000000000";

const L2 = {
  Name: "l2",
  Type: "l2bridge",
  Ipams: [
    {
      Type: "Static",
      Subnets: [{ IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] }],
    },
  ],
};

let folder = "";
let emulator: EmulatorClient;
let hns: NativeHns;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hns-native-"));
  await buildEmulator({ outDir: folder, platforms: ["linux-x64"] });
  emulator = await EmulatorClient.start();
  hns = new NativeHns(join(folder, "linux-x64/libcomputenetwork.so"));
  hns.useAddress(emulator.address);
});

afterAll(async () => {
  await emulator.close();
  await rm(folder, { recursive: true });
});

beforeEach(() => emulator.reset());

describe("the native library against the emulator's process", () => {
  test("creates, reads and deletes a network, with handles above 2^32 and no error record on success", async () => {
    const created = await hns.create("Network", NETWORK, JSON.stringify(L2));
    expect(created.hresult).toBe(0);
    expect(created.error).toBeNull();
    expect(created.handle).toBeGreaterThan(2n ** 32n);
    const queried = await hns.query("Network", created.handle, "");
    expect(JSON.parse(queried.output ?? "")).toMatchObject({ ID: NETWORK, Name: "l2", Type: "L2Bridge" });
    expect(await hns.close("Network", created.handle)).toBe(0);
    expect(await hns.close("Network", created.handle)).toBe(HRESULT.INVALID_HANDLE);
    expect((await hns.remove("Network", NETWORK)).hresult).toBe(0);
    const again = await hns.remove("Network", NETWORK);
    expect(again.hresult).toBe(HRESULT.NETWORK_NOT_FOUND);
    expect(JSON.parse(again.error ?? "")).toMatchObject({ Success: false, ErrorCode: HRESULT.NETWORK_NOT_FOUND });
  });

  test("passes a GUID's bytes in their mixed order", async () => {
    await hns.create("Network", "01234567-89AB-CDEF-0123-456789ABCDEF", JSON.stringify(L2));
    expect(await emulator.networks()).toMatchObject([{ id: "01234567-89AB-CDEF-0123-456789ABCDEF" }]);
  });

  test("carries text beyond the basic plane both ways", async () => {
    const name = "größe-網路-\u{1F680}-\u{10FFFF}";
    const created = await hns.create("Network", ZERO, JSON.stringify({ ...L2, Name: name }));
    expect(await emulator.networks()).toMatchObject([{ name }]);
    const queried = await hns.query("Network", created.handle, null);
    expect(JSON.parse(queried.output ?? "")).toMatchObject({ Name: name });
  });

  test("replaces a lone surrogate, which UTF-8 cannot carry", async () => {
    await hns.create("Network", ZERO, JSON.stringify({ ...L2, Name: "x" }).replace('"x"', '"a\ud800b"'));
    expect(await emulator.networks()).toMatchObject([{ name: "a\ufffdb" }]);
  });

  test("answers large documents whole", async () => {
    const network = await emulator.createNetwork({ ...L2, Ipams: [{ Subnets: [{ IpAddressPrefix: "10.0.0.0/8" }] }] });
    for (let i = 0; i < 300; i++) await emulator.createEndpoint(network.ID, { Name: `endpoint-${i}-${"x".repeat(60)}` });
    const listed = await hns.hnsCall("GET", "/endpoints/", "");
    const envelope = JSON.parse(listed.output ?? "") as { Output: unknown[] };
    expect(envelope.Output).toHaveLength(300);
  });

  test("joins a namespace that somebody else made", async () => {
    const namespace = await emulator.createNamespace();
    const network = await hns.create("Network", NETWORK, JSON.stringify(L2));
    const document = JSON.stringify({ Name: "pod", HostComputeNetwork: NETWORK, IpConfigurations: [{ IpAddress: "10.244.3.5" }] });
    const endpoint = await hns.createEndpoint(network.handle, ENDPOINT, document);
    expect(endpoint.hresult).toBe(0);
    const opened = await hns.open("Namespace", namespace);
    const join = JSON.stringify({ ResourceType: "Endpoint", RequestType: "Add", Settings: { EndpointId: ENDPOINT.toLowerCase() } });
    expect((await hns.modify("Namespace", opened.handle, join)).hresult).toBe(0);
    expect(await emulator.namespaces()).toMatchObject([{ id: namespace, endpoints: [ENDPOINT] }]);
  });

  test("refuses NULL where HNS needs a value", async () => {
    expect((await hns.create("Network", null, "{}")).hresult).toBe(HRESULT.INVALID_ARGUMENT);
    expect((await hns.create("Network", ZERO, null)).hresult).toBe(HRESULT.INVALID_ARGUMENT);
    expect((await hns.open("Network", ZERO)).hresult).toBe(HRESULT.INVALID_ARGUMENT);
    expect((await hns.query("Network", 0n, "")).hresult).toBe(HRESULT.INVALID_ARGUMENT);
  });

  test("logs every call with its caller, closes included, and counts open handles", async () => {
    const created = await hns.create("Network", NETWORK, JSON.stringify(L2));
    await hns.open("Network", NETWORK);
    await hns.close("Network", created.handle);
    const calls = await emulator.calls();
    expect(calls.map(({ name, hresult, pid }) => ({ name, hresult, pid }))).toEqual(
      ["HcnCreateNetwork", "HcnOpenNetwork", "HcnCloseNetwork"].map((name) => ({ name, hresult: 0, pid: process.pid })),
    );
    expect(await emulator.counts()).toEqual({ HcnCreateNetwork: 1, HcnOpenNetwork: 1, HcnCloseNetwork: 1 });
    expect(await emulator.handles()).toMatchObject([{ kind: "network", id: NETWORK, pid: process.pid }]);
  });

  test("asks the emulated machine without that being an HNS call", async () => {
    const identity = await hns.host({ op: "identity" });
    const { bootId, hnsStart } = await emulator.status();
    expect(JSON.parse(identity.output ?? "")).toEqual({ bootId, hnsStart });
    const network = await emulator.createNetwork(L2);
    const endpoint = await emulator.createEndpoint(network.ID, { IpConfigurations: [{ IpAddress: "10.244.3.2" }] });
    const request = { op: "set-forwarding", address: "10.244.3.2", enabled: true };
    expect((await hns.host(request)).hresult).toBe(HRESULT.ELEMENT_NOT_FOUND);
    await emulator.hnsCall("POST", `/endpoints/${endpoint.ID}/attach`, { SystemType: "Host", CompartmentId: 1 });
    expect((await hns.host(request)).hresult).toBe(0);
    expect(await emulator.endpoints()).toMatchObject([{ forwarding: true, hostCompartment: 1 }]);
    expect(await emulator.calls()).toEqual([]);
  });

  test("delivers service notifications until they are taken back", async () => {
    const { received, handle, next } = hns.registerCallback();
    await emulator.createNetwork(L2, NETWORK);
    while (received.length < 2) await next();
    await emulator.restart();
    while (received.length < 3) await next();
    expect(received.map(({ type }) => type)).toEqual([1, 2, 0x01000000]);
    expect(JSON.parse(received[0]?.data ?? "")).toEqual({ ID: NETWORK });
    // The restart took the handle away; the library's own registration ends all the same.
    expect(await hns.unregisterCallback(handle)).toBe(HRESULT.INVALID_HANDLE);
    await emulator.deleteNetwork(NETWORK);
    expect(received).toHaveLength(3);
  });

  test("says that nobody is there, and comes back when somebody is", async () => {
    hns.useAddress("127.0.0.1:1");
    expect((await hns.enumerate("Networks", null)).hresult).toBe(HRESULT.RPC_UNAVAILABLE);
    hns.useAddress(emulator.address);
    expect((await hns.enumerate("Networks", null)).hresult).toBe(0);
  });

  test("lets other threads call while one hangs, and tells the hanging one when the emulator dies", async () => {
    const other = await EmulatorClient.start();
    hns.useAddress(other.address);
    await other.addFault({ call: "HcnEnumerateNetworks", kind: "hang" });
    const hanging = hns.enumerate("Networks", null);
    while ((await other.calls()).length === 0) await other.status();
    expect((await hns.enumerate("Endpoints", null)).output).toBe("[]");
    expect(await other.calls()).toMatchObject([
      { name: "HcnEnumerateNetworks", hresult: null, fault: "hang" },
      { name: "HcnEnumerateEndpoints", hresult: 0 },
    ]);
    await other.close();
    expect((await hanging).hresult).toBe(HRESULT.RPC_CALL_FAILED);
    hns.useAddress(emulator.address);
  });

  test("gives a foreigner's refusal with its HRESULT", async () => {
    await expect(emulator.deleteNetwork(NETWORK)).rejects.toBeInstanceOf(ControlError);
    await expect(emulator.deleteNetwork(NETWORK)).rejects.toMatchObject({ hresult: HRESULT.NETWORK_NOT_FOUND });
  });
});
