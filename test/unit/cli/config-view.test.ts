import { parse } from "yaml";
import { showConfig, validateConfig } from "../../../src/cli/config-view.ts";
import { normalise } from "../../../src/core/config/normalise.ts";
import { FakeWorld } from "./fake-world.ts";

const PLUGIN = { type: "hns-cni", mode: "l2bridge", clusterCidrs: ["10.244.0.0/16"], ipam: { type: "hns-cni", cidr: "10.244.3.0/24" } };
const CONF = { cniVersion: "1.1.0", name: "pods", ...PLUGIN };
const LIST = { cniVersion: "1.1.0", name: "pods", plugins: [{ type: "other" }, PLUGIN] };

interface Report {
  readonly valid: boolean;
  readonly faults: readonly { readonly path: string; readonly problem: string; readonly remedy: string }[];
  readonly warnings: readonly string[];
}

function validate(document: unknown): { code: number; report: Report } {
  const world = new FakeWorld({ file: typeof document === "string" ? document : JSON.stringify(document) });
  const code = validateConfig(world, { file: "file", output: "json" });
  return { code, report: JSON.parse(world.out) as Report };
}

const pathsOf = (document: unknown): string[] => validate(document).report.faults.map(({ path }) => path);

describe("config validate", () => {
  it.each([
    ["a configuration", CONF],
    ["a list", LIST],
    ["a file with a byte order mark", `\uFEFF${JSON.stringify(CONF)}`],
    ["a list that offers several versions", { ...LIST, cniVersion: "9.0.0", cniVersions: ["1.0.0", "9.0.0"] }],
  ])("accepts %s", (_name, document) =>
    expect(validate(document)).toMatchObject({ code: 0, report: { valid: true, faults: [], warnings: [] } }),
  );

  it.each([
    ["every fault of a configuration", { ...CONF, mode: "x", ipam: { ...PLUGIN.ipam, cidr: "nowhere" } }, ["mode", "ipam.cidr"]],
    [
      "an ipam section that names no plugin, which is none that leaves the choice to HNS",
      { ...CONF, ipam: { subnet: "10.9.0.0/16" } },
      ["ipam.type"],
    ],
    [
      "where in a list a fault is",
      { ...LIST, plugins: [{ type: "other" }, { ...PLUGIN, mode: "x" }, { ...PLUGIN, mode: "y" }] },
      ["plugins[1].mode", "plugins[2].mode"],
    ],
    ["the name of a list once", { ...LIST, name: "a b", plugins: [PLUGIN, PLUGIN] }, ["name"]],
    ["a missing name", { ...LIST, name: undefined }, ["name"]],
    ["a version it does not speak", { ...CONF, cniVersion: "9.0.0" }, ["cniVersion"]],
    ["a version that is no text", { ...CONF, cniVersion: 1 }, ["cniVersion"]],
    ["another plugin's configuration", { ...CONF, type: "other" }, ["type"]],
    ["a list without this plugin", { ...LIST, plugins: [{ type: "other" }] }, ["plugins"]],
    ["a range of IPv6 alone", { ...CONF, ipam: { ...PLUGIN.ipam, cidr: "fd00:1::/64" } }, ["ipam.cidr"]],
    [
      "an IPv6 subnet where HNS chooses",
      { cniVersion: "1.1.0", name: "p", type: "hns-cni", mode: "l2bridge", subnet: "fd00:1::/64" },
      ["subnet"],
    ],
    ["plugins that are no list", { ...LIST, plugins: {} }, ["plugins"]],
  ])("reports %s", (_name, document, paths) => {
    expect(pathsOf(document).sort()).toEqual([...paths].sort());
    expect(validate(document)).toMatchObject({ code: 1, report: { valid: false } });
    expect(validate(document).report.faults.filter(({ remedy }) => remedy === "")).toEqual([]);
  });

  it("tells warnings of a configuration that is valid all the same", () => {
    expect(validate({ ...CONF, bogus: 1 }).report.warnings).toEqual(["unknown key bogus is ignored"]);
    expect(validate({ ...LIST, plugins: [{ ...PLUGIN, bogus: 1 }] }).report.warnings).toEqual(["plugins[0]: unknown key bogus is ignored"]);
  });

  it("says what is wrong with the JSON", () => {
    expect(() => validate('{"name": }')).toThrow("file is no JSON: Unexpected token '}'");
    expect(() => validate("[]")).toThrow("file is no configuration: it holds no JSON object");
  });

  it("prints faults for people", () => {
    const world = new FakeWorld({ "-": JSON.stringify({ ...CONF, logLevel: "x" }) });
    expect(validateConfig(world, { file: "-", output: "text" })).toBe(1);
    expect(world.out).toBe(
      '-: 1 fault\n  logLevel is "x": must be one of error, warn, info, debug\n    set "error", "warn", "info" or "debug"\n',
    );
  });
});

