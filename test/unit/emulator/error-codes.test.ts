/** Every HRESULT that clients of HNS tell apart, and a call that earns it. */
import { HRESULT } from "../../emulator/model/hresult.ts";
import { L2_NETWORK, ModelKit, ZERO } from "./model-kit.ts";

const ID = "ABCDEF00-1111-2222-3333-444444444444";
const host = { SystemType: "Host", CompartmentId: 1 };
const at = (address: string, more: object = {}): object => ({ IpConfigurations: [{ IpAddress: address }], ...more });
const withPolicy = (Type: string, Settings: object): object => ({ Policies: [{ Type, Settings }] });
const policyChange = (RequestType: string, Type: string, Settings: object): object => ({
  ResourceType: "Policy",
  RequestType,
  Settings: { Policies: [{ Type, Settings }] },
});

/** Code, what happens, and the call; a kit of its own each. */
const CASES: readonly (readonly [keyof typeof HRESULT, string, (kit: ModelKit) => number | undefined])[] = [
  ["OK", "anything that works", (kit) => kit.code("HcnEnumerateNetworks", null)],
  ["NETWORK_NOT_FOUND", "opening a network that is not there", (kit) => kit.code("HcnOpenNetwork", ID)],
  ["ENDPOINT_NOT_FOUND", "deleting an endpoint that is not there", (kit) => kit.code("HcnDeleteEndpoint", ID)],
  ["ELEMENT_NOT_FOUND", "opening a namespace that is not there", (kit) => kit.code("HcnOpenNamespace", ID)],
  [
    "SUBNET_NOT_FOUND",
    "removing a subnet that the network does not have",
    (kit) =>
      kit.code("HcnModifyNetwork", kit.network(), {
        ResourceType: "Subnet",
        RequestType: "Remove",
        Settings: { Subnets: [{ IpAddressPrefix: "10.9.0.0/24" }] },
      }),
  ],
  [
    "ADAPTER_NOT_FOUND",
    "a network on a card that is not there",
    (kit) =>
      kit.code("HcnCreateNetwork", ZERO, { ...L2_NETWORK, ...withPolicy("NetAdapterName", { NetworkAdapterName: "vEthernet (x)" }) }),
  ],
  [
    "PORT_NOT_FOUND",
    "releasing ports that went with their service",
    (kit) => {
      const service = kit.need(kit.call("HcnCreateGuestNetworkService", ID, {})).handle;
      const { handle } = kit.need(kit.call("HcnReserveGuestNetworkServicePort", service, 1, 1, 80));
      kit.call("HcnDeleteGuestNetworkService", ID);
      return kit.code("HcnReleaseGuestNetworkServicePortReservationHandle", handle);
    },
  ],
  ["INVALID_NETWORK_TYPE", "a network type nobody knows", (kit) => kit.code("HcnCreateNetwork", ZERO, { Type: "Bridge" })],
  ["INVALID_ENDPOINT", "a MAC address that is none", (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, { MacAddress: "x" })],
  [
    "INVALID_POLICY",
    "a policy with wrong settings",
    (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, withPolicy("ACL", { Action: "Maybe" })),
  ],
  ["INVALID_POLICY_TYPE", "a policy nobody knows", (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, withPolicy("Magic", {}))],
  [
    "INVALID_REMOTE_ENDPOINT_OPERATION",
    "a remote endpoint into a namespace",
    (kit) => kit.join(kit.namespace().handle, kit.endpoint(kit.network(), at("10.244.3.9", { Flags: 1 })).id),
  ],
  [
    "NETWORK_ALREADY_EXISTS",
    "a second network of one name",
    (kit) => {
      kit.network();
      return kit.code("HcnCreateNetwork", ZERO, L2_NETWORK);
    },
  ],
  [
    "POLICY_ALREADY_EXISTS",
    "a second address set of one id",
    (kit) => {
      const network = kit.network();
      kit.call("HcnModifyNetwork", network, policyChange("Add", "SetPolicy", { Id: "a", Values: "" }));
      return kit.code("HcnModifyNetwork", network, policyChange("Add", "SetPolicy", { Id: "a", Values: "10.0.0.1" }));
    },
  ],
  [
    "PORT_ALREADY_EXISTS",
    "a host port that somebody has",
    (kit) => {
      const network = kit.network();
      const mapping = withPolicy("PortMapping", { InternalPort: 80, ExternalPort: 8080, Protocol: 6 });
      kit.endpoint(network, mapping);
      return kit.code("HcnCreateEndpoint", network, ZERO, mapping);
    },
  ],
  [
    "ENDPOINT_ALREADY_ATTACHED",
    "an endpoint into the namespace it is in",
    (kit) => {
      const [namespace, { id }] = [kit.namespace().handle, kit.endpoint(kit.network())];
      kit.join(namespace, id);
      return kit.join(namespace, id);
    },
  ],
  ["REQUEST_UNSUPPORTED", "a request nobody knows", (kit) => kit.code("HcnModifyNetwork", kit.network(), { ResourceType: "Cloud" })],
  [
    "MAPPING_NOT_SUPPORTED",
    "a port mapping on a transparent network",
    (kit) =>
      kit.code(
        "HcnCreateEndpoint",
        kit.network({ Name: "t", Type: "Transparent" }),
        ZERO,
        withPolicy("PortMapping", { InternalPort: 80, ExternalPort: 80 }),
      ),
  ],
  ["INVALID_JSON", "settings that are no JSON", (kit) => kit.code("HcnCreateNetwork", ZERO, "{")],
  [
    "INVALID_JSON_REFERENCE",
    "a load balancer over an endpoint that is not there",
    (kit) => kit.code("HcnCreateLoadBalancer", ZERO, { HostComputeEndpoints: [ID] }),
  ],
  [
    "INVALID_PREFIX",
    "a prefix longer than the address",
    (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, { IpConfigurations: [{ IpAddress: "10.244.3.9", PrefixLength: 99 }] }),
  ],
  ["INVALID_IP", "an address outside the network's subnets", (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, at("10.9.9.9"))],
  [
    "SWITCH_EXTENSION_NOT_FOUND",
    "switching on an extension that is not installed",
    (kit) =>
      kit.code("HcnModifyNetwork", kit.network(), {
        ResourceType: "Extension",
        RequestType: "Update",
        Settings: { Id: ID, IsEnabled: true },
      }),
  ],
  [
    "DEFAULT_NAMESPACE_EXISTS",
    "a second default namespace",
    (kit) => {
      kit.call("HcnCreateNamespace", ZERO, { Type: "HostDefault" });
      return kit.code("HcnCreateNamespace", ZERO, { Type: "HostDefault" });
    },
  ],
  [
    "ENDPOINT_IN_NAMESPACE",
    "an endpoint into a second namespace",
    (kit) => {
      const { id } = kit.endpoint(kit.network());
      kit.join(kit.namespace().handle, id);
      return kit.join(kit.namespace().handle, id);
    },
  ],
  [
    "HAS_REFERENCES",
    "deleting the endpoint of a load balancer",
    (kit) => {
      const { id } = kit.endpoint(kit.network());
      kit.need(kit.call("HcnCreateLoadBalancer", ZERO, { HostComputeEndpoints: [id] }));
      return kit.code("HcnDeleteEndpoint", id);
    },
  ],
  [
    "INVALID_INTERNAL_PORT",
    "a port mapping to no port",
    (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, withPolicy("PortMapping", { ExternalPort: 80 })),
  ],
  ["ADDRESS_RESERVED", "the gateway's address", (kit) => kit.code("HcnCreateEndpoint", kit.network(), ZERO, at("10.244.3.1"))],
  [
    "INVALID_HANDLE",
    "a handle that was closed",
    (kit) => {
      const network = kit.network();
      kit.call("HcnCloseNetwork", network);
      return kit.code("HcnQueryNetworkProperties", network, "");
    },
  ],
  ["INVALID_ARGUMENT", "a NULL handle", (kit) => kit.code("HcnCloseNetwork", 0)],
  [
    "OBJECT_EXISTS",
    "an address that another endpoint has",
    (kit) => {
      const network = kit.network();
      kit.endpoint(network, at("10.244.3.5"));
      return kit.code("HcnCreateEndpoint", network, ZERO, at("10.244.3.5"));
    },
  ],
  ["SYSTEM_NOT_FOUND", "opening a container that is not there", openMissingSystem],
  ["RPC_CALL_FAILED", "a service that restarts during the call", (kit) => answerAfterRestart(kit)],
];

