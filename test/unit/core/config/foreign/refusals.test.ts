/** What cannot be converted, and what the conversion asks for then. */
import type { JsonObject } from "../../../../../src/core/cni/json.ts";
import { findForeignPlugin, FOREIGN_PLUGINS } from "../../../../../src/core/config/foreign/convert.ts";
import type { ConvertOptions } from "../../../../../src/core/config/foreign/draft.ts";
import { hasPools } from "../../../../../src/core/config/foreign/host-local-ranges.ts";
import { convert } from "./kit.ts";

const BRIDGE = { name: "n", type: "win-bridge", ipam: { type: "host-local", subnet: "10.1.2.0/24" } };
const policy = (value: unknown): JsonObject => ({ ...BRIDGE, policies: [{ name: "EndpointPolicy", value }] });

const cases: [string, JsonObject, Partial<ConvertOptions>, string[]][] = [
  ["another plugin", { name: "n", type: "bridge" }, {}, ["type"]],
  ["a type that is no text", { name: "n", type: 7 }, {}, ["type"]],
  ["a list without a known plugin", { name: "n", plugins: [{ type: "bridge" }, 3] }, {}, ["plugins"]],
  ["a list whose plugins are none", { name: "n", plugins: {} }, {}, ["plugins"]],
  ["addresses that HNS gave from nobody knows where", { name: "n", type: "win-bridge" }, {}, ["ipam"]],
  ["an IPAM section that is none", { ...BRIDGE, ipam: [] }, {}, ["ipam"]],
  ["an IPAM type that is no text", { ...BRIDGE, ipam: { type: {} } }, {}, ["ipam.type"]],
  [
    "azure-cns without a range",
    { name: "n", plugins: [{ type: "azure-vnet", ipam: { type: "azure-cns" } }] },
    {},
    ["plugins[0].ipam.type"],
  ],
  ["another IPAM plugin to be taken over without a range", { ...BRIDGE, ipam: { type: "dhcp" } }, { ipam: "ours" }, ["ipam.type"]],
  ["flannel without the node's range", { name: "n", type: "flannel" }, {}, ["ipam.subnet"]],
  ["usePodCidr", { ...BRIDGE, ipam: { type: "host-local", subnet: "usePodCidr" } }, {}, ["ipam.subnet"]],
  [
    "two addresses of one family",
    { ...BRIDGE, ipam: { type: "host-local", subnet: "10.1.2.0/24", ranges: [[{ subnet: "10.1.3.0/24" }]] } },
    { ipam: "ours" },
    ["ipam.ranges"],
  ],
  [
    "flannel with a delegate of Linux",
    { name: "n", type: "flannel", delegate: { type: "bridge" } },
    { cidr: "10.1.2.0/24" },
    ["delegate.type"],
  ],
  ["a mode of azure-vnet on Linux", { name: "n", type: "azure-vnet", mode: "transparent", ipam: { type: "x" } }, {}, ["mode"]],
  ["policies that are no list", { ...BRIDGE, policies: {} }, {}, ["policies"]],
  ["a policy that is no object", { ...BRIDGE, policies: [1] }, {}, ["policies[0]"]],
  ["a policy without a type", policy({ Settings: {} }), {}, ["policies[0].value"]],
  ["an exception that was left to be filled in", policy({ Type: "OutBoundNAT", ExceptionList: ["<service cidr>"] }), {}, ["policies[0]"]],
  ["a route without a network", policy({ Type: "ROUTE", DestinationPrefix: "here", NeedEncap: true }), {}, ["policies[0]"]],
  ["a masqueraded network that is none", { ...BRIDGE, ipMasqNetwork: "all" }, {}, ["ipMasqNetwork"]],
  ["DNS that is no object", { ...BRIDGE, dns: "10.0.0.10" }, {}, ["dns"]],
];

it.each(cases)("refuses %s, names the place and says what to do", (_name, source, options, paths) => {
  const { faults } = convert(source, options);
  expect(faults.map(({ path }) => path)).toEqual(paths);
  for (const { problem, remedy } of faults) expect([problem, remedy].map((text) => text.length > 5)).toEqual([true, true]);
});

