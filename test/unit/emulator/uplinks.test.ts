/** What the emulated machine's connection goes through when a virtual switch comes over a card. */
import { HRESULT } from "../../emulator/model/hresult.ts";
import { listUplinks } from "../../emulator/model/uplinks.ts";
import type { Adapter, Settings } from "../../emulator/model/world.ts";
import { ModelKit } from "./model-kit.ts";

const SWITCH = "vEthernet (Ethernet)";
const METADATA = { destination: "169.254.169.254/32", nextHop: "10.0.0.1" };
const CARD: Adapter = {
  name: "Ethernet",
  address: "10.0.0.4/24",
  gateway: "10.0.0.1",
  routes: [METADATA],
  dns: ["10.0.0.53"],
  mtu: 1400,
};

function setUp(settings: Partial<Settings> = {}, card: Partial<Adapter> = {}) {
  const kit = new ModelKit({ adapters: [{ ...CARD, ...card }], ...settings });
  const ask = (op: string, more: object): number => kit.code("HnsEmulatorHost", { op, interface: SWITCH, ...more });
  const carrier = () => listUplinks(kit.model.world).find(({ name }) => name === SWITCH);
  const answers = (name: string): unknown =>
    JSON.parse(kit.call("HnsEmulatorHost", { op: "probe", interface: name, address: "10.0.0.1" }).output ?? "{}");
  return { kit, ask, carrier, answers };
}

test("all that a connection needs moves from the card to the management interface, and back", () => {
  const { kit, answers } = setUp();
  const whole = {
    isUp: true,
    isDhcp: false,
    addresses: [{ address: "10.0.0.4/24", origin: "static" }],
    routes: [
      { destination: "0.0.0.0/0", nextHop: "10.0.0.1", metric: 0, isPersistent: true },
      { ...METADATA, metric: 0, isPersistent: true },
    ],
    dns: ["10.0.0.53"],
    mtu: 1400,
  };
  const before = listUplinks(kit.model.world);
  expect(before).toMatchObject([{ name: "Ethernet", kind: "adapter", ...whole }]);
  expect(answers("Ethernet")).toEqual({ answers: true });
  kit.network();
  expect(listUplinks(kit.model.world)).toMatchObject([
    { name: "Ethernet", addresses: [], routes: [], dns: [] },
    { name: SWITCH, kind: "management", mac: before[0]?.mac, ...whole },
  ]);
  expect(answers("Ethernet")).toEqual({ answers: false });
  expect(answers(SWITCH)).toEqual({ answers: true });
  for (const id of kit.model.world.networks.keys()) kit.code("HcnDeleteNetwork", id);
  expect(listUplinks(kit.model.world)).toEqual(before);
});

test("name servers and routes can be lost, and given again by hand", () => {
  const { kit, ask, carrier } = setUp({ vSwitchLosesDns: true, vSwitchLosesRoutes: true });
  kit.network();
  expect(carrier()).toMatchObject({ dns: [], routes: [{ destination: "0.0.0.0/0" }] });
  expect(ask("set-dns", { servers: ["10.0.0.53"] })).toBe(0);
  expect(ask("add-route", METADATA)).toBe(0);
  expect(carrier()).toMatchObject({ dns: ["10.0.0.53"], routes: [{}, METADATA] });
});

test.each([
  ["none", []],
  ["link-local", [{ address: "169.254.83.107/16", origin: "link-local" }]],
] as const)("an address that does not come (%s) leaves the node without gateway, until both are given by hand", (managementIp, shown) => {
  const { kit, ask, carrier, answers } = setUp({ managementIp });
  kit.network();
  expect(carrier()).toMatchObject({ addresses: shown, routes: [METADATA] });
  expect(answers(SWITCH)).toEqual({ answers: false });
  expect(ask("add-address", { address: "10.0.0.4/24", origin: "static" })).toBe(0);
  expect(carrier()).toMatchObject({ addresses: [{ address: "10.0.0.4/24", origin: "static" }] });
  expect(answers(SWITCH)).toEqual({ answers: true });
  expect(ask("add-address", { address: "10.0.0.4/24", origin: "static" })).toBe(HRESULT.OBJECT_EXISTS);
  expect(ask("add-address", { address: "10.0.0.4/24", origin: "static", interface: "Ethernet 9" })).toBe(HRESULT.INVALID_ARGUMENT);
});

test("a static address can become a leased one, and a static one by hand ends DHCP with all it gave", () => {
  const { kit, ask, carrier } = setUp({ vSwitchMakesDhcp: true });
  kit.network();
  expect(carrier()).toMatchObject({ isDhcp: true, addresses: [{ address: "10.0.0.4/24", origin: "dhcp" }], dns: ["10.0.0.53"] });
  ask("add-address", { address: "10.0.0.4/24", origin: "static" });
  expect(carrier()).toMatchObject({
    isDhcp: false,
    addresses: [{ address: "10.0.0.4/24", origin: "static" }],
    routes: [METADATA],
    dns: [],
  });
});

test.each([
  ["always", true, true],
  ["without-switch", true, false],
  ["never", false, false],
] as const)("the gateway answers %s", (gatewayAnswers, before, after) => {
  const { kit, answers } = setUp({ gatewayAnswers });
  expect(answers("Ethernet")).toEqual({ answers: before });
  kit.network();
  expect(answers(SWITCH)).toEqual({ answers: after });
});
