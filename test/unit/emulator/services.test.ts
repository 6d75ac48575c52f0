import { HRESULT } from "../../emulator/model/hresult.ts";
import type { Notification } from "../../emulator/model/world.ts";
import { L2_NETWORK, ModelKit, ZERO } from "./model-kit.ts";

const SERVICE = "ABCDEF00-1111-2222-3333-444444444444";

function listen(kit: ModelKit): Notification[] {
  const heard: Notification[] = [];
  kit.model.subscribe((notification) => heard.push(notification));
  return heard;
}

describe("notifications", () => {
  test("one of each type there is", () => {
    const kit = new ModelKit();
    const heard = listen(kit);
    const network = kit.network();
    const namespace = kit.namespace();
    const { id } = kit.endpoint(network);
    kit.join(namespace.handle, id);
    kit.join(namespace.handle, id, "Remove");
    kit.v1("POST", `/endpoints/${id}/attach`, { SystemType: "Host", CompartmentId: 1 });
    kit.call("HcnDeleteEndpoint", id);
    kit.call("HcnDeleteNamespace", namespace.id);
    const service = kit.need(kit.call("HcnCreateGuestNetworkService", SERVICE, {})).handle;
    kit.call("HcnModifyGuestNetworkService", service, { State: 2, InterfaceState: 1 });
    kit.call("HcnDeleteGuestNetworkService", SERVICE);
    kit.call("HcnDeleteNetwork", kit.enumerate("Networks")[0] ?? "");
    kit.model.restart({ loseEndpoints: false });
    expect(heard.map(({ type }) => type)).toEqual([1, 2, 5, 9, 0x10, 9, 0x10, 6, 7, 0x11, 0x12, 8, 3, 4, 0x01000000]);
    expect(heard.filter(({ service: about }) => about !== undefined).map(({ type }) => type)).toEqual([0x11, 0x12]);
    expect(JSON.parse(heard[3]?.data ?? "")).toEqual({ ID: id, NamespaceId: namespace.id });
  });

  test("a refused creation is not announced", () => {
    const kit = new ModelKit();
    kit.network();
    const heard = listen(kit);
    expect(kit.code("HcnCreateNetwork", ZERO, L2_NETWORK)).toBe(HRESULT.NETWORK_ALREADY_EXISTS);
    expect(heard).toEqual([]);
  });
});

describe("guest network services", () => {
  const setUp = (): { kit: ModelKit; service: number; reserve(protocol: number, access: number, port: number): number } => {
    const kit = new ModelKit();
    const service = kit.need(kit.call("HcnCreateGuestNetworkService", SERVICE, { Name: "guest" })).handle;
    return { kit, service, reserve: (...args) => kit.code("HcnReserveGuestNetworkServicePort", service, ...args) };
  };

  test("live like other objects", () => {
    const { kit, service } = setUp();
    expect(kit.query("GuestNetworkService", service)).toMatchObject({ ID: SERVICE, Name: "guest", State: 1 });
    expect(kit.code("HcnModifyGuestNetworkService", service, { State: 2 })).toBe(0);
    expect(kit.code("HcnModifyGuestNetworkService", service, {})).toBe(HRESULT.REQUEST_UNSUPPORTED);
    expect(kit.query("GuestNetworkService", service)["State"]).toBe(2);
    expect(kit.enumerate("GuestNetworkServices")).toEqual([SERVICE]);
    expect(kit.code("HcnCreateGuestNetworkService", SERVICE, {})).toBe(HRESULT.OBJECT_EXISTS);
  });

  test("reserve ports, alone or shared, protocol by protocol", () => {
    const { kit, reserve } = setUp();
    expect(reserve(1, 1, 80)).toBe(0);
    expect(reserve(2, 1, 80)).toBe(0);
    expect(reserve(3, 1, 80)).toBe(HRESULT.PORT_ALREADY_EXISTS);
    expect(reserve(1, 2, 81)).toBe(0);
    expect(reserve(1, 2, 81)).toBe(0);
    expect(reserve(1, 1, 81)).toBe(HRESULT.PORT_ALREADY_EXISTS);
    expect(reserve(4, 1, 82)).toBe(HRESULT.INVALID_ARGUMENT);
    expect(reserve(1, 1, 0)).toBe(HRESULT.INVALID_ARGUMENT);
    expect(kit.v1("GET", "/portpools").Output).toHaveLength(4);
  });

  test("and the host ports of endpoints keep out of each other's way", () => {
    const { kit, reserve, service } = setUp();
    const mapping = (ExternalPort: number): object => ({
      Policies: [{ Type: "PortMapping", Settings: { InternalPort: 80, ExternalPort } }],
    });
    const network = kit.network();
    kit.endpoint(network, mapping(8080));
    expect(reserve(1, 1, 8080)).toBe(HRESULT.PORT_ALREADY_EXISTS);
    expect(reserve(1, 1, 8081)).toBe(0);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, mapping(8081))).toBe(HRESULT.PORT_ALREADY_EXISTS);
    const range = kit.need(kit.call("HcnReserveGuestNetworkServicePortRange", service, 100));
    expect(JSON.parse(range.output ?? "")).toEqual({ start: 49152, end: 49251 });
    expect(kit.code("HcnReleaseGuestNetworkServicePortReservationHandle", range.handle)).toBe(0);
    expect(kit.code("HcnDeleteGuestNetworkService", SERVICE)).toBe(0);
    expect(kit.code("HcnCreateEndpoint", network, ZERO, mapping(8081))).toBe(0);
  });
});

describe("compute systems", () => {
  const change = (RequestType: string, Settings: object | string): object => ({ ResourceType: "Network", RequestType, Settings });

  test("take endpoints the version 1 way", () => {
    const kit = new ModelKit();
    const { id } = kit.endpoint(kit.network());
    const system = kit.need(kit.call("HcsOpenComputeSystem", "container")).handle;
    const attachments = (): unknown => kit.v1("GET", `/endpoints/${id}`).Output?.["SharedContainers"];
    expect(JSON.parse(kit.call("HcsGetComputeSystemProperties", system, "").output ?? "")).toMatchObject({ Id: "container" });
    expect(kit.code("HcsModifyComputeSystem", system, change("Add", id.toLowerCase()))).toBe(0);
    expect(kit.code("HcsModifyComputeSystem", system, change("Add", { EndpointId: id }))).toBe(HRESULT.ENDPOINT_ALREADY_ATTACHED);
    expect(attachments()).toEqual(["container"]);
    expect(kit.code("HcsModifyComputeSystem", system, change("Remove", id))).toBe(0);
    expect(kit.code("HcsModifyComputeSystem", system, change("Remove", id))).toBe(HRESULT.ELEMENT_NOT_FOUND);
    expect(attachments()).toEqual([]);
  });
});
