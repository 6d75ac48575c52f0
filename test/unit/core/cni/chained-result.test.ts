import { appendResult, requireFreeInterface } from "../../../../src/core/cni/chained-result.ts";
import { type CniResult, checkResult, EMPTY_DNS } from "../../../../src/core/cni/result.ts";

const OURS: CniResult = {
  interfaces: [{ name: "net1", sandbox: "ns" }],
  ips: [{ address: "10.244.3.3/24", gateway: "10.244.3.2", interface: 0 }, { address: "fd00::3/64" }],
  routes: [{ dst: "0.0.0.0/0", gw: "10.244.3.2" }],
  dns: { nameservers: ["10.96.0.10"], domain: "ours.local", search: ["cluster.local"], options: [] },
};

const PREVIOUS: CniResult = {
  interfaces: [{ name: "host0" }, { name: "eth0", sandbox: "ns", mac: "00:15:5d:00:00:01" }],
  ips: [{ address: "192.0.2.7/24", interface: 1 }],
  routes: [{ dst: "192.0.2.0/24" }],
  dns: { nameservers: ["192.0.2.1", "10.96.0.10"], domain: "first.local", search: [], options: ["ndots:5"] },
};

test("what the plugin before made stays as it is and comes first; interfaces of ours are counted on", () => {
  const result = appendResult(PREVIOUS, OURS);
  expect(result).toEqual({
    interfaces: [...PREVIOUS.interfaces, ...OURS.interfaces],
    ips: [
      { address: "192.0.2.7/24", interface: 1 },
      { address: "10.244.3.3/24", gateway: "10.244.3.2", interface: 2 },
      { address: "fd00::3/64" },
    ],
    routes: [{ dst: "192.0.2.0/24" }, { dst: "0.0.0.0/0", gw: "10.244.3.2" }],
    dns: { nameservers: ["192.0.2.1", "10.96.0.10"], domain: "first.local", search: ["cluster.local"], options: ["ndots:5"] },
  });
  checkResult(result);
});

test("an empty result, or none, changes nothing", () => {
  expect(appendResult({ interfaces: [], ips: [], routes: [], dns: EMPTY_DNS }, OURS)).toEqual(OURS);
  expect(appendResult(undefined, OURS)).toBe(OURS);
});

describe("point 39: an interface that a plugin before ours has made", () => {
  const GUID = "6F2B8C1E-0D6F-4B5E-9A53-0D9A8A1F7C11";
  const require = (entry: CniResult["interfaces"][number], netns = GUID): void =>
    requireFreeInterface({ ifname: "net1", netns, prevResult: { ...PREVIOUS, interfaces: [{ name: "host0" }, entry] } });

  test.each([
    ["in this sandbox", GUID, GUID],
    ["in this sandbox, written in another case", GUID.toLowerCase(), GUID],
    ["in a sandbox of Docker's", "none", "none"],
  ])("%s is INVALID_CONFIG that names it", (_, sandbox, netns) => {
    const refuse = (): void => require({ name: "net1", sandbox }, netns);
    expect(refuse).toThrow(`interface "net1" in the sandbox ${netns}`);
    expect(thrownBy(refuse)).toMatchObject({ code: "INVALID_CONFIG", data: { field: "prevResult" } });
  });

  test.each<[string, CniResult["interfaces"][number]]>([
    ["another interface of this sandbox", { name: "eth0", sandbox: GUID }],
    ["another sandbox's", { name: "net1", sandbox: "7F2B8C1E-0D6F-4B5E-9A53-0D9A8A1F7C11" }],
    ["the node's own", { name: "net1" }],
    ["the node's own, as Go writes it", { name: "net1", sandbox: "" }],
  ])("%s is no hindrance", (_, entry) => require(entry));

  test("no result is none", () => requireFreeInterface({ ifname: "net1", netns: GUID }));
});

function thrownBy(work: () => void): unknown {
  try {
    work();
    return undefined;
  } catch (thrown) {
    return thrown;
  }
}
