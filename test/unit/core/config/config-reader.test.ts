import { PluginError } from "../../../../src/core/base/errors.ts";
import { rememberingReader } from "../../../../src/core/config/config-reader.ts";
import { normalise, normaliseForDelete } from "../../../../src/core/config/normalise.ts";

const CONFIG = {
  cniVersion: "1.1.0",
  name: "pods",
  type: "hns-cni",
  mode: "l2bridge",
  clusterCidrs: ["10.244.0.0/16"],
  ipam: { type: "hns-cni", cidr: "10.244.3.0/24" },
};

describe("a reader that remembers", () => {
  test("gives what reading anew would, and the same object for the same configuration", () => {
    const reader = rememberingReader();
    const first = reader.normalise(CONFIG, []);
    expect(first).toEqual(normalise(CONFIG, []));
    expect(reader.normalise(structuredClone(CONFIG), [])).toBe(first);
    const forDelete = reader.normaliseForDelete(CONFIG);
    expect(forDelete).toEqual(normaliseForDelete(CONFIG));
    expect(reader.normaliseForDelete({ ...CONFIG, prevResult: { ips: [{ address: "10.244.3.9/24" }] } })).toBe(forDelete);
  });

  test("never takes one configuration for another: each difference counts, deep down, in a name by which we are called, and of the pod", () => {
    const reader = rememberingReader();
    reader.normalise(CONFIG, []);
    reader.normaliseForDelete(CONFIG);
    const portMappings = [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }];
    for (const other of [
      { ...CONFIG, name: "others" },
      { ...CONFIG, ipam: { ...CONFIG.ipam, cidr: "10.244.4.0/24" } },
      { ...CONFIG, operationTimeoutSeconds: 42 },
      { ...CONFIG, runtimeConfig: { portMappings } },
      { ...CONFIG, unknown: 1 },
    ]) {
      expect(reader.normalise(other, [])).toEqual(normalise(other, []));
      expect(reader.normaliseForDelete(other)).toEqual(normaliseForDelete(other));
    }
    const foreign = { ...CONFIG, type: "win-bridge", ipam: { ...CONFIG.ipam, type: "win-bridge" } };
    expect(reader.normalise(foreign, ["win-bridge"])).toEqual(normalise(foreign, ["win-bridge"]));
    expect(() => reader.normalise(foreign, [])).toThrow();
  });

  test("refuses again what it refused before", () => {
    const reader = rememberingReader();
    const broken = { ...CONFIG, mode: "no mode" };
    const read = (): string => {
      try {
        return reader.normalise(broken, []).config.networkName;
      } catch (thrown) {
        return thrown instanceof PluginError ? thrown.code : "";
      }
    };
    expect([read(), read()]).toEqual(["INVALID_CONFIG", "INVALID_CONFIG"]);
  });

  test("keeps the last ones only, and none that is very long", () => {
    const reader = rememberingReader();
    const first = reader.normalise(CONFIG, []);
    const long = { ...CONFIG, padding: "x".repeat(20_000) };
    expect(reader.normalise(long, [])).not.toBe(reader.normalise(long, []));
    const others = Array.from({ length: 16 }, (_, at) => ({ ...CONFIG, name: `pods-${at}` }));
    for (const other of others.slice(0, 15)) reader.normalise(other, []);
    expect(reader.normalise(CONFIG, [])).toBe(first); // asked for again, so not the oldest
    for (const other of others) reader.normalise(other, []);
    expect(reader.normalise(CONFIG, [])).not.toBe(first);
  });
});
