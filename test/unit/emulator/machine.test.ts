/** What HNS does to the machine around it: cards, virtual switches, addresses, routes. */
import { listInterfaces, listRoutes } from "../../emulator/model/host.ts";
import { HRESULT } from "../../emulator/model/hresult.ts";
import type { Settings } from "../../emulator/model/world.ts";
import { L2_NETWORK, ModelKit, ZERO } from "./model-kit.ts";

const ROUTE = { destination: "169.254.169.254/32", nextHop: "10.0.0.1" };
const ADAPTERS = [{ name: "Ethernet", address: "10.0.0.4/24", gateway: "10.0.0.1", routes: [ROUTE] }];

function setUp(settings: Partial<Settings> = {}): { kit: ModelKit; addresses(): unknown; managementIp(): unknown } {
  const kit = new ModelKit({ adapters: ADAPTERS, ...settings });
  return {
    kit,
    addresses: () => listInterfaces(kit.model.world).map(({ name, address }) => [name, address]),
    managementIp: () => (kit.v1("GET", "/networks").Output as unknown as { ManagementIP: string }[])[0]?.ManagementIP,
  };
}

describe("a virtual switch", () => {
  test("takes the card's address over with the first external network, and gives it back after the last", () => {
    const { kit, addresses } = setUp();
    expect(addresses()).toEqual([["Ethernet", "10.0.0.4/24"]]);
    kit.network({ Name: "nat", Type: "NAT" });
    expect(addresses()).toEqual([["Ethernet", "10.0.0.4/24"]]);
    kit.network();
    kit.network({ ...L2_NETWORK, Name: "second" });
    const moved = [
      ["Ethernet", null],
      ["vEthernet (Ethernet)", "10.0.0.4/24"],
    ];
    expect(addresses()).toEqual(moved);
    for (const name of ["l2", "second"]) {
      expect(addresses()).toEqual(moved);
      kit.call("HcnDeleteNetwork", kit.enumerate("Networks", { Name: name })[0] ?? "");
    }
    expect(addresses()).toEqual([["Ethernet", "10.0.0.4/24"]]);
  });

  test("is without an address for a while, and the routes move with it", () => {
    const { kit, addresses, managementIp } = setUp({ managementIpDelayMs: 500 });
    kit.network();
    expect(addresses()).toContainEqual(["vEthernet (Ethernet)", null]);
    expect(managementIp()).toBe("");
    kit.time = 500;
    expect(addresses()).toContainEqual(["vEthernet (Ethernet)", "10.0.0.4/24"]);
    expect(listRoutes(kit.model.world)).toEqual([
      { destination: "0.0.0.0/0", nextHop: "10.0.0.1", interface: "vEthernet (Ethernet)" },
      { ...ROUTE, interface: "vEthernet (Ethernet)" },
    ]);
    kit.model.reboot();
    expect(managementIp()).toBe("");
  });

  test("can lose the persistent routes, which somebody has to add again", () => {
    const { kit } = setUp({ vSwitchLosesRoutes: true });
    kit.network();
    const has = (): boolean => listRoutes(kit.model.world).some(({ destination }) => destination === ROUTE.destination);
    const ask = (op: string, more: object = {}): number =>
      kit.code("HnsEmulatorHost", { op, ...ROUTE, interface: "vEthernet (Ethernet)", ...more });
    expect(has()).toBe(false);
    expect(ask("add-route", { interface: "Ethernet 9" })).toBe(HRESULT.INVALID_ARGUMENT);
    expect(ask("add-route")).toBe(0);
    expect(has()).toBe(true);
    expect(ask("add-route")).toBe(HRESULT.OBJECT_EXISTS);
    expect(ask("delete-route")).toBe(0);
    expect(ask("delete-route")).toBe(HRESULT.ELEMENT_NOT_FOUND);
    expect(has()).toBe(false);
  });

  test.each([
    ["link-local", "169.254.83.107", "169.254.83.107"],
    ["link-local-first", "169.254.83.107", "10.0.0.4"],
    ["adapter", "", "10.0.0.4"],
  ] as const)("%s: the management address comes so", (mode, first, later) => {
    const { kit, managementIp } = setUp({ managementIp: mode, managementIpDelayMs: 100 });
    kit.network();
    expect(managementIp()).toBe(first);
    kit.time = 100;
    expect(managementIp()).toBe(later);
  });
});

describe("network cards", () => {
  test("can be missing, or come late after a start", () => {
    const { kit } = setUp({ adapterDelayMs: 1000 });
    expect(kit.code("HcnCreateNetwork", ZERO, L2_NETWORK)).toBe(HRESULT.ADAPTER_NOT_FOUND);
    kit.time = 1000;
    expect(kit.code("HcnCreateNetwork", ZERO, L2_NETWORK)).toBe(0);
    kit.model.reboot();
    expect(kit.v1("GET", "/networks").Output).toMatchObject([{ ManagementIP: "" }]);
    expect(setUp({ adapters: [] }).kit.code("HcnCreateNetwork", ZERO, L2_NETWORK)).toBe(HRESULT.ADAPTER_NOT_FOUND);
  });
});

describe("endpoints on a network without subnets", () => {
  const create = (settings: Partial<Settings>): { kit: ModelKit; addresses(): unknown } => {
    const { kit } = setUp(settings);
    const { handle } = kit.endpoint(kit.network({ Name: "t", Type: "Transparent" }));
    return { kit, addresses: () => kit.query("Endpoint", handle)["IpConfigurations"] };
  };

  test("get a lease of the card's network when the server answers", () => {
    const { kit, addresses } = create({ dhcpDelayMs: 300 });
    expect(addresses()).toEqual([]);
    kit.time = 300;
    expect(addresses()).toEqual([{ IpAddress: "10.0.0.100", PrefixLength: 24 }]);
  });

  test("make up an address when no server answers", () => {
    expect(create({ dhcp: "silent" }).addresses()).toEqual([{ IpAddress: "169.254.0.100", PrefixLength: 16 }]);
  });
});

describe("a host attachment", () => {
  test("is an interface that can forward", () => {
    const { kit, addresses } = setUp();
    const { id } = kit.endpoint(kit.network(), { Name: "bridge", IpConfigurations: [{ IpAddress: "10.244.3.2" }] });
    kit.v1("POST", `/endpoints/${id}/attach`, { SystemType: "Host", CompartmentId: 1 });
    expect(addresses()).toContainEqual(["vEthernet (bridge)", "10.244.3.2/24"]);
    kit.v1("POST", `/endpoints/${id}/detach`, { SystemType: "Host" });
    expect(addresses()).not.toContainEqual(["vEthernet (bridge)", "10.244.3.2/24"]);
  });
});
