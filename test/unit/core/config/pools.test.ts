import { formatCidr, formatIp } from "../../../../src/core/base/ip.ts";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { normalise } from "../../../../src/core/config/normalise.ts";
import type { IpamConfig } from "../../../../src/core/config/plugin-config.ts";
import { nodeLabels, poolsForNode, selectPools } from "../../../../src/core/config/pool-choice.ts";

const CLUSTER = ["10.244.0.0/16", "fd00:10:244::/48"];

function read(ipam: object, changes: object = {}): { ipam: IpamConfig; warnings: readonly string[] } {
  const raw = { name: "pods", type: "hns-cni", mode: "l2bridge", clusterCidrs: CLUSTER, ...changes, ipam: { type: "hns-cni", ...ipam } };
  const { config, warnings } = normalise(raw);
  return { ipam: config.ipam, warnings };
}

/** The text of the one error. */
function fault(ipam: object, changes: object = {}): string {
  try {
    read(ipam, changes);
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "INVALID_CONFIG") return thrown.message;
    throw thrown;
  }
  throw new Error("no fault");
}

const V4 = "10.244.3.0/24";
const V6 = "fd00:10:244:3::/64";

describe("pools", () => {
  test.each([
    ["0.0.0.0/0", "0.0.0.0/8: this host"],
    ["127.16.0.0/16", "127.0.0.0/8: loopback"],
    ["224.0.1.0/24", "224.0.0.0/4: multicast"],
    ["::ffff:10.0.0.0/120", "::ffff:0.0.0.0/96: IPv4 written as IPv6"],
    ["::/64", "::/96: loopback and unspecified"],
    ["ff02::/64", "ff00::/8: multicast"],
  ])("of %s are refused: no interface of a pod can have such addresses", (cidr, why) => {
    const cidrs = cidr.includes(":") ? [V4, cidr] : [cidr];
    expect(fault({ cidrs })).toContain(`holds addresses of ${why}`);
  });

  test("of several families have a block size and a gateway of their own; IPv4 comes first", () => {
    const { ipam, warnings } = read({ cidrs: [V6, V4, "10.244.4.0/28"] });
    expect(ipam.pools.map(({ cidr, blockSize, gateway, field }) => [formatCidr(cidr), blockSize, formatIp(gateway), field])).toEqual([
      [V4, 26, "10.244.3.1", "ipam.cidrs[1]"],
      ["10.244.4.0/28", 28, "10.244.4.1", "ipam.cidrs[2]"],
      [V6, 122, "fd00:10:244:3::1", "ipam.cidrs[0]"],
    ]);
    expect(warnings).toEqual([]);
  });

  test("in a list of ranges share settings, each as far as it concerns them", () => {
    const shared = { blockSize: 28, reserved: ["10.244.3.16/28", "fd00:10:244:3::10"], gateway: "10.244.3.9" };
    const { pools } = read({ cidrs: [V4, V6], ...shared }, { gatewayMode: "ipam" }).ipam;
    expect(pools.map(({ blockSize, keptBack, gateway }) => [blockSize, keptBack, formatIp(gateway)])).toEqual([
      [28, [{ first: 16, last: 31 }], "10.244.3.9"],
      [122, [{ first: 16, last: 16 }], "fd00:10:244:3::1"],
    ]);
    expect(read({ cidrs: [V4, V6], blockSize: 120 }).ipam.pools.map(({ blockSize }) => blockSize)).toEqual([26, 120]);
  });

  test("have all settings of their own, in any case", () => {
    const own = { CIDR: V4, BlockSize: 27, Exclude: ["10.244.3.200-10.244.3.210"], windowsReserved: "block", Namespaces: ["shop"] };
    const { ipam, warnings } = read({
      pools: [
        { ...own, nodeSelector: { Zone: "a" } },
        { cidr: "10.244.9.0/24", colour: 1 },
      ],
      nodeLabels: { Zone: "a" },
    });
    expect(ipam).toMatchObject({ nodeLabels: { Zone: "a" } });
    expect(ipam.pools[0]).toMatchObject({
      blockSize: 27,
      keptBack: [{ first: 200, last: 210 }],
      isReservedPerBlock: true,
      namespaces: ["shop"],
      nodeSelector: { Zone: "a" },
    });
    expect(warnings).toEqual(["unknown key ipam.pools[1].colour is ignored"]);
  });

  test("outside of clusterCidrs, and gateways without use, are warned about by their paths", () => {
    expect(read({ pools: [{ cidr: "10.9.0.0/24", gateway: "10.9.0.5" }, { cidr: V6 }] }).warnings).toEqual([
      expect.stringMatching(/^ipam\.pools\[0\]\.cidr 10\.9\.0\.0\/24 lies in none of clusterCidrs/),
      "ipam.pools[0].gateway is ignored: gatewayMode is host-endpoint",
    ]);
  });

  test.each<[object, RegExp]>([
    [{}, /1 fault: ipam\.cidr is missing; write one network/],
    [{ cidr: V4, cidrs: [V6] }, /ipam\.cidrs is a list of 1: stands beside ipam\.cidr; keep one of cidr, cidrs and pools/],
    [{ cidr: V4, pools: [{ cidr: V6 }] }, /ipam\.pools is a list of 1: stands beside ipam\.cidr/],
    [{ cidrs: [] }, /ipam\.cidrs is a list of 0: must not be empty/],
    [{ pools: [] }, /ipam\.pools is a list of 0: must not be empty/],
    [{ pools: [{ blockSize: 26 }] }, /ipam\.pools\[0\]\.cidr is missing/],
    [{ pools: [V4] }, /ipam\.pools\[0\] is "10\.244\.3\.0\/24": must be object/],
    [
      { cidrs: [V4, "10.244.3.5/24"] },
      /ipam\.cidrs\[1\] is "10\.244\.3\.5\/24": has host bits set; write the network address, "10\.244\.3\.0\/24"/,
    ],
    [{ cidrs: [V4, "10.244.3.128/25"] }, /ipam\.cidrs\[1\] .*overlaps ipam\.cidrs\[0\] 10\.244\.3\.0\/24; give each pool/],
    [{ pools: [{ cidr: V4 }, { cidr: "10.244.0.0/16" }] }, /ipam\.pools\[1\]\.cidr .*overlaps ipam\.pools\[0\]\.cidr/],
    [{ cidrs: [V4, "fd00::/127"] }, /ipam\.cidrs\[1\] .*has 2 addresses, and Windows keeps 3 .* at most 126/],
    [{ cidrs: [V4, "10.244.4.0/30"] }, /ipam\.cidrs\[1\] .*has 4 addresses, and Windows keeps 4 .* at most 29/],
    [{ cidrs: [V6] }, /ipam\.cidrs\[0\] .*no pods with IPv6 alone/],
    [{ pools: [{ cidr: V4, blockSize: 23 }] }, /ipam\.pools\[0\]\.blockSize is 23: a block would be larger than ipam\.pools\[0\]\.cidr/],
    [{ pools: [{ cidr: V4, blockSize: 120 }] }, /ipam\.pools\[0\]\.blockSize is 120: is no prefix length for blocks of/],
    [
      { pools: [{ cidr: V4 }, { cidr: V6, blockSize: 100 }] },
      /blockSize is 100: a block would have more than 65536 addresses; .* from 112 to 126/,
    ],
    [{ pools: [{ cidr: V4 }, { cidr: V6, blockSize: 127 }] }, /blockSize is 127: .*beside the 3 that Windows keeps/],
    [
      { pools: [{ cidr: V4, gateway: "10.244.4.1" }] },
      /ipam\.pools\[0\]\.gateway .*no usable address of ipam\.pools\[0\]\.cidr 10\.244\.3\.0\/24/,
    ],
    [{ cidrs: [V4, V6], gateway: "10.244.3.255" }, /ipam\.gateway .*no usable address of ipam\.cidrs\[0\] .* and ipam\.cidrs\[1\]/],
    [{ pools: [{ cidr: V4, reserved: ["10.9.0.1"] }] }, /ipam\.pools\[0\]\.reserved\[0\] .*lies outside ipam\.pools\[0\]\.cidr/],
    [{ cidrs: [V4, V6], reserved: ["10.9.0.1"] }, /ipam\.reserved\[0\] .*lies outside ipam\.cidrs\[0\] .* and ipam\.cidrs\[1\]/],
    [{ cidrs: [V4, "fd00::/120"], exclude: ["fd00::-fd00::ff"] }, /ipam\.exclude .*leaves no address of ipam\.cidrs\[1\] fd00::\/120/],
    [
      { pools: [{ cidr: V4 }], blockSize: 26, reserved: [] },
      /2 faults: \(1\) ipam\.blockSize is 26: is beside ipam\.pools; .*ipam\.reserved/,
    ],
    [{ pools: [{ cidr: V4, namespaces: [] }] }, /ipam\.pools\[0\]\.namespaces is a list of 0: must not be empty/],
    [{ pools: [{ cidr: V4, nodeSelector: { zone: 5 } }] }, /ipam\.pools\[0\]\.nodeSelector\.zone is 5: must be string/],
    [{ cidr: V4, sticky: "yes" }, /ipam\.sticky is "yes": must be one of statefulset, always, never/],
  ])("%j is a fault", (ipam, message) => {
    expect(fault(ipam)).toMatch(message);
    expect(fault(ipam)).toMatch(/has 1 fault|\(1\)/);
  });

  test("among the services are faults of each", () => {
    const message = fault({ cidrs: [V4, V6] }, { serviceCidrs: ["10.244.3.0/28", "10.96.0.0/12", "fd00::/16"] });
    expect(message).toMatch(/2 faults: .*serviceCidrs\[0\] .*overlaps ipam\.cidrs\[0\].*serviceCidrs\[2\] .*overlaps ipam\.cidrs\[1\]/);
  });
});

