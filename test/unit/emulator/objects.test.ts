import { HRESULT } from "../../emulator/model/hresult.ts";
import { L2_NETWORK, ModelKit, SUBNET, ZERO } from "./model-kit.ts";

const ID = "ABCDEF00-1111-2222-3333-444444444444";

describe("networks", () => {
  test.each<[string, object | string, number]>([
    ["text that is no JSON", "{", HRESULT.INVALID_JSON],
    ["JSON that is no object", "[]", HRESULT.INVALID_JSON],
    ["a field of the wrong type", { Name: 1, Type: "NAT" }, HRESULT.INVALID_JSON],
    ["an unknown type", { Type: "Bridge" }, HRESULT.INVALID_NETWORK_TYPE],
    [
      "an adapter that is not there",
      { Type: "L2Bridge", Policies: [{ Type: "NetAdapterName", Settings: { NetworkAdapterName: "Wi-Fi" } }] },
      HRESULT.ADAPTER_NOT_FOUND,
    ],
    ["an unknown policy", { Type: "L2Bridge", Policies: [{ Type: "Magic", Settings: {} }] }, HRESULT.INVALID_POLICY_TYPE],
    ["a policy with wrong settings", { Type: "Overlay", Policies: [{ Type: "VxlanPort", Settings: { Port: 0 } }] }, HRESULT.INVALID_POLICY],
    ["a subnet that is none", { Type: "L2Bridge", Ipams: [{ Subnets: [{ IpAddressPrefix: "10.0.0.0/33" }] }] }, HRESULT.INVALID_IP],
    [
      "a gateway outside its subnet",
      { Type: "L2Bridge", Ipams: [{ Subnets: [{ ...SUBNET, Routes: [{ NextHop: "10.9.9.9" }] }] }] },
      HRESULT.INVALID_IP,
    ],
  ])("refuses %s", (_what, document, hresult) => {
    const result = new ModelKit().call("HcnCreateNetwork", ZERO, document);
    expect(result).toMatchObject({ hresult, handle: 0 });
    expect(JSON.parse(result.errorRecord ?? "")).toMatchObject({ Success: false, ErrorCode: hresult });
  });

  test("refuses a second network of the same name or id", () => {
    const kit = new ModelKit();
    expect(kit.code("HcnCreateNetwork", ID, L2_NETWORK)).toBe(0);
    expect(kit.code("HcnCreateNetwork", ZERO, L2_NETWORK)).toBe(HRESULT.NETWORK_ALREADY_EXISTS);
    expect(kit.code("HcnCreateNetwork", ID, { ...L2_NETWORK, Name: "other" })).toBe(HRESULT.NETWORK_ALREADY_EXISTS);
  });

  test("honours the caller's id, else the document's, else picks one; all in upper case", () => {
    const kit = new ModelKit();
    expect(kit.idOf(kit.call("HcnCreateNetwork", ID.toLowerCase(), { Type: "NAT", Name: "a" }))).toBe(ID);
    expect(kit.idOf(kit.call("HcnCreateNetwork", ZERO, { Type: "NAT", Name: "b", Id: ID.replace("00", "01").toLowerCase() }))).toBe(
      ID.replace("00", "01"),
    );
    expect(kit.idOf(kit.call("HcnCreateNetwork", ZERO, { Type: "NAT", Name: "c" }))).toMatch(/^F0000000-[0-9A-F-]{27}$/);
  });

  test("ignores callers' ids when told so", () => {
    const kit = new ModelKit({ ignoreCallerIds: true });
    expect(kit.idOf(kit.call("HcnCreateNetwork", ID, { ...L2_NETWORK, ID }))).not.toBe(ID);
  });

  test("keeps the type in its canonical spelling and leaves NAT out of the document", () => {
    const kit = new ModelKit();
    expect(kit.query("Network", kit.network({ ...L2_NETWORK, Type: "l2bridge" }))["Type"]).toBe("L2Bridge");
    const nat = kit.network({ Name: "nat", Type: "nat" });
    expect(kit.query("Network", nat)).not.toHaveProperty("Type");
    expect(kit.query("Network", nat, { SchemaVersion: { Major: 1, Minor: 0 } })).toMatchObject({ Type: "NAT" });
  });

  test("gives an overlay network its provider address once the management interface has one", () => {
    const kit = new ModelKit({ managementIpDelayMs: 1000 });
    const overlay = kit.network({ ...L2_NETWORK, Type: "Overlay" });
    const types = (): unknown => (kit.query("Network", overlay)["Policies"] as { Type: string }[]).map(({ Type }) => Type);
    expect(types()).toEqual(["DrMacAddress"]);
    kit.time = 1000;
    expect(types()).toEqual(["DrMacAddress", "ProviderAddress"]);
    expect(kit.v1("GET", "/networks/").Output).toMatchObject([{ ManagementIP: "10.0.0.4", NetworkAdapterName: "Ethernet" }]);
  });

  test("takes its endpoints along when deleted", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const namespace = kit.namespace();
    expect(kit.join(namespace.handle, kit.endpoint(network).id)).toBe(0);
    const id = kit.enumerate("Networks")[0] ?? "";
    expect(kit.code("HcnDeleteNetwork", id)).toBe(0);
    expect(kit.enumerate("Endpoints")).toEqual([]);
    expect(kit.query("Namespace", namespace.handle)["Resources"]).toEqual([]);
    expect(kit.code("HcnOpenNetwork", id)).toBe(HRESULT.NETWORK_NOT_FOUND);
    expect(kit.code("HcnQueryNetworkProperties", network, null)).toBe(HRESULT.NETWORK_NOT_FOUND);
  });

  test("adds, removes and replaces policies and subnets", () => {
    const kit = new ModelKit();
    const network = kit.network({ ...L2_NETWORK, Type: "Overlay", Policies: [{ Type: "VxlanPort", Settings: { Port: 4789 } }] });
    const route = {
      DestinationPrefix: "10.244.9.0/24",
      IsolationId: 4096,
      ProviderAddress: "10.0.0.9",
      DistributedRouterMacAddress: "00-15-5d-00-00-09",
    };
    const change = (RequestType: string): number =>
      kit.code("HcnModifyNetwork", network, {
        ResourceType: "Policy",
        RequestType,
        Settings: { Policies: [{ Type: "RemoteSubnetRoute", Settings: route }] },
      });
    const has = (): boolean => JSON.stringify(kit.query("Network", network)).includes("10.244.9.0/24");
    expect(change("Add")).toBe(0);
    expect(has()).toBe(true);
    expect(change("Remove")).toBe(0);
    expect(has()).toBe(false);
    expect(change("Explode")).toBe(HRESULT.REQUEST_UNSUPPORTED);
    const subnet = { ResourceType: "Subnet", RequestType: "Add", Settings: { Subnets: [{ IpAddressPrefix: "10.244.4.0/24" }] } };
    expect(kit.code("HcnModifyNetwork", network, subnet)).toBe(0);
    expect(kit.code("HcnModifyNetwork", network, subnet)).toBe(HRESULT.OBJECT_EXISTS);
  });
});

