import { parse } from "yaml";
import { convertConfig, type ConvertArguments } from "../../../src/cli/config-convert.ts";
import { PLUGIN_KEY_TEXTS } from "../../../src/core/config/generated/plugin-keys.ts";
import { FakeWorld } from "./fake-world.ts";

const FOREIGN = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [{ type: "win-bridge", apiVersion: 2, ipMasqNetwork: "10.244.0.0/16", ipam: { type: "host-local", subnet: "10.244.3.0/24" } }],
};

const OURS = {
  cniVersion: "1.0.0",
  name: "pods",
  plugins: [
    {
      type: "hns-cni",
      mode: "l2bridge",
      clusterCidrs: ["10.244.0.0/16"],
      loopbackDSR: false,
      ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
    },
  ],
};

function convert(source: unknown, rest: Partial<ConvertArguments> = {}, world = new FakeWorld({ file: JSON.stringify(source) })) {
  const defaults = {
    file: "file",
    ipam: "ours",
    cidr: undefined,
    clusterCidrs: [],
    write: undefined,
    force: false,
    output: "json",
  } as const;
  const run = (): number => convertConfig(world, { ...defaults, ...rest });
  return { world, run };
}

describe("config convert", () => {
  it("prints the converted configuration, and on stderr what became of each key", () => {
    const { world, run } = convert(FOREIGN);
    expect(run()).toBe(0);
    expect(JSON.parse(world.out)).toEqual(OURS);
    expect(world.error).toBe(
      [
        "kept        cniVersion, name",
        "translated  plugins[0].type -> type: becomes hns-cni",
        "dropped     plugins[0].apiVersion: this plugin always speaks HNS v2",
        "translated  plugins[0].ipMasqNetwork -> clusterCidrs: 10.244.0.0/16",
        "translated  plugins[0].ipam -> ipam: host-local's range is a pool of this plugin",
        "added       mode: what win-bridge makes of it",
        "added       loopbackDSR: off, as win-bridge has it; leave it out to let pods reach themselves through a Service",
        "",
      ].join("\n"),
    );
  });

  it("prints YAML too", () => {
    const { world, run } = convert(FOREIGN, { output: "yaml" });
    expect(run()).toBe(0);
    expect(parse(world.out)).toEqual(OURS);
  });

  it("writes a file in place of printing, and replaces one only when told to", () => {
    const world = new FakeWorld({ file: JSON.stringify(FOREIGN) });
    expect(convert(FOREIGN, { write: "new" }, world).run()).toBe(0);
    expect([world.out, JSON.parse(world.written.get("new") ?? "")]).toEqual(["", OURS]);
    for (const write of ["file", "new"])
      expect(convert(FOREIGN, { write }, world).run).toThrow(`${write} is left as it is: it is there already`);
    expect([...world.written.keys()]).toEqual(["new"]);
    expect(convert(FOREIGN, { write: "file", force: true }, world).run()).toBe(0);
    expect(JSON.parse(world.written.get("file") ?? "")).toEqual(OURS);
  });

  it("says why a file cannot be written", () => {
    expect(convert(FOREIGN, { write: "read-only\\new" }).run).toThrow("cannot write read-only\\new: EACCES");
  });

  it.each([
    ["what cannot be translated", { name: "pods", type: "win-bridge" }, "ipam names no range of this node"],
    ["another plugin's configuration", { name: "pods", type: "bridge" }, "type names no plugin that can be converted"],
    ["a result with faults", { ...FOREIGN, name: "a b" }, 'name is "a b"'],
    ["a result of a version that nobody speaks", { ...FOREIGN, cniVersion: "7.0.0" }, 'cniVersion is "7.0.0"'],
  ])("prints no result for %s, and the faults on stderr", (_name, source, message) => {
    const { world, run } = convert(source, { write: "new" });
    expect(run()).toBe(1);
    expect([world.out, world.written.size]).toEqual(["", 0]);
    expect(world.error).toContain("file: 1 fault\n");
    expect(world.error).toContain(message);
  });

  it("prints no result that has a key this version would pass over: a policy that nobody reads is a rule that no pod has", () => {
    const policies = [{ name: "EndpointPolicy", value: { Type: "ACL", Settings: { Action: "Block", Direction: "Out", Priority: 200 } } }];
    const { world, run } = convert({ ...FOREIGN, plugins: [{ ...FOREIGN.plugins[0], policies }] });
    const isKnown = PLUGIN_KEY_TEXTS.some(({ path }) => path === "policies");
    expect(run()).toBe(isKnown ? 0 : 1);
    expect(world.out !== "").toBe(isKnown);
    expect(world.error.includes("policies is a key that this version does not have")).toBe(!isKnown);
  });

  it("takes the node's range and the cluster's from the command", () => {
    const { world, run } = convert(
      { name: "pods", type: "flannel", delegate: {} },
      { cidr: "10.244.3.0/24", clusterCidrs: ["10.244.0.0/16"] },
    );
    expect(run()).toBe(0);
    expect(JSON.parse(world.out)).toEqual({ name: "pods", ...OURS.plugins[0] });
  });

  it.each([
    ["--cidr", { cidr: "10.244.3.1/24" }, '--cidr "10.244.3.1/24" is not usable'],
    ["--cidr", { cidr: "10.244.3.0/30" }, "--cidr 10.244.3.0/30 is no pod range"],
    ["--cluster-cidr", { clusterCidrs: ["all"] }, '--cluster-cidr "all" is not usable'],
  ])("refuses %s that is no range", (_name, rest, message) => expect(convert(FOREIGN, rest).run).toThrow(message));
});
