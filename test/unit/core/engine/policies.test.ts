/** Policies of the configuration's own, through the commands. */
import type { EndpointRecord } from "../../../emulator/model/world.ts";
import { EngineFixture, NETWORK } from "../../../support/engine-fixture.ts";
import { containing } from "../../../support/matchers.ts";
import { MODE_NODES } from "../../../support/mode-nodes.ts";

let node: EngineFixture;

afterEach(() => node.close());

const BLOCK = { Type: "ACL", Settings: { Action: "Block", Direction: "Out", Protocols: "6", RemotePorts: "25", Priority: 300 } };
const MTU = { name: "EndpointPolicy", value: { Type: "InterfaceParameters", Settings: { Mtu: 1400 } } };
const DNS = { name: "NetworkPolicy", value: { Type: "AutomaticDNS", Settings: { Enable: true } } };

function typesOf(endpoint: EndpointRecord | undefined): unknown[] {
  return (endpoint?.policies ?? []).map(({ Type }) => Type);
}

/** The HNS objects that were made, by the calls. */
function created(): string[] {
  return node.calls().filter((name) => name.startsWith("HcnCreate"));
}

describe.each(MODE_NODES)("$name", ({ options, policies }) => {
  const withPolicies = { ...options, config: { ...options.config, policies: [BLOCK, MTU, DNS] } };

  test("the endpoint has ours and the configuration's from its first moment, the network its own", async () => {
    node = new EngineFixture(withPolicies);
    const pod = node.pod("c1");
    const result = await node.add(pod);
    expect([...typesOf(node.endpointOf(pod))].sort()).toEqual([...policies, "ACL", "InterfaceParameters", "ACL", "ACL"].sort());
    expect(node.endpointOf(pod)?.policies).toContainEqual(BLOCK);
    const network = [...node.model.world.networks.values()].find(({ name }) => name === NETWORK);
    expect(network?.policies).toContainEqual(DNS.value);
    expect(await node.add(pod)).toEqual(result);
    await node.check(pod, result);
    await node.status();
  });

  test("one that HNS cannot apply is INVALID_CONFIG before anything is made", async () => {
    const config = { ...options.config, policies: [{ Type: "VLAN", Settings: { IsolationId: 7 } }] };
    node = new EngineFixture({ ...options, config, settings: { version: { Major: 9, Minor: 5 } } });
    const pod = node.pod("c1");
    node.clearCalls();
    await expect(node.add(pod)).rejects.toMatchObject({ code: "INVALID_CONFIG", message: containing('policies[0] is "VLAN"') });
    expect(created()).toEqual([]);
    expect(node.podEndpoints()).toEqual([]);
    expect(node.held()).toEqual({ addresses: [], attachments: [], leases: [] });
  });
});

describe("CHECK", () => {
  const start = async (): Promise<{ pod: ReturnType<EngineFixture["pod"]>; endpoint: EndpointRecord }> => {
    node = new EngineFixture({ config: { policies: [BLOCK, { Type: "OutBoundNAT", ExceptionList: ["10.64.0.0/16"] }] } });
    const pod = node.pod("c1");
    await node.add(pod);
    const endpoint = node.endpointOf(pod);
    if (endpoint === undefined) throw new Error("no endpoint");
    return { pod, endpoint };
  };
  const replace = (endpoint: EndpointRecord, change: (policy: EndpointRecord["policies"][number]) => object[]): void => {
    const policies = endpoint.policies.flatMap(change) as EndpointRecord["policies"];
    node.model.world.endpoints.set(endpoint.id, { ...endpoint, policies });
  };

  test("does not mind how HNS writes a user's own policy", async () => {
    const { pod, endpoint } = await start();
    replace(endpoint, (policy) => [JSON.stringify(policy) === JSON.stringify(BLOCK) ? { ...policy, Settings: { Id: "1" } } : policy]);
    await node.check(pod);
  });

  test("names a policy that is gone, and an exception of the user's that ours lacks", async () => {
    const { pod, endpoint } = await start();
    replace(endpoint, (policy) => (policy["Type"] === "ACL" ? [] : [policy]));
    await expect(node.check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED", message: containing("lacks the policy ACL") });
    replace(endpoint, (policy) => [
      policy["Type"] === "OutBoundNAT" ? { ...policy, Settings: { Exceptions: ["10.244.0.0/16", "10.96.0.0/12"] } } : policy,
    ]);
    await expect(node.check(pod)).rejects.toMatchObject({ code: "CHECK_FAILED", message: containing("10.64.0.0/16") });
  });

  test("works where the version of HNS is not known any more", async () => {
    node = new EngineFixture({ config: { policies: [MTU, { Type: "VLAN", Settings: { IsolationId: 7 } }] } });
    const pod = node.pod("c1");
    await node.add(pod);
    node.store.transaction((tx) => {
      const known = tx.findNetwork(NETWORK);
      if (known === undefined) throw new Error("no network");
      tx.putNetwork({ ...known, hnsVersion: "" });
    });
    await node.check(pod);
  });
});

test("the log tells what is left out, and that the network's policies are not compared with one that exists", async () => {
  const bandwidth = { egressRate: 8_000_000, ingressRate: 8_000_000 };
  node = new EngineFixture({ config: { policies: [DNS], runtimeConfig: { bandwidth } } });
  node.foreignNetwork();
  const pod = node.pod("c1");
  await node.add(pod);
  expect(node.endpointOf(pod)?.policies).toContainEqual({ Type: "QOS", Settings: { MaximumOutgoingBandwidthInBytes: 1_000_000 } });
  const warnings = node.log.filter(({ level }) => level === "warn").map(({ message, fields }) => [message, fields["warning"]]);
  expect(warnings).toEqual([
    ["policy", "ingressRate 8000000 is not applied: HNS limits only what a pod sends"],
    ["network policies not compared: a network that exists is used as it is", undefined],
  ]);
});
