import { normaliseIpamRole, normaliseIpamRoleForDelete } from "../../../../src/core/config/ipam-role.ts";
import { findRole } from "../../../../src/core/config/our-names.ts";
import { formatCidr, formatIp } from "../../../../src/core/base/ip.ts";
import { PluginError } from "../../../../src/core/base/errors.ts";

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
    ["a second range", { ranges: [[{ subnet: "10.1.0.0/24" }, { subnet: "10.2.0.0/24" }]] }, "ipam.ranges[0][1] is a further range"],
    ["a second family", { ranges: [[{ subnet: "10.1.0.0/24" }], [{ subnet: "fd00::/64" }]] }, "ipam.ranges[1][0] is a further range"],
    ["old and new style", { subnet: "10.1.0.0/24", ranges: [[{ subnet: "10.2.0.0/24" }]] }, "ipam.ranges[0][0] is a further range"],
    ["IPv6", { ranges: [[{ subnet: "fd00::/64" }]] }, "ipam.ranges[0][0].subnet is "],
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

  test("a range that the runtime asks for is refused", () => {
    const changes = { runtimeConfig: { ipRanges: [[{ subnet: "10.3.0.0/24" }]] } };
    expect(readMessage({ type: "hns-cni", subnet: "10.1.0.0/24" }, changes)).toContain("runtimeConfig.ipRanges");
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