describe("the pools of a node", () => {
  const pools = read({
    pools: [
      { cidr: V4, nodeSelector: { "kubernetes.io/hostname": "node-1", zone: "a" } },
      { cidr: "10.244.4.0/24", nodeSelector: { "kubernetes.io/os": "windows", "kubernetes.io/arch": "amd64", zone: "b" } },
      { cidr: V6, nodeSelector: { "kubernetes.io/os": "linux" } },
      { cidr: "fd00:10:244:4::/64", nodeSelector: {} },
    ],
  }).ipam.pools;
  const chosen = (zone: string): string[] =>
    poolsForNode(pools, nodeLabels({ nodeName: "NODE-1", architecture: "amd64" }, { zone })).map(({ cidr }) => formatCidr(cidr));

  test("are those whose every label it has", () => {
    expect(chosen("a")).toEqual([V4, "fd00:10:244:4::/64"]);
    expect(chosen("b")).toEqual(["10.244.4.0/24", "fd00:10:244:4::/64"]);
  });

  test("are an error that names the labels when there are none", () => {
    const [first] = pools;
    const labels = nodeLabels({ nodeName: "node-2", architecture: "arm64" });
    expect(() => poolsForNode([first], labels)).toThrow(
      "no entry of ipam.pools is for this node, whose labels are kubernetes.io/hostname=node-2, kubernetes.io/os=windows, kubernetes.io/arch=arm64",
    );
  });
});

describe("the pools of a pod", () => {
  const { pools } = read({
    pools: [
      { cidr: V4, namespaces: ["shop", "bank"] },
      { cidr: "10.244.4.0/24" },
      { cidr: "10.244.5.0/24", namespaces: ["shop"] },
      { cidr: V6, namespaces: ["bank"] },
    ],
  }).ipam;
  const chosen = (namespace?: string): string[][] => selectPools(pools, namespace).map((set) => set.map(({ cidr }) => formatCidr(cidr)));

  test.each([
    ["shop", [[V4, "10.244.5.0/24"]]],
    ["bank", [[V4], [V6]]],
    ["other", [["10.244.4.0/24"]]],
    [undefined, [["10.244.4.0/24"]]],
  ])("of the namespace %p are those that name it, else those for everybody, family by family", (namespace, expected) => {
    expect(chosen(namespace)).toEqual(expected);
  });

  test("are an error that names the namespace when there are none", () => {
    const named = pools.filter(({ namespaces }) => namespaces !== undefined);
    expect(() => selectPools(named, "other")).toThrow(/no pool serves pods of the namespace other: 10\.244\.3\.0\/24, /);
    expect(() => selectPools(named, undefined)).toThrow(/a pod whose namespace the runtime does not tell/);
  });
});
