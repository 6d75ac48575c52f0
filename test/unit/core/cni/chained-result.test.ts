import { appendResult } from "../../../../src/core/cni/chained-result.ts";
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