describe("endpoints", () => {
  const at = (address: string, more: object = {}): object => ({ Name: "pod", IpConfigurations: [{ IpAddress: address }], ...more });

  test.each<[string, object | string, number]>([
    ["text that is no JSON", "{]", HRESULT.INVALID_JSON],
    ["an address outside the network's subnets", at("10.244.4.5"), HRESULT.INVALID_IP],
    ["an address that is none", at("10.244.3"), HRESULT.INVALID_IP],
    ["the network address", at("10.244.3.0"), HRESULT.ADDRESS_RESERVED],
    ["the gateway", at("10.244.3.1"), HRESULT.ADDRESS_RESERVED],
    ["the broadcast address", at("10.244.3.255"), HRESULT.ADDRESS_RESERVED],
    ["a MAC that is none", at("10.244.3.5", { MacAddress: "00-15" }), HRESULT.INVALID_ENDPOINT],
    ["an unknown policy", at("10.244.3.5", { Policies: [{ Type: "Magic", Settings: {} }] }), HRESULT.INVALID_POLICY_TYPE],
    ["an ACL without direction", at("10.244.3.5", { Policies: [{ Type: "ACL", Settings: { Action: "Allow" } }] }), HRESULT.INVALID_POLICY],
    [
      "an ACL for addresses named Any",
      at("10.244.3.5", { Policies: [{ Type: "ACL", Settings: { Action: "Allow", Direction: "In", LocalAddresses: "Any" } }] }),
      HRESULT.INVALID_POLICY,
    ],
    [
      "a NAT exception that is no prefix",
      at("10.244.3.5", { Policies: [{ Type: "OutBoundNAT", Settings: { Exceptions: ["x"] } }] }),
      HRESULT.INVALID_POLICY,
    ],
    [
      "a mapping to port 0",
      at("10.244.3.5", { Policies: [{ Type: "PortMapping", Settings: { ExternalPort: 80 } }] }),
      HRESULT.INVALID_INTERNAL_PORT,
    ],
  ])("refuses %s", (_what, document, hresult) => {
    const kit = new ModelKit();
    expect(kit.code("HcnCreateEndpoint", kit.network(), ZERO, document)).toBe(hresult);
    expect(kit.enumerate("Endpoints")).toEqual([]);
  });

  test("refuses an address that another endpoint of the network has, until that one is gone", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const { id } = kit.endpoint(network, at("10.244.3.5"));
    expect(kit.code("HcnCreateEndpoint", network, ZERO, at("10.244.3.5"))).toBe(HRESULT.OBJECT_EXISTS);
    expect(kit.code("HcnDeleteEndpoint", id)).toBe(0);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, at("10.244.3.5"))).toBe(0);
    expect(kit.code("HcnDeleteEndpoint", id)).toBe(HRESULT.ENDPOINT_NOT_FOUND);
  });

  test("refuses a host port that another endpoint holds", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const mapping = (ExternalPort: number, Protocol = 6): object => ({
      Policies: [{ Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort, Protocol } }],
    });
    kit.endpoint(network, at("10.244.3.5", mapping(8080)));
    expect(kit.code("HcnCreateEndpoint", network, ZERO, at("10.244.3.6", mapping(8080)))).toBe(HRESULT.PORT_ALREADY_EXISTS);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, at("10.244.3.6", mapping(8080, 17)))).toBe(0);
  });

  test("knows policies by the version of HNS", () => {
    const tier = at("10.244.3.5", { Policies: [{ Type: "TierAcl", Settings: {} }] });
    const old = new ModelKit({ version: { Major: 13, Minor: 9 } });
    expect(old.code("HcnCreateEndpoint", old.network(), ZERO, tier)).toBe(HRESULT.INVALID_POLICY_TYPE);
    const recent = new ModelKit();
    expect(recent.code("HcnCreateEndpoint", recent.network(), ZERO, tier)).toBe(0);
  });

  test("gets the lowest free address and a MAC of the pool when it names none", () => {
    const kit = new ModelKit();
    const network = kit.network();
    kit.endpoint(network, at("10.244.3.2"));
    const document = kit.query("Endpoint", kit.endpoint(network).handle);
    expect(document["IpConfigurations"]).toEqual([{ IpAddress: "10.244.3.3", PrefixLength: 24 }]);
    expect(document["MacAddress"]).toMatch(/^00-15-5D(-[0-9A-F]{2}){3}$/);
  });

  test("needs an open handle of its network", () => {
    const kit = new ModelKit();
    const network = kit.network();
    expect(kit.code("HcnCreateEndpoint", 0, ZERO, {})).toBe(HRESULT.INVALID_ARGUMENT);
    expect(kit.code("HcnCreateEndpoint", kit.namespace().handle, ZERO, {})).toBe(HRESULT.INVALID_HANDLE);
    expect(kit.model.call("HcnCloseNetwork", [String(network)], { pid: 8 }).hresult).toBe(HRESULT.INVALID_HANDLE);
    expect(kit.code("HcnCloseNetwork", network)).toBe(0);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, {})).toBe(HRESULT.INVALID_HANDLE);
  });

  test("shows as a version 2 and as a version 1 document", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const policies = [{ Type: "OutBoundNAT", Settings: { Exceptions: ["10.96.0.0/12"] } }];
    const routes = [{ NextHop: "10.244.3.2", DestinationPrefix: "0.0.0.0/0" }];
    const { handle, id } = kit.endpoint(
      network,
      at("10.244.3.5", { MacAddress: "0e-2a-0a-f4-00-03", Policies: policies, Routes: routes, Dns: { Search: ["a", "b"] } }),
    );
    const networkId = kit.enumerate("Networks")[0];
    expect(kit.query("Endpoint", handle)).toEqual({
      ID: id,
      Name: "pod",
      HostComputeNetwork: networkId,
      HostComputeNamespace: ZERO,
      Policies: policies,
      IpConfigurations: [{ IpAddress: "10.244.3.5", PrefixLength: 24 }],
      Dns: { Search: ["a", "b"] },
      Routes: routes,
      MacAddress: "0E-2A-0A-F4-00-03",
      Flags: 0,
      Health: { Extra: {} },
      SchemaVersion: { Major: 2, Minor: 0 },
    });
    expect(kit.v1("GET", `/endpoints/${id}`).Output).toEqual({
      ID: id,
      Name: "pod",
      VirtualNetwork: networkId,
      VirtualNetworkName: "l2",
      Policies: [{ Type: "OutBoundNAT", ExceptionList: ["10.96.0.0/12"] }],
      MacAddress: "0E-2A-0A-F4-00-03",
      IPAddress: "10.244.3.5",
      PrefixLength: 24,
      GatewayAddress: "10.244.3.2",
      DNSSuffix: "a,b",
      SharedContainers: [],
      State: 1,
    });
  });
});

