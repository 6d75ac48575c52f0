import type { Family } from "../../../src/core/base/ip.ts";
import { showSourceVip } from "../../../src/cli/source-vip.ts";
import { CliError } from "../../../src/cli/world.ts";
import { EngineFixture } from "../../support/engine-fixture.ts";
import { FakeWorld } from "./fake-world.ts";

const CONF = {
  cniVersion: "1.1.0",
  name: "pods",
  type: "hns-cni",
  mode: "overlay",
  clusterCidrs: ["10.244.0.0/16"],
  ipam: { type: "hns-cni", cidr: "10.244.3.64/26" },
};

function ask(
  document: object,
  { conf = "file", family = 4, output = "text" }: { conf?: string; family?: Family; output?: "text" | "json" } = {},
): string {
  const text = JSON.stringify(document);
  const world = new FakeWorld({ file: text, "-": text });
  expect(showSourceVip(world, { conf, family, output })).toBe(0);
  expect([world.error, world.states.size]).toEqual(["", 0]);
  return world.out;
}

describe("source-vip", () => {
  it("prints the same address each time, from a file or standard input, and keeps no state", () => {
    expect(ask(CONF)).toBe("10.244.3.66\n");
    expect(ask(CONF)).toBe("10.244.3.66\n");
    expect(ask(CONF, { conf: "-" })).toBe("10.244.3.66\n");
    expect(ask({ cniVersion: "1.1.0", name: "pods", plugins: [CONF] })).toBe("10.244.3.66\n");
    expect(JSON.parse(ask(CONF, { output: "json" }))).toEqual({ network: "pods", sourceVip: "10.244.3.66" });
  });

  it("is an address that no pod ever gets", async () => {
    const node = new EngineFixture({ config: { mode: "overlay", ipam: { cidr: "10.244.3.64/29" } } });
    const given: string[] = [];
    for (const name of ["a", "b", "c", "d"]) given.push((await node.add(node.pod(name))).ips[0]?.address ?? "");
    expect(given).toEqual(["10.244.3.67/29", "10.244.3.68/29", "10.244.3.69/29", "10.244.3.70/29"]);
    await expect(node.add(node.pod("e"))).rejects.toMatchObject({ code: "ADDRESS_EXHAUSTED" });
    node.close();
  });

  it.each([
    ["a mode that needs none", { ...CONF, mode: "l2bridge" }, "mode l2bridge needs none"],
    ["no mode", { ...CONF, mode: undefined }, "does not name its mode"],
    ["addresses of another plugin", { ...CONF, ipam: { type: "host-local" } }, "not this plugin's to give"],
    ["addresses of HNS", { ...CONF, mode: "nat", ipam: undefined }, "not this plugin's to give"],
    ["faults", { ...CONF, vsid: 5 }, "has faults"],
    ["another plugin's configuration", { ...CONF, type: "win-overlay" }, "exactly one object"],
  ])("says why there is none: %s", (_, conf, why) => {
    expect(() => ask(conf)).toThrow(CliError);
    expect(() => ask(conf)).toThrow(why);
  });

  it("has none of a family without a range", () => {
    expect(() => ask(CONF, { family: 6 })).toThrow("no range of IPv6");
  });
});
