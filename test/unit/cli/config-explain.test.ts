import { explainKey } from "../../../src/cli/config-explain.ts";
import { FakeWorld } from "./fake-world.ts";

function explain(key: string | undefined, output: "text" | "json" = "text"): { code: number; out: string } {
  const world = new FakeWorld();
  return { code: explainKey(world, { key, output }), out: world.out };
}

const pathsOf = (key: string | undefined): string[] => (JSON.parse(explain(key, "json").out) as { path: string }[]).map(({ path }) => path);

describe("config explain", () => {
  it("says what a key means", () => {
    expect(explain("ipam.cooldownSeconds")).toEqual({
      code: 0,
      out: [
        "ipam.cooldownSeconds",
        "  How long a released address rests before another pod gets it.",
        "  Type:     number, seconds",
        "  Limits:   from 0 to 86400",
        "  Default:  30",
        "  Example:  30",
        "",
      ].join("\n"),
    });
    expect(explain("logLevel").out).toContain('\n  Values:   "error", "warn", "info", "debug"\n');
    expect(explain("name").out).toContain("\n  Type:     text, required\n");
  });

  it("takes a key in any case, by its last part, and as a fault names it", () => {
    expect(pathsOf("IPAM.coolDownSeconds")).toEqual(["ipam.cooldownSeconds"]);
    expect(pathsOf("cooldownSeconds")).toEqual(["ipam.cooldownSeconds"]);
    expect(pathsOf("runtimeConfig.portMappings[3].hostPort")).toEqual(["runtimeConfig.portMappings[].hostPort"]);
  });

  it("names what is below a key", () => {
    expect(pathsOf("ipam.warm").slice(0, 3)).toEqual(["ipam.warm", "ipam.warm.ips", "ipam.warm.minimum"]);
    expect(pathsOf("runtimeConfig.dns")).toEqual(["", ".servers", ".searches", ".options"].map((end) => `runtimeConfig.dns${end}`));
  });

  it("lists all keys without one", () => {
    expect(pathsOf(undefined)).toEqual(expect.arrayContaining(["mode", "ipam.cidr", "dns.search"]) as string[]);
    expect(explain(undefined).out).toMatch(/^KEY +TYPE +UNIT +DEFAULT\ncniVersion +text\n/);
  });

  it("suggests keys for one that is not there", () => {
    const failure = catchError(() => explain("ipam.shrinkAfter"));
    expect(failure.message).toBe('cannot explain "ipam.shrinkAfter": the configuration has no such key');
    expect(failure).toHaveProperty("next", "did you mean ipam.warm.shrinkAfterSeconds?");
    expect(() => explain("zzzz")).toThrow("the configuration has no such key");
  });
});

function catchError(work: () => unknown): Error {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof Error) return thrown;
  }
  throw new Error("nothing was thrown");
}