describe("namespaces", () => {
  test("takes an endpoint once, into one namespace only", () => {
    const kit = new ModelKit();
    const { handle, id } = kit.endpoint(kit.network());
    const [one, two] = [kit.namespace(), kit.namespace()];
    expect(kit.join(one.handle, id)).toBe(0);
    expect(kit.join(one.handle, id)).toBe(HRESULT.ENDPOINT_ALREADY_ATTACHED);
    expect(kit.join(two.handle, id)).toBe(HRESULT.ENDPOINT_IN_NAMESPACE);
    expect(kit.query("Namespace", one.handle)).toMatchObject({
      ID: one.id,
      NamespaceId: 2,
      Resources: [{ Type: "Endpoint", Data: { Id: id } }],
    });
    expect(kit.query("Endpoint", handle)["HostComputeNamespace"]).toBe(one.id);
    expect(kit.join(two.handle, id, "Remove")).toBe(HRESULT.ELEMENT_NOT_FOUND);
    expect(kit.join(one.handle, id, "Remove")).toBe(0);
    expect(kit.join(two.handle, id)).toBe(0);
  });

  test("lets an endpoint go when it is deleted, and the other way round", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const [first, second] = [kit.endpoint(network), kit.endpoint(network)];
    const namespace = kit.namespace();
    kit.join(namespace.handle, first.id);
    kit.join(namespace.handle, second.id);
    kit.call("HcnDeleteEndpoint", first.id);
    expect(kit.query("Namespace", namespace.handle)["Resources"]).toEqual([{ Type: "Endpoint", Data: { Id: second.id } }]);
    expect(kit.code("HcnDeleteNamespace", namespace.id)).toBe(0);
    expect(kit.query("Endpoint", second.handle)["HostComputeNamespace"]).toBe(ZERO);
    expect(kit.code("HcnOpenNamespace", namespace.id)).toBe(HRESULT.ELEMENT_NOT_FOUND);
    expect(kit.code("HcnDeleteNamespace", namespace.id)).toBe(HRESULT.ELEMENT_NOT_FOUND);
  });

  test("refuses what does not exist or makes no sense", () => {
    const kit = new ModelKit();
    const { handle } = kit.namespace();
    expect(kit.join(handle, ID)).toBe(HRESULT.ENDPOINT_NOT_FOUND);
    expect(kit.join(handle, "nonsense")).toBe(HRESULT.INVALID_ARGUMENT);
    expect(kit.join(handle, ID, "Update")).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(kit.code("HcnModifyNamespace", handle, { ResourceType: "Cloud", RequestType: "Add" })).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(kit.code("HcnOpenNamespace", ZERO)).toBe(HRESULT.INVALID_ARGUMENT);
    expect(kit.code("HcnOpenNamespace", null)).toBe(HRESULT.INVALID_ARGUMENT);
  });
});

