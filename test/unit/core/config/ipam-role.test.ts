import { normaliseIpamRole, normaliseIpamRoleForDelete } from "../../../../src/core/config/ipam-role.ts";
import { findRole } from "../../../../src/core/config/our-names.ts";
import { addressAt, cidrSize, formatCidr, formatIp } from "../../../../src/core/base/ip.ts";
import { PluginError } from "../../../../src/core/base/errors.ts";
import { poolSpec } from "../../../../src/core/engine/pool-spec.ts";
import { isReserved } from "../../../../src/core/ipam/blocks.ts";

function build(ipam: unknown, changes: object = {}): Record<string, unknown> {
  return { cniVersion: "1.1.0", name: "l2", type: "win-bridge", logLevel: 7, mode: "bridge", apiVersion: 2, ipam, ...changes };
}

/** The message of the one error. */
function readMessage(ipam: unknown, changes: object = {}): string {
  try {
    normaliseIpamRole(build(ipam, changes));
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "INVALID_CONFIG") return thrown.message;
    throw thrown;
  }
  throw new Error("nothing was thrown");
}

describe("findRole", () => {
  test.each([
    ["plugin", { type: "hns-cni", ipam: { type: "hns-cni" } }, []],
    ["hns-addressed", { type: "hns-cni", ipam: {} }, []],
    ["hns-addressed", { type: "hns-cni" }, []],
    ["plugin", { type: "hns-cni", ipam: { cidr: "10.1.0.0/24" } }, []],
    ["plugin", { ipam: { type: "hns-cni" } }, []],
    ["plugin", { type: "pods-cni", IPAM: { Type: "pods-cni" } }, ["pods-cni"]],
    ["ipam", { type: "win-bridge", ipam: { type: "hns-cni" } }, []],
    ["ipam", { type: "win-bridge", ipam: { type: "hns-cni.exe" } }, []],
    ["ipam", { type: "win-bridge", ipam: { type: "POOLS" } }, ["pools"]],
    ["delegating", { type: "hns-cni", ipam: { type: "host-local" } }, []],
    ["delegating", { type: "hns-cni", ipam: { type: "pools" } }, []],
  ] as const)("point 76: %s: %j of %j", (role, raw, names) => {
    expect(findRole(raw, names)).toBe(role);
  });
});