function openMissingSystem(kit: ModelKit): number {
  kit.model.world.settings.anyComputeSystem = false;
  return kit.code("HcsOpenComputeSystem", "gone");
}

function answerAfterRestart(kit: ModelKit): number {
  const pending = kit.model.begin("HcnEnumerateNetworks", [null], { pid: 1 });
  kit.model.restart({ loseEndpoints: false });
  return kit.model.execute(pending).hresult;
}

/** Not earned by a call: the service is not there at all, and the answer to a fault that names no code. */
const WITHOUT_CALL = ["RPC_UNAVAILABLE", "UNEXPECTED"];

describe("HRESULTs", () => {
  test.each(CASES)("%s: %s", (name, _what, call) => {
    expect(call(new ModelKit())?.toString(16)).toBe(HRESULT[name].toString(16));
  });

  test("none is without a call that earns it", () => {
    const earned = CASES.map(([name]): string => name);
    expect([...earned, ...WITHOUT_CALL].sort()).toEqual(Object.keys(HRESULT).sort());
  });

  test("version 1 puts the code into its envelope", () => {
    const kit = new ModelKit();
    const { id } = kit.endpoint(kit.network());
    kit.v1("POST", `/endpoints/${id}/attach`, host);
    expect(kit.v1("POST", `/endpoints/${id}/attach`, host)).toMatchObject({ Success: false, ErrorCode: HRESULT.ENDPOINT_ALREADY_ATTACHED });
  });

  test("the text is whatever the Windows speaks; the code is the same", () => {
    const { errorRecord } = new ModelKit({ errorText: "Element nicht gefunden. " }).call("HcnDeleteNetwork", ID);
    expect(JSON.parse(errorRecord ?? "")).toEqual({
      Success: false,
      Error: "Element nicht gefunden. ",
      ErrorCode: HRESULT.NETWORK_NOT_FOUND,
    });
  });
});