describe("enumeration", () => {
  test("filters by exact name and by ids in any case", () => {
    const kit = new ModelKit();
    const network = kit.network();
    const { id } = kit.endpoint(network, { Name: "pod_l2" });
    kit.endpoint(network, { Name: "pod_l2x" });
    const networkId = kit.enumerate("Networks", { Name: "l2" })[0] ?? "";
    expect(kit.enumerate("Endpoints", { Name: "pod_l2" })).toEqual([id]);
    expect(kit.enumerate("Endpoints", { Name: "POD_L2" })).toEqual([]);
    expect(kit.enumerate("Endpoints", { ID: id.toLowerCase() })).toEqual([id]);
    expect(kit.enumerate("Endpoints", { VirtualNetwork: networkId.toLowerCase() })).toHaveLength(2);
    expect(kit.enumerate("Endpoints", { VirtualNetworkName: "l2", Name: "pod_l2" })).toEqual([id]);
    expect(kit.enumerate("Endpoints")).toHaveLength(2);
  });

  test("refuses a query or filter that is no JSON", () => {
    const kit = new ModelKit();
    expect(kit.code("HcnEnumerateNetworks", "{")).toBe(HRESULT.INVALID_JSON);
    expect(kit.code("HcnEnumerateNetworks", { Filter: "{" })).toBe(HRESULT.INVALID_JSON);
    expect(kit.code("HcnEnumerateNetworks", null)).toBe(0);
  });
});