describe("config show", () => {
  it("shows numbers that were written under other products' names under the plugin's own", () => {
    const ipam = { ...PLUGIN.ipam, WARM_IP_TARGET: "5", IP_COOLDOWN_PERIOD: 45 };
    const world = new FakeWorld({ file: JSON.stringify({ ...CONF, ipam }) });
    expect(showConfig(world, { file: "file", isEffective: true, output: "json" })).toBe(0);
    const shown = JSON.parse(world.out) as { ipam: object };
    expect(shown.ipam).toMatchObject({ warm: { ips: 5, minimum: 3 }, cooldownSeconds: 45 });
    expect(shown.ipam).not.toHaveProperty("WARM_IP_TARGET");
  });

  const show = (document: unknown, output: "json" | "yaml" = "json"): FakeWorld & { code?: number } => {
    const world = new FakeWorld({ file: JSON.stringify(document) });
    return Object.assign(world, { code: showConfig(world, { file: "file", isEffective: true, output }) });
  };

  it.each([
    ["as it is", CONF],
    ["with a gateway", { ...CONF, gatewayMode: "ipam" }],
    [
      "with both families",
      { ...CONF, clusterCidrs: ["10.0.0.0/8", "fd00::/16"], ipam: { type: "hns-cni", cidrs: ["fd00::/64", "10.244.3.0/24"] } },
    ],
    [
      "with pools",
      {
        ...CONF,
        clusterCidrs: ["10.0.0.0/8"],
        gatewayMode: "ipam",
        ipam: { type: "hns-cni", pools: [{ cidr: "10.244.3.0/24" }, { cidr: "10.244.4.0/28", namespaces: ["shop"] }] },
      },
    ],
    [
      "with everything",
      {
        ...CONF,
        gatewayMode: "none",
        stateDir: "D:\\s",
        logFile: "D:\\l",
        logLevel: "debug",
        ipam: { ...PLUGIN.ipam, blockSize: 27 },
        loopbackDSR: false,
      },
    ],
  ])("prints a configuration that means the same: %s", (_name, document) => {
    const printed = JSON.parse(show(document).out) as Record<string, unknown>;
    const { stateDir = "C:\\ProgramData\\hns-cni", logFile = `${stateDir}\\hns-cni.log`, ...same } = normalise(document).config;
    expect(normalise(printed)).toEqual({ config: { ...same, stateDir, logFile }, warnings: [] });
    expect(JSON.parse(show(printed).out)).toEqual(printed);
  });

  it("fills in every part of ours in a list, and leaves the rest", () => {
    const printed = JSON.parse(show(LIST).out) as typeof LIST;
    expect(printed).toMatchObject({
      cniVersion: "1.1.0",
      name: "pods",
      plugins: [{ type: "other" }, { ...PLUGIN, logLevel: "info", ipam: { blockSize: 26 } }],
    });
    expect(Object.keys(printed.plugins[1] ?? {})).not.toContain("name");
  });

  it("leaves out what a runtime adds on each call", () => {
    expect(JSON.parse(show({ ...CONF, runtimeConfig: { portMappings: [] }, prevResult: {} }).out)).not.toHaveProperty("runtimeConfig");
  });

  it("prints YAML of the same content", () => {
    expect(parse(show(CONF, "yaml").out)).toEqual(JSON.parse(show(CONF).out));
  });

  it("shows nothing of a configuration with faults but these", () => {
    const { code, out, error } = show({ ...CONF, mode: "x" });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toContain('mode is "x"');
  });
});

describe("config show --effective=false", () => {
  const show = (document: object): unknown => {
    const world = new FakeWorld({ file: JSON.stringify(document) });
    expect(showConfig(world, { file: "file", isEffective: false, output: "json" })).toBe(0);
    return JSON.parse(world.out);
  };

  it("prints what was written, in the documented spelling and without null", () => {
    const { mode, ...rest } = CONF;
    expect(show({ ...rest, MODE: mode, adapter: null })).toEqual(CONF);
    expect(show(LIST)).toEqual(LIST);
  });

  it("leaves another IPAM plugin's section as it is", () => {
    const ipam = { type: "host-local", Ranges: [[{ subnet: "10.244.3.0/24" }]] };
    expect(show({ ...CONF, ipam })).toEqual({ ...CONF, ipam });
  });
});

describe("config validate of another plugin's configuration", () => {
  it("names the command that converts it", () => {
    const remedies = [validate({ name: "n", type: "win-bridge" }), validate({ name: "n", plugins: [{ type: "azure-vnet" }] })].flatMap(
      ({ report }) => report.faults.filter(({ path }) => path === "type" || path === "plugins").map(({ remedy }) => remedy),
    );
    expect(remedies).toEqual([
      'give the plugin\'s object the type "hns-cni"; hns-cni config convert translates a configuration of win-bridge',
      'give the plugin\'s object the type "hns-cni"; hns-cni config convert translates a configuration of azure-vnet',
    ]);
  });
});
