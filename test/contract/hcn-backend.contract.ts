import { findGuid, formatGuid, type Guid } from "../../src/core/base/ids.ts";
import type { HcnBackend, HcnHandle, HcnKind } from "../../src/core/hcn/backend.ts";
import { buildMembershipRequest, parseEndpoint, parseNetwork } from "../../src/core/hcn/documents.ts";
import type { FaultSpec } from "../emulator/model/faults.ts";
import type { Settings } from "../emulator/model/world.ts";
import { anyNumber } from "../support/matchers.ts";

/** A backend and the other side of its HNS, as a test turns it. */
export interface BackendHarness {
  readonly backend: HcnBackend;
  /** An empty service. */
  reset(settings?: Partial<Settings>): Promise<void>;
  addFault(fault: FaultSpec): Promise<void>;
  openHandles(): Promise<number>;
  networkNames(): Promise<string[]>;
  createNamespace(): Promise<string>;
  close(): Promise<void>;
}

const OPTIONS = { deadlineMs: 20_000 };
const SHORT = { deadlineMs: 30 };
const NETWORK_ID = guid("11111111-2222-4333-8444-555555555555");
const ENDPOINT_ID = guid("aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee");
const UNKNOWN = guid("99999999-9999-4999-8999-999999999999");
const SCHEMA = { SchemaVersion: { Major: 2, Minor: 0 } };
const SUBNET = { IpAddressPrefix: "10.244.3.0/24", Routes: [{ NextHop: "10.244.3.1", DestinationPrefix: "0.0.0.0/0" }] };
const L2BRIDGE = {
  ...SCHEMA,
  Name: "größe-網路-\u{1F680}",
  Type: "L2Bridge",
  Flags: 0,
  Ipams: [{ Type: "Static", Subnets: [SUBNET] }],
  Policies: [],
};

export function guid(text: string): Guid {
  const found = findGuid(text);
  if (found === undefined) throw new Error(text);
  return found;
}

function endpointDocument(address: string): object {
  return {
    ...SCHEMA,
    Name: `pod-${address}`,
    HostComputeNetwork: formatGuid(NETWORK_ID),
    IpConfigurations: [{ IpAddress: address, PrefixLength: 24 }],
  };
}