it("counts the sets of a list as the source has them, without the subnet beside it", () => {
  const ipam = { type: "host-local", subnet: "10.1.2.0/24", ranges: [[{ subnet: "10.1.3.0/24" }]] };
  const [fault] = convert({ ...BRIDGE, ipam }, { ipam: "ours" }).faults;
  expect(fault?.problem).toBe("is a list of 1: gives a pod two addresses of one family");
});

it("knows plugins by their file name in any case, with or without .exe", () => {
  for (const plugin of FOREIGN_PLUGINS) {
    for (const type of plugin.types)
      expect([type, type.toUpperCase(), `${type}.exe`].map(findForeignPlugin)).toEqual([plugin, plugin, plugin]);
  }
  expect([undefined, "", "hns-cni", "host-local", {}].map(findForeignPlugin)).toEqual(new Array(5).fill(undefined));
});

it.each([
  ["rangeStart", "10.9.9.9", "ipam.rangeStart"],
  ["rangeEnd", 7, "ipam.rangeEnd"],
  ["gateway", "none", "ipam.gateway"],
  ["ranges", 7, "ipam.ranges"],
  ["ranges", [[]], "ipam.ranges[0]"],
  ["ranges", [[{}]], "ipam.ranges[0][0].subnet"],
])("refuses host-local's %s as %j when its range is taken over", (key, value, path) => {
  const { faults, document } = convert({ ...BRIDGE, ipam: { ...BRIDGE.ipam, [key]: value } }, { ipam: "ours" });
  expect(faults.map((fault) => fault.path)).toEqual([path]);
  expect(document).not.toHaveProperty("ipam");
});

it("makes a pool of each of host-local's ranges where the configuration has pools, and else says that it has not", () => {
  const ranges = [[{ subnet: "10.1.2.0/24", rangeEnd: "10.1.2.200" }, { subnet: "10.1.3.0/24" }], [{ subnet: "fd00:1::/64" }]];
  const { document, faults } = convert({ ...BRIDGE, ipam: { type: "host-local", ranges } }, { ipam: "ours" });
  const pools = [{ cidr: "10.1.2.0/24", exclude: ["10.1.2.201-10.1.2.254"] }, { cidr: "10.1.3.0/24" }, { cidr: "fd00:1::/64" }];
  expect(document["ipam"]).toEqual(hasPools() ? { type: "hns-cni", pools } : undefined);
  expect(faults.map(({ path }) => path)).toEqual(hasPools() ? [] : ["ipam.ranges"]);
});

it("says which keys of the result this version does not have", () => {
  const conversion = convert({ ...BRIDGE, "cni.dev/x": 1, policies: [{ name: "EndpointPolicy", value: { Type: "QOS", Settings: {} } }] });
  expect(conversion.document).toHaveProperty(["cni.dev/x"], 1);
  const known = new Set(["name", "type", "mode", "ipam", "loopbackDSR"]);
  for (const key of conversion.unread) expect(known.has(key)).toBe(false);
  expect(conversion.unread).not.toContain("cni.dev/x");
});

it("puts a policy of a type that it does not know into policies, and says so when its fields had to be moved", () => {
  const v1 = convert(policy({ Type: "L4WFPPROXY", Port: "1" }));
  expect(v1.document["policies"]).toEqual([{ name: "EndpointPolicy", value: { Type: "L4WFPPROXY", Settings: { Port: "1" } } }]);
  expect(v1.notes.filter(({ path }) => path === "policies[0]").map(({ verdict }) => verdict)).toEqual(["decide"]);
  const v2 = convert(policy({ Type: "L4WFPPROXY", Settings: { Port: "1" } }));
  expect(v2.document).toEqual(v1.document);
  expect(v2.notes.filter(({ path }) => path === "policies[0]").map(({ verdict }) => verdict)).toEqual(["translated"]);
});

it("keeps keys of this plugin that already stand in the source", () => {
  const { document } = convert({
    ...BRIDGE,
    mode: "l2tunnel",
    clusterCidrs: ["10.9.0.0/16"],
    stateDir: "D:\\s",
    ipMasqNetwork: "10.1.0.0/16",
  });
  expect(document).toMatchObject({ mode: "l2tunnel", clusterCidrs: ["10.9.0.0/16", "10.1.0.0/16"], stateDir: "D:\\s" });
});
