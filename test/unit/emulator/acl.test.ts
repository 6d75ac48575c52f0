import { decidePacket, type Packet } from "../../emulator/model/acl.ts";
import { ModelKit } from "./model-kit.ts";

const packet = (more: Partial<Packet> = {}): Packet => ({
  direction: "In",
  protocol: 6,
  local: "10.244.3.5",
  localPort: 80,
  remote: "10.244.4.7",
  remotePort: 50000,
  ...more,
});

function decide(rules: readonly object[], what: Packet, sets: readonly object[] = []): string {
  const kit = new ModelKit();
  const network = kit.network();
  const Policies = sets.map((Settings) => ({ Type: "SetPolicy", Settings }));
  kit.need(kit.call("HcnModifyNetwork", network, { ResourceType: "Policy", RequestType: "Add", Settings: { Policies } }));
  const { id } = kit.endpoint(network, { Policies: rules.map((Settings) => ({ Type: "ACL", Settings })) });
  const endpoint = kit.model.world.endpoints.get(id);
  const record = kit.model.world.networks.get(endpoint?.network ?? "");
  if (endpoint === undefined || record === undefined) throw new Error("no endpoint");
  return decidePacket(record, endpoint, what).action;
}

const allow = (more: object = {}): object => ({ Action: "Allow", Direction: "In", Priority: 200, ...more });
const block = (more: object = {}): object => ({ Action: "Block", Direction: "In", Priority: 200, ...more });

describe("ACLs of an endpoint", () => {
  test.each<[string, object[], Packet, string]>([
    ["none: everything passes", [], packet(), "Allow"],
    ["another direction is not asked", [block({ Direction: "Out" })], packet(), "Allow"],
    ["the lowest priority number wins", [block({ Priority: 300 }), allow({ Priority: 100 })], packet(), "Allow"],
    ["of equal priorities Block wins", [allow(), block()], packet(), "Block"],
    ["a rule without priority comes last", [block({ Priority: 0 }), allow({ Priority: 65500 })], packet(), "Allow"],
    ["protocols", [block({ Protocols: "17" })], packet(), "Allow"],
    ["protocol 256 is any", [block({ Protocols: "256" })], packet({ protocol: 1 }), "Block"],
    ["ports and their ranges", [block({ Protocols: "6", LocalPorts: "22,70-90" })], packet(), "Block"],
    ["a port outside the range", [block({ Protocols: "6", LocalPorts: "81-90" })], packet(), "Allow"],
    ["addresses are alternatives", [block({ RemoteAddresses: "10.9.0.0/16,10.244.4.0/24" })], packet(), "Block"],
    ["an address of another family", [block({ RemoteAddresses: "fd00::/8" })], packet(), "Allow"],
  ])("%s", (_what, rules, what, action) => {
    expect(decide(rules, what)).toBe(action);
  });

  test("address sets of one field must all hold the address, nested ones hold what their members hold", () => {
    const sets = [
      { Id: "a", PolicyType: "IPSET", Values: "10.244.4.7,10.244.4.8" },
      { Id: "b", PolicyType: "IPSET", Values: "10.244.4.8" },
      { Id: "all", PolicyType: "NESTEDIPSET", Values: "a,b,all" },
    ];
    expect(decide([block({ RemoteAddresses: "a,b" })], packet(), sets)).toBe("Allow");
    expect(decide([block({ RemoteAddresses: "a,b" })], packet({ remote: "10.244.4.8" }), sets)).toBe("Block");
    expect(decide([block({ RemoteAddresses: "all" })], packet(), sets)).toBe("Block");
    expect(decide([block({ RemoteAddresses: "all" })], packet({ remote: "10.244.4.9" }), sets)).toBe("Allow");
  });
});