/** What every way to HNS does. */
export function describeHcnBackend(name: string, open: () => Promise<BackendHarness>): void {
  describe(`${name} as an HCN backend`, () => {
    let harness: BackendHarness;
    let hcn: HcnBackend;

    beforeAll(async () => {
      harness = await open();
      hcn = harness.backend;
    });
    afterAll(() => harness.close());
    beforeEach(() => harness.reset());

    async function withNetwork(work: (network: HcnHandle) => Promise<void>): Promise<void> {
      const network = await hcn.createNetwork(NETWORK_ID, L2BRIDGE, OPTIONS);
      await work(network);
      await hcn.close(network, OPTIONS);
      expect(await harness.openHandles()).toBe(0);
    }

    test("creates, finds, opens, describes and deletes a network, with text of every plane", () =>
      withNetwork(async (network) => {
        expect(network.kind).toBe("network");
        expect(parseNetwork(await hcn.query(network, OPTIONS))).toMatchObject({ id: NETWORK_ID, name: L2BRIDGE.Name, type: "L2Bridge" });
        expect(await hcn.enumerate("network", { Name: L2BRIDGE.Name }, OPTIONS)).toEqual([NETWORK_ID]);
        expect(await hcn.enumerate("network", { Name: "other" }, OPTIONS)).toEqual([]);
        expect(await hcn.enumerate("network", {}, OPTIONS)).toEqual([NETWORK_ID]);
        const again = await hcn.open("network", NETWORK_ID, OPTIONS);
        expect(parseNetwork(await hcn.query(again, OPTIONS)).id).toBe(NETWORK_ID);
        await hcn.close(again, OPTIONS);
        await hcn.delete("network", NETWORK_ID, OPTIONS);
        expect(await hcn.enumerate("network", {}, OPTIONS)).toEqual([]);
      }));

    test("creates an endpoint, makes it a member of a namespace and takes it out again", () =>
      withNetwork(async (network) => {
        const namespaceId = guid(await harness.createNamespace());
        const endpoint = await hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.244.3.7"), OPTIONS);
        const namespace = await hcn.open("namespace", namespaceId, OPTIONS);
        expect(parseEndpoint(await hcn.query(endpoint, OPTIONS))).toMatchObject({
          id: ENDPOINT_ID,
          network: NETWORK_ID,
          namespace: undefined,
        });
        await hcn.modify(namespace, buildMembershipRequest("Add", formatGuid(ENDPOINT_ID)), OPTIONS);
        expect(parseEndpoint(await hcn.query(endpoint, OPTIONS))).toMatchObject({
          namespace: namespaceId,
          addresses: [{ address: "10.244.3.7", prefixLength: 24 }],
        });
        await hcn.modify(namespace, buildMembershipRequest("Remove", formatGuid(ENDPOINT_ID)), OPTIONS);
        expect(parseEndpoint(await hcn.query(endpoint, OPTIONS)).namespace).toBeUndefined();
        for (const handle of [namespace, endpoint]) await hcn.close(handle, OPTIONS);
        expect(await hcn.enumerate("endpoint", { VirtualNetwork: formatGuid(NETWORK_ID) }, OPTIONS)).toEqual([ENDPOINT_ID]);
        await hcn.delete("endpoint", ENDPOINT_ID, OPTIONS);
        expect(await hcn.enumerate("endpoint", {}, OPTIONS)).toEqual([]);
      }));

    test.each<HcnKind>(["network", "endpoint", "namespace", "loadBalancer", "sdnRoute"])(
      "lists %ss: none on an empty service",
      async (kind) => {
        expect(await hcn.enumerate(kind, {}, OPTIONS)).toEqual([]);
      },
    );

    test("version 1 calls give the Output of their envelope, and take a body", () =>
      withNetwork(async (network) => {
        expect(await hcn.callV1({ method: "GET", path: "/globals/version" }, OPTIONS)).toMatchObject({
          Major: anyNumber(),
          Minor: anyNumber(),
        });
        const endpoint = await hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.244.3.2"), OPTIONS);
        await hcn.close(endpoint, OPTIONS);
        const path = `/endpoints/${formatGuid(ENDPOINT_ID)}`;
        await hcn.callV1({ method: "POST", path: `${path}/attach`, body: { SystemType: "Host", CompartmentId: 1 } }, OPTIONS);
        expect(await hcn.callV1({ method: "GET", path }, OPTIONS)).toMatchObject({ IPAddress: "10.244.3.2" });
        expect(await hcn.callV1({ method: "DELETE", path }, OPTIONS)).toBeDefined();
      }));

    const REFUSALS: readonly [string, number, (network: HcnHandle) => Promise<unknown>][] = [
      ["opening an unknown network", 0x803b0001, () => hcn.open("network", UNKNOWN, OPTIONS)],
      ["opening an unknown endpoint", 0x803b0002, () => hcn.open("endpoint", UNKNOWN, OPTIONS)],
      ["opening an unknown namespace", 0x80070490, () => hcn.open("namespace", UNKNOWN, OPTIONS)],
      ["deleting an unknown network", 0x803b0001, () => hcn.delete("network", UNKNOWN, OPTIONS)],
      ["deleting an unknown endpoint", 0x803b0002, () => hcn.delete("endpoint", UNKNOWN, OPTIONS)],
      ["creating a network of a name that exists", 0x803b0010, () => hcn.createNetwork(UNKNOWN, L2BRIDGE, OPTIONS)],
      [
        "creating an endpoint with a reserved address",
        0x803b002f,
        (network) => hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.244.3.1"), OPTIONS),
      ],
      [
        "creating an endpoint outside the subnet",
        0x803b001e,
        (network) => hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.9.0.1"), OPTIONS),
      ],
      [
        "a modification of an unknown kind",
        0x803b0015,
        (network) => hcn.modify(network, { ResourceType: "Nonsense", RequestType: "Add", Settings: {} }, OPTIONS),
      ],
      [
        "a version 1 call about an unknown endpoint",
        0x803b0002,
        () => hcn.callV1({ method: "GET", path: `/endpoints/${formatGuid(UNKNOWN)}` }, OPTIONS),
      ],
      ["a version 1 call of an unknown kind", 0x803b0015, () => hcn.callV1({ method: "GET", path: "/nonsense" }, OPTIONS)],
    ];

    test.each(REFUSALS)("%s is HNS_REFUSED with its HRESULT", (_what, hresult, call) =>
      withNetwork(async (network) => {
        await expect(call(network)).rejects.toMatchObject({ code: "HNS_REFUSED", data: { hresult } });
      }),
    );

    test("a handle that is closed cannot be used or closed again", async () => {
      const network = await hcn.createNetwork(NETWORK_ID, L2BRIDGE, OPTIONS);
      await hcn.close(network, OPTIONS);
      const refused = { code: "HNS_REFUSED", data: { hresult: 0x80070006 } };
      await expect(hcn.query(network, OPTIONS)).rejects.toMatchObject(refused);
      await expect(hcn.modify(network, {}, OPTIONS)).rejects.toMatchObject(refused);
      await expect(hcn.close(network, OPTIONS)).rejects.toMatchObject(refused);
      await expect(hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.244.3.7"), OPTIONS)).rejects.toMatchObject(refused);
    });

    test("an address in use is told by its HRESULT", () =>
      withNetwork(async (network) => {
        await hcn.close(await hcn.createEndpoint(network, ENDPOINT_ID, endpointDocument("10.244.3.7"), OPTIONS), OPTIONS);
        const second = hcn.createEndpoint(network, UNKNOWN, endpointDocument("10.244.3.7"), OPTIONS);
        await expect(second).rejects.toMatchObject({ data: { hresult: 0x80071392 } });
      }));

    test("a version 1 refusal is the same where HNSCall itself fails, as on newer builds", async () => {
      await harness.reset({ hnsCallFails: true });
      const call = hcn.callV1({ method: "GET", path: `/endpoints/${formatGuid(UNKNOWN)}` }, OPTIONS);
      await expect(call).rejects.toMatchObject({ code: "HNS_REFUSED", data: { hresult: 0x803b0002 } });
    });

    test("a service that is not there is HNS_UNAVAILABLE", async () => {
      await harness.addFault({ call: "*", kind: "fail", hresult: 0x800706ba });
      await expect(hcn.enumerate("network", {}, OPTIONS)).rejects.toMatchObject({ code: "HNS_UNAVAILABLE" });
      await expect(hcn.open("network", UNKNOWN, OPTIONS)).rejects.toMatchObject({ code: "HNS_UNAVAILABLE" });
    });

    test("a call that hangs is HNS_TIMEOUT at its deadline, and others are answered meanwhile", async () => {
      await harness.addFault({ call: "HcnEnumerateNetworks", kind: "hang", nth: 1 });
      let turns = 0;
      const turning = setInterval(() => (turns += 1), 1);
      const hung = hcn.enumerate("network", {}, { deadlineMs: 300 });
      hung.catch(() => undefined); // it may end before it is looked at
      const other = await hcn.enumerate("endpoint", {}, OPTIONS);
      expect(other).toEqual([]);
      await expect(hung).rejects.toMatchObject({ code: "HNS_TIMEOUT", retryable: true });
      clearInterval(turning);
      expect(turns).toBeGreaterThan(0);
      expect(await hcn.enumerate("network", {}, OPTIONS)).toEqual([]);
    });

    test("a handle that comes after the deadline is not left open", async () => {
      await harness.addFault({ call: "HcnCreateNetwork", kind: "late", nth: 1, ms: 120 });
      await expect(hcn.createNetwork(NETWORK_ID, L2BRIDGE, SHORT)).rejects.toMatchObject({ code: "HNS_TIMEOUT" });
      await until(async () => (await harness.networkNames()).length === 1);
      await until(async () => (await harness.openHandles()) === 0);
      expect(await hcn.enumerate("network", {}, OPTIONS)).toEqual([NETWORK_ID]);
    });

    test("a delay within the deadline changes nothing", async () => {
      await harness.addFault({ call: "HcnEnumerateNetworks", kind: "delay", ms: 20 });
      expect(await hcn.enumerate("network", {}, OPTIONS)).toEqual([]);
    });

    test("many calls at once are each answered for themselves", () =>
      withNetwork(async (network) => {
        const ids = Array.from({ length: 24 }, (_, index) => guid(`aaaaaaaa-bbbb-4ccc-8ddd-${String(index).padStart(12, "0")}`));
        const made = await Promise.all(
          ids.map((id, index) => hcn.createEndpoint(network, id, endpointDocument(`10.244.3.${index + 10}`), OPTIONS)),
        );
        const described = await Promise.all(made.map(async (handle) => parseEndpoint(await hcn.query(handle, OPTIONS))));
        expect(described.map(({ id }) => id)).toEqual(ids);
        expect(described.map(({ addresses }) => addresses[0]?.address)).toEqual(ids.map((_, index) => `10.244.3.${index + 10}`));
        await Promise.all(made.map((handle) => hcn.close(handle, OPTIONS)));
      }));
  });
}

/** Asks again, in turns of the event loop, until `condition` holds; the test's own time limit ends what never does. */
async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise<void>((resolve) => setImmediate(resolve));
}
