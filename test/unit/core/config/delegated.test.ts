import { formatCidr } from "../../../../src/core/base/ip.ts";
import { normalise, normaliseDelegated } from "../../../../src/core/config/normalise.ts";

function build(ipam: unknown, changes: object = {}): Record<string, unknown> {
  return { cniVersion: "1.1.0", name: "pods", type: "hns-cni", mode: "l2bridge", ipam, ...changes };
}

describe("normaliseDelegated", () => {
  test("leaves the section of another plugin to that plugin", () => {
    const ipam = { type: "host-local", cidr: 5, blockSize: "x", gateway: [], warm: 7, ranges: [[{ subnet: "10.1.0.0/24" }]] };
    const { config, warnings } = normaliseDelegated(build(ipam, { gatewayMode: "ipam" }));
    expect(config).toMatchObject({ networkName: "pods", gatewayMode: "ipam", delegate: { type: "host-local" } });
    expect(config.delegate.subnets).toEqual([]);
    expect(warnings).toEqual([]);
  });

  test.each([
    [{ type: "x", subnet: "10.1.0.0/24" }, {}, ["10.1.0.0/24"]],
    [{ type: "x", subnet: "10.1.0.0/24" }, { subnet: "10.0.0.0/8" }, ["10.0.0.0/8"]],
    [{ type: "x", subnet: "10.1.0.5/24" }, {}, []],
    [{ type: "x", subnet: "fd00::/64" }, {}, ["fd00::/64"]],
    [{ type: "x" }, { subnet: "fd00::/64, 10.1.0.0/24" }, ["fd00::/64", "10.1.0.0/24"]],
  ])("takes the subnet from %j and %j", (ipam, changes, expected) => {
    expect(normaliseDelegated(build(ipam, changes)).config.delegate.subnets.map(formatCidr)).toEqual(expected);
  });

  test.each([["10.1.0.5/24"], ["fd00::/126"], ["10.1.0.0/30"], ["10.1.0.0/24,10.2.0.0/24"], ["10.1.0.0/24,"], ["x"], [5]])(
    "tells faults of subnet %j, and all others with it",
    (subnet) => {
      const read = (): unknown => normaliseDelegated(build({ type: "x" }, { subnet, callTimeoutSeconds: -1 }));
      expect(read).toThrow(/subnet is /);
      expect(read).toThrow(/callTimeoutSeconds is /);
    },
  );

  test("point 72: a type that is a path is a fault", () => {
    expect(() => normaliseDelegated(build({ type: "../x" }))).toThrow(/ipam\.type is "\.\.\/x"/);
  });

  test("the name of our own file is no other plugin", () => {
    const raw = build({ type: "pods-cni", cidr: "10.1.0.0/24" });
    expect(normalise(raw, ["pods-cni"]).config.ipam.pools[0].blockSize).toBe(26);
    expect(() => normalise(raw)).toThrow(/ipam\.type is "pods-cni": is another plugin/);
    expect(() => normaliseDelegated(raw, ["pods-cni"])).toThrow(/this plugin/);
  });
});
