import { parse } from "yaml";
import { findFileFaults, parseConfFile } from "../../../src/cli/config-file.ts";
import { generateConfig, type GenerateArguments, LAYOUT_NAMES } from "../../../src/cli/config-generate.ts";
import { PLUGIN_KEY_TEXTS } from "../../../src/core/config/generated/plugin-keys.ts";
import { FakeWorld } from "./fake-world.ts";

interface List {
  readonly name: string;
  readonly plugins: readonly Readonly<Record<string, unknown>>[];
}

function generate(rest: Partial<GenerateArguments> = {}): { world: FakeWorld; run: () => number } {
  const world = new FakeWorld();
  const absent = { cidr: undefined, name: undefined, adapter: undefined };
  const lists = { clusterCidrs: [], serviceCidrs: [], nameservers: [] };
  return { world, run: () => generateConfig(world, { mode: "l2bridge", layout: "plain", ...absent, ...lists, output: "json", ...rest }) };
}

const MODES = (PLUGIN_KEY_TEXTS.find(({ path }) => path === "mode")?.choices ?? []).map(String);
const cases = LAYOUT_NAMES.flatMap((layout) => MODES.map((mode) => [layout, mode] as const));

describe("config generate", () => {
  it.each(cases)("prints a list without faults for layout %s and mode %s", (layout, mode) => {
    const { world, run } = generate({ layout, mode });
    expect(run()).toBe(0);
    expect(findFileFaults(parseConfFile(world.out, "list"))).toEqual([]);
    expect(JSON.parse(world.out)).toMatchObject({ cniVersion: "1.1.0", plugins: [{ type: "hns-cni", mode }] });
  });

  it("takes what it is told, in the forms that it is asked for", () => {
    const { world, run } = generate({
      name: "blue",
      adapter: "Ethernet 2",
      cidr: "10.9.3.0/24",
      clusterCidrs: ["10.9.0.0/16"],
      serviceCidrs: ["172.20.0.0/16"],
      nameservers: ["172.20.0.10"],
      output: "yaml",
    });
    expect(run()).toBe(0);
    expect(parse(world.out)).toEqual({
      cniVersion: "1.1.0",
      name: "blue",
      plugins: [
        {
          type: "hns-cni",
          mode: "l2bridge",
          adapter: "Ethernet 2",
          clusterCidrs: ["10.9.0.0/16"],
          serviceCidrs: ["172.20.0.0/16"],
          dns: { nameservers: ["172.20.0.10"], search: ["svc.cluster.local", "cluster.local"] },
          capabilities: { portMappings: true, dns: true },
          ipam: { type: "hns-cni", cidr: "10.9.3.0/24" },
        },
      ],
    });
    expect(world.error).not.toContain("look at the values");
  });

  it.each([
    ["plain", { name: "pods" }, "%ProgramFiles%\\containerd\\cni\\conf\\10-pods.conflist.tmp"],
    ["aks", { name: "azure", plugins: [{ gatewayMode: "ipam" }] }, "c:\\k\\azurecni\\netconf\\"],
    ["eks", { name: "vpc", plugins: [{ gatewayMode: "ipam" }] }, "Amazon\\EKS\\cni\\config\\"],
    ["gke", { name: "l2bridge" }, "C:\\etc\\kubernetes\\cni\\config\\"],
  ] as const)("has the names and folders of layout %s", (layout, expected, folder) => {
    const { world, run } = generate({ layout });
    expect(run()).toBe(0);
    expect(JSON.parse(world.out)).toMatchObject(expected);
    expect(world.error).toContain(folder);
    expect(world.error).toContain("look at the values that were not given: --cidr, --cluster-cidr, --service-cidr, --nameserver");
  });

  it("leaves nothing of a layout out without saying so", () => {
    const { world, run } = generate({ layout: "aks" });
    expect(run()).toBe(0);
    const [plugin] = (JSON.parse(world.out) as List).plugins;
    expect(plugin !== undefined && "policies" in plugin).toBe(!world.error.includes("168.63.129.16"));
  });

  it("refuses a mode that the plugin does not have, and names those that it has", () => {
    expect(generate({ mode: "macvlan" }).run).toThrow(
      'cannot generate a configuration for mode "macvlan": the plugin does not have this mode',
    );
    try {
      generate({ mode: "macvlan" }).run();
    } catch (thrown) {
      expect(thrown).toHaveProperty("next", `this version has ${MODES.join(", ")}`);
    }
  });

  it("prints faults and no list when the values contradict each other", () => {
    const { world, run } = generate({ cidr: "10.96.3.0/24" });
    expect(run()).toBe(1);
    expect(world.out).toBe("");
    expect(world.error).toContain("overlaps ipam.cidr 10.96.3.0/24");
  });
});