describe("normaliseIpamRole", () => {
  test("reads our keys inside ipam and passes over what is around it", () => {
    const ipam = { type: "hns-cni", CIDR: "10.1.0.0/24", blockSize: 28, cooldownSeconds: 5, stateDir: "/s", LogLevel: "debug" };
    const { config, warnings } = normaliseIpamRole(build(ipam));
    expect(config).toMatchObject({ networkName: "l2", stateDir: "/s", logLevel: "debug", routes: [] });
    expect(config.ipam).toMatchObject({ pools: [{ blockSize: 28 }], cooldownMs: 5000, reuseFloorMs: 0 });
    expect([formatCidr(config.ipam.pools[0].cidr), formatIp(config.ipam.pools[0].gateway), config.ipam.pools[0].isForOthers]).toEqual([
      "10.1.0.0/24",
      "10.1.0.1",
      undefined,
    ]);
    expect(warnings.filter((line) => !line.startsWith("ipam"))).toEqual([]);
  });

  test("dataDir is another name of stateDir, which wins", () => {
    const range = { type: "hns-cni", subnet: "10.1.0.0/24", dataDir: "C:\\data" };
    expect(normaliseIpamRole(build(range)).config.stateDir).toBe("C:\\data");
    expect(normaliseIpamRole(build({ ...range, stateDir: "C:\\state" })).config.stateDir).toBe("C:\\state");
  });

  test("every fault comes in one error, by the path where it was written", () => {
    const message = readMessage({
      type: "hns-cni",
      subnet: "10.1.0.5/24",
      routes: [{ dst: "x" }],
      resolvConf: "resolv.conf",
      dataDir: "relative",
      cooldownSeconds: -1,
      statusFailsOnExhaustion: "yes",
    });
    for (const path of ["subnet", "routes[0].dst", "resolvConf", "dataDir", "cooldownSeconds", "statusFailsOnExhaustion"]) {
      expect(message).toContain(`ipam.${path} `);
    }
    expect(message).toContain('"10.1.0.0/24"');
    expect(message).not.toContain("ipam.cidr");
  });

  test.each([
    ["no range at all", {}, "ipam.cidr is missing"],
    ["both languages", { cidr: "10.1.0.0/24", subnet: "10.2.0.0/24" }, "ipam.cidr is "],
    ["both languages, as a list", { cidrs: ["10.1.0.0/24"], ranges: [[{ subnet: "10.2.0.0/24" }]] }, "ipam.cidrs is "],
    [
      "two families in a set",
      { ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "fd00::/64" }]] },
      "ipam.ranges[0][1] is of another address family",
    ],
    ["a range twice", { subnet: "10.1.0.0/24", ranges: [[{ subnet: "10.1.0.0/24" }]] }, "ipam.ranges[0][0] overlaps ipam;"],
    [
      "ranges that overlap in a set",
      {
        ranges: [
          [
            { subnet: "10.1.0.0/24", rangeEnd: "10.1.0.20" },
            { subnet: "10.1.0.0/16", rangeStart: "10.1.0.20" },
          ],
        ],
      },
      "ipam.ranges[0][1] overlaps ipam.ranges[0][0];",
    ],
    ["no list of sets", { ranges: { subnet: "10.1.0.0/24" } }, "ipam.ranges is an object: must be a list"],
    ["an IPv6 subnet too small", { subnet: "fd00::/127" }, 'ipam.subnet is "fd00::/127": is too small'],
    ["IPv6 host bits", { subnet: "fd00::1/64" }, 'write the network address, "fd00::/64"'],
    ["a start that nobody reaches", { subnet: "fd00::/64", rangeStart: "fd00::1:0:0:0" }, "ipam.rangeStart is "],
    ["a gateway of the other family", { subnet: "fd00::/64", gateway: "10.1.0.1" }, "ipam.gateway is "],
    ["an empty set", { ranges: [[]] }, "ipam.ranges[0] is "],
    ["a subnet too small", { subnet: "10.1.0.0/31" }, "ipam.subnet is "],
    ["no subnet", { rangeStart: "10.1.0.2" }, "ipam.subnet is missing"],
    ["a start outside", { subnet: "10.1.0.0/24", rangeStart: "10.2.0.1" }, "ipam.rangeStart is "],
    ["an end outside", { subnet: "10.1.0.0/24", rangeEnd: "10.2.0.1" }, "ipam.rangeEnd is "],
    ["a start behind the end", { subnet: "10.1.0.0/24", rangeStart: "10.1.0.9", rangeEnd: "10.1.0.8" }, "ipam.rangeStart is "],
    ["a gateway that is none", { subnet: "10.1.0.0/24", gateway: "x" }, "ipam.gateway is "],
    ["a route's gateway", { subnet: "10.1.0.0/24", routes: [{ dst: "0.0.0.0/0", gw: "x" }] }, "ipam.routes[0].gw is "],
  ])("refuses %s", (_, keys, expected) => {
    expect(readMessage({ type: "hns-cni", ...keys })).toContain(expected);
  });

  /** Each pool as `set: id within the network`, its gateway, and how many of its first 300 addresses may be given out. */
  function describePools(ipam: object, changes: object = {}): string[] {
    const { config } = normaliseIpamRole(build({ type: "hns-cni", ...ipam }, changes));
    return config.ipam.pools.map((pool) => {
      const spec = poolSpec(config, pool);
      const first = Array.from({ length: Math.min(300, cidrSize(pool.cidr)) }, (_, offset) => formatIp(addressAt(pool.cidr, offset)));
      const usable = first.filter((address) => !isReserved(spec, address));
      return `${pool.set ?? "own"}: ${spec.id.slice(3)} ${formatIp(pool.gateway)} ${usable.length} from ${usable[0] ?? "none"}`;
    });
  }

  test("sets of ranges keep host-local's order, with the runtime's first, and each its own subnet, gateway and part", () => {
    const ranges = [[{ subnet: "2001:db8:1::/64", rangeEnd: "2001:db8:1::ff" }], [{ subnet: "10.2.0.0/24" }, { subnet: "10.3.0.0/30" }]];
    const ipRanges = [[{ Subnet: "10.9.0.0/28", Gateway: "10.9.0.14" }]];
    expect(describePools({ subnet: "10.1.0.0/24", rangeStart: "10.1.0.9", ranges }, { RuntimeConfig: { ipRanges } })).toEqual([
      "0: 10.9.0.0/28 10.9.0.14 13 from 10.9.0.1",
      "1: 10.1.0.0/24 10.1.0.1 246 from 10.1.0.9",
      "2: 2001:db8:1::/64 2001:db8:1::1 254 from 2001:db8:1::2",
      "3: 10.2.0.0/24 10.2.0.1 253 from 10.2.0.2",
      "3: 10.3.0.0/30 10.3.0.1 1 from 10.3.0.2",
    ]);
  });

  test("parts of one subnet are one pool in a set, and pools of their own in different sets", () => {
    const part = (rangeStart: string, rangeEnd: string): object => ({ subnet: "10.1.0.0/24", rangeStart, rangeEnd });
    expect(describePools({ ranges: [[part("10.1.0.10", "10.1.0.12"), part("10.1.0.20", "10.1.0.20")]] })).toEqual([
      "0: 10.1.0.0/24 10.1.0.1 4 from 10.1.0.10",
    ]);
    expect(describePools({ ranges: [[part("10.1.0.10", "10.1.0.12")], [part("10.1.0.20", "10.1.0.20")]] })).toEqual([
      "0: 10.1.0.0/24 10-12 10.1.0.1 3 from 10.1.0.10",
      "1: 10.1.0.0/24 20-20 10.1.0.1 1 from 10.1.0.20",
    ]);
  });

  test("our own pools serve an address of each family, after the ranges that the runtime asks for", () => {
    const changes = { runtimeConfig: { ipRanges: [[{ subnet: "10.9.0.0/24" }]] } };
    expect(describePools({ cidrs: ["fd00::/64", "10.1.0.0/24"] }, changes)).toEqual([
      "0: 10.9.0.0/24 10.9.0.1 253 from 10.9.0.2",
      "own: 10.1.0.0/24 10.1.0.1 252 from 10.1.0.3",
      "own: fd00::/64 fd00::1 297 from fd00::3",
    ]);
    expect(describePools({ cidr: "fd00::/64" })).toEqual(["own: fd00::/64 fd00::1 297 from fd00::3"]);
    expect(describePools({}, changes)).toEqual(["0: 10.9.0.0/24 10.9.0.1 253 from 10.9.0.2"]);
  });

  test("results of before 0.3.0 hold one address of each family", () => {
    const two = { type: "hns-cni", ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "10.2.0.0/24" }]] };
    expect(readMessage(two, { cniVersion: "0.2.0" })).toContain('cniVersion is "0.2.0": holds one address');
    const families = { ...two, ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd00::/64" }]] };
    expect(normaliseIpamRole(build(families, { cniVersion: "0.2.0" })).config.ipam.pools).toHaveLength(2);
  });
});

describe("normaliseIpamRoleForDelete", () => {
  test.each([
    [{ type: "hns-cni", stateDir: "/s", cidr: 5 }, "/s"],
    [{ type: "hns-cni", dataDir: "/d", ranges: 5 }, "/d"],
    [{ type: "hns-cni", dataDir: 5 }, undefined],
    ["broken", undefined],
  ])("finds the state of %j", (ipam, stateDir) => {
    expect(normaliseIpamRoleForDelete(build(ipam)).config.stateDir).toBe(stateDir);
  });
});
