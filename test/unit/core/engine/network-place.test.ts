/** Another card, or another address of the node, than the network had when somebody last saw to it. */
import { findPlaceChanges } from "../../../../src/core/engine/network-place.ts";
import { ensureNetworkReady, repairNetwork } from "../../../../src/core/engine/network-care.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";
import { CARD, PrepareNode } from "../../../support/prepare-node.ts";

let node: EngineFixture;

beforeEach(() => {
  node = new EngineFixture({ settings: { adapters: [CARD] } });
});
afterEach(() => node.close());

const ensure = () => ensureNetworkReady(node.operation(node.spawn()));
const repair = (dryRun: boolean) => repairNetwork(node.operation(node.spawn()), { dryRun });
const remembered = () => node.store.read((tx) => tx.findPlace(NETWORK));
const move = (address: string): void => {
  node.model.world.settings = { ...node.model.world.settings, adapters: [{ ...CARD, address }] };
};

test("is remembered when the network is made, and told until it is seen to", async () => {
  expect((await ensure()).changes).toEqual([]);
  expect(remembered()).toEqual({ network: NETWORK, adapter: "Ethernet", managementIp: "10.0.0.4" });
  move("10.0.0.9/24");
  const change = { what: "management IP", remembered: "10.0.0.4", present: "10.0.0.9" };
  expect((await repair(true)).changes).toMatchObject([change]);
  expect((await repair(false)).changes).toMatchObject([change]);
  expect((await repair(false)).changes).toEqual([]);
  expect(remembered()).toMatchObject({ managementIp: "10.0.0.9" });
});

test("an address that is none, or made up by Windows, is told and not remembered", async () => {
  await ensure();
  node.model.world.settings.managementIp = "link-local";
  expect((await repair(false)).changes).toMatchObject([{ present: "169.254.83.107" }]);
  expect(remembered()).toMatchObject({ managementIp: "10.0.0.4" });
});

test("prepare remembers it too", async () => {
  const prepared = new PrepareNode();
  await prepared.prepare();
  expect(prepared.engine.store.read((tx) => tx.findPlace(NETWORK))).toMatchObject({ adapter: "Ethernet", managementIp: "10.0.0.4" });
  prepared.close();
});

test.each([
  [{ adapter: "Ethernet 2" }, [{ what: "adapter", remembered: "Ethernet", present: "Ethernet 2" }]],
  [{ adapter: "" }, []],
  [{ managementIp: "" }, [{ what: "management IP", remembered: "10.0.0.4", present: "" }]],
  [{}, []],
])("%j is told as %j", (now, expected) => {
  const known = { network: NETWORK, adapter: "Ethernet", managementIp: "10.0.0.4" };
  expect(findPlaceChanges(known, { type: "Overlay", adapter: "Ethernet", managementIp: "10.0.0.4", ...now })).toMatchObject(expected);
});

test("only pods in tunnels have to be made anew for another address", () => {
  const known = { network: NETWORK, adapter: "Ethernet", managementIp: "10.0.0.4" };
  const remedy = (type: string) => findPlaceChanges(known, { type, adapter: "Ethernet", managementIp: "10.0.0.9" })[0]?.remedy;
  expect(remedy("Overlay")).toContain("delete the pods");
  expect(remedy("L2Bridge")).not.toContain("delete the pods");
});