describe("load balancers and routes", () => {
  test("live their lives over endpoints that exist", () => {
    const kit = new ModelKit({ version: { Major: 15, Minor: 4 } });
    const { id } = kit.endpoint(kit.network());
    const document = {
      HostComputeEndpoints: [id],
      FrontendVIPs: ["10.96.0.1"],
      PortMappings: [{ Protocol: 6, InternalPort: 80, ExternalPort: 443 }],
    };
    const { handle } = kit.need(kit.call("HcnCreateLoadBalancer", ZERO, document));
    expect(kit.query("LoadBalancer", handle)).toMatchObject(document);
    expect(kit.code("HcnCreateLoadBalancer", ZERO, document)).toBe(HRESULT.PORT_ALREADY_EXISTS);
    expect(kit.code("HcnModifyLoadBalancer", handle, { ...document, FrontendVIPs: ["10.96.0.2"] })).toBe(0);
    expect(kit.code("HcnCreateSdnRoute", ZERO, { HostComputeEndpoints: [ID], Routes: [] })).toBe(HRESULT.INVALID_JSON_REFERENCE);
    expect(kit.code("HcnCreateSdnRoute", ID, { HostComputeEndpoints: [id], Routes: [{ DestinationPrefix: "10.0.0.0/8" }] })).toBe(0);
    expect(kit.enumerate("SdnRoutes")).toEqual([ID]);
    expect(kit.v1("GET", "/policylists").Output).toHaveLength(2);
    expect(kit.code("HcnDeleteSdnRoute", ID)).toBe(0);
    expect(kit.code("HcnDeleteSdnRoute", ID)).toBe(HRESULT.ELEMENT_NOT_FOUND);
  });
});
