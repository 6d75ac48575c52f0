import { PluginError } from "../../../../src/core/base/errors.ts";
import { normalise } from "../../../../src/core/config/normalise.ts";
import type { IpamConfig, PoolConfig } from "../../../../src/core/config/plugin-config.ts";

function read(ipam: Record<string, unknown>): { ipam: IpamConfig; pool: PoolConfig; warnings: readonly string[] } {
  const section = { type: "hns-cni", cidr: "10.244.3.0/24", ...ipam };
  const raw = { cniVersion: "1.1.0", name: "pods", type: "hns-cni", mode: "l2bridge", clusterCidrs: ["10.244.0.0/16"], ipam: section };
  const { config, warnings } = normalise(raw);
  return { ipam: config.ipam, pool: config.ipam.pools[0], warnings };
}

/** The text of the one error, which is INVALID_CONFIG. */
function fault(ipam: Record<string, unknown>): string {
  try {
    read(ipam);
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "INVALID_CONFIG") return thrown.message;
    throw thrown;
  }
  throw new Error("no fault");
}

describe("addresses kept back", () => {
  test("are addresses, networks and ranges, joined where they touch", () => {
    const { pool } = read({
      reserved: ["10.244.3.10", "10.244.3.16/28", "10.244.2.0/23"].slice(0, 2),
      exclude: ["10.244.3.32-10.244.3.40", "10.244.3.5"],
    });
    expect(pool.keptBack).toEqual([
      { first: 5, last: 5 },
      { first: 10, last: 10 },
      { first: 16, last: 40 },
    ]);
  });

  test("count as far as they lie in the range", () => {
    expect(read({ exclude: ["10.244.2.0-10.244.3.9"] }).pool.keptBack).toEqual([{ first: 0, last: 9 }]);
  });

  test("are none unless configured", () => {
    const { pool } = read({ reserved: [], exclude: [], windowsReserved: "subnet" });
    expect(pool).not.toHaveProperty("keptBack");
    expect(pool).not.toHaveProperty("isReservedPerBlock");
    expect(read({ windowsReserved: "block" }).pool.isReservedPerBlock).toBe(true);
  });

  test.each([
    [{ reserved: ["10.244.3.300"] }, /ipam\.reserved\[0\] is "10\.244\.3\.300": is no address, no network/],
    [{ reserved: ["10.244.3.1/24"] }, /ipam\.reserved\[0\] .* no network in CIDR form/],
    [{ exclude: ["10.244.3.9-10.244.3.3"] }, /ipam\.exclude\[0\]/],
    [{ exclude: ["10.244.3.9-fd00::1"] }, /ipam\.exclude\[0\]/],
    [{ exclude: ["10.244.3.9", "10.9.0.0-10.9.0.5"] }, /ipam\.exclude\[1\] .* lies outside ipam\.cidr 10\.244\.3\.0\/24/],
    [{ exclude: ["10.244.3.0-10.244.3.255"] }, /ipam\.exclude is a list of 1: leaves no address/],
    [{ reserved: ["10.244.3.0/25", "10.244.3.128/25"] }, /ipam\.reserved is a list of 2: leaves no address/],
    [{ reserved: "10.244.3.9" }, /ipam\.reserved is "10\.244\.3\.9": must be array/],
    [{ windowsReserved: "node" }, /ipam\.windowsReserved .*subnet, block/],
  ])("%j is a fault", (ipam, message) => {
    expect(fault(ipam)).toMatch(message);
  });
});

describe("warm targets", () => {
  const zero = { ips: 0, minimum: 0, blocks: 0, shrinkAfterMs: 60_000 };

  test.each([
    [
      { warm: { ips: 8, minimum: 16, max: 250, shrinkAfterSeconds: 5 } },
      { ips: 8, minimum: 16, blocks: 0, max: 250, shrinkAfterMs: 5_000 },
    ],
    [{ warm: { blocks: 2 } }, { ...zero, blocks: 2 }],
    [{ WARM_IP_TARGET: "5" }, { ...zero, ips: 5, minimum: 3 }],
    [
      { warm_ip_target: 5, MINIMUM_IP_TARGET: 10 },
      { ...zero, ips: 5, minimum: 10 },
    ],
    [{ MINIMUM_IP_TARGET: 10 }, { ...zero, ips: 1, minimum: 10 }],
    [
      { WARM_ENI_TARGET: 1, WARM_PREFIX_TARGET: "1" },
      { ...zero, blocks: 1 },
    ],
    [
      { WARM_IP_TARGET: 2, warm: { ips: 2, shrinkAfterSeconds: 0 } },
      { ...zero, ips: 2, minimum: 3, shrinkAfterMs: 0 },
    ],
    [{ requestThresholdPercent: 50 }, { ...zero, ips: 32 }],
    [
      { blockSize: 27, requestThresholdPercent: 50 },
      { ...zero, ips: 16 },
    ],
  ])("%j", (ipam, expected) => {
    expect(read(ipam).ipam.warm).toEqual(expected);
  });

  test("are none unless configured, nor are other names passed over in silence", () => {
    expect(read({}).ipam).not.toHaveProperty("warm");
    expect(read({ WARM_IP_TARGET: 1 }).warnings).toEqual([]);
  });

  test("a batch is a block, and a cool-down period a cool-down", () => {
    expect(read({ batchSize: 16, IP_COOLDOWN_PERIOD: "45" }).ipam).toMatchObject({ pools: [{ blockSize: 28 }], cooldownMs: 45_000 });
  });

  test("with AWS's names, targets in addresses rule over those in prefixes, which is said", () => {
    const { ipam, warnings } = read({ WARM_IP_TARGET: 4, WARM_PREFIX_TARGET: 1, WARM_ENI_TARGET: 2 });
    expect(ipam.warm).toMatchObject({ ips: 4, blocks: 0 });
    expect(warnings).toEqual([
      "ipam.WARM_ENI_TARGET is ignored: ipam.WARM_IP_TARGET is set",
      "ipam.WARM_PREFIX_TARGET is ignored: ipam.WARM_IP_TARGET is set",
    ]);
  });

  test.each([
    [
      { warm: { blocks: 1, ips: 4 } },
      /ipam\.warm\.blocks is 1: contradicts ipam\.warm\.ips: both say how much is kept at hand; keep either/,
    ],
    [{ warm: { blocks: 1 }, MINIMUM_IP_TARGET: 4 }, /ipam\.warm\.blocks is 1: contradicts ipam\.warm\.ips/],
    [{ warm: { minimum: 30, max: 20 } }, /ipam\.warm\.minimum is 30: contradicts ipam\.warm\.max 20; write at most 20/],
    [{ WARM_IP_TARGET: 30, maxIPCount: 20 }, /ipam\.warm\.ips is 30: contradicts ipam\.warm\.max 20/],
    [
      { warm: { ips: 4 }, WARM_IP_TARGET: 5 },
      /ipam\.WARM_IP_TARGET is 5: contradicts ipam\.warm\.ips, which is 4 and would be 5; write the number once/,
    ],
    [{ WARM_ENI_TARGET: 1, WARM_PREFIX_TARGET: 2 }, /ipam\.WARM_PREFIX_TARGET is 2: contradicts ipam\.warm\.blocks/],
    [{ cooldownSeconds: 10, IP_COOLDOWN_PERIOD: 30 }, /ipam\.IP_COOLDOWN_PERIOD is 30: contradicts ipam\.cooldownSeconds/],
    [
      { WARM_IP_TARGET: 4, requestThresholdPercent: 50 },
      /ipam\.requestThresholdPercent is 50: contradicts ipam\.warm\.ips, which is 4 and would be 32/,
    ],
    [{ batchSize: 16, blockSize: 26 }, /ipam\.batchSize is 16: contradicts ipam\.blockSize, which is 26 and would be 28/],
    [{ batchSize: 10 }, /ipam\.batchSize is 10: blocks have a power of two/],
    [
      { requestThresholdPercent: 50, releaseThresholdPercent: 149 },
      /ipam\.releaseThresholdPercent is 149: contradicts .* write at least 150/,
    ],
    [{ WARM_IP_TARGET: "many" }, /ipam\.WARM_IP_TARGET is "many": is no whole number/],
    [{ maxIPCount: 1.5 }, /ipam\.maxIPCount is 1\.5: is no whole number/],
    [{ warm: { ips: -1 } }, /ipam\.warm\.ips is -1/],
    [{ warm: 5 }, /ipam\.warm is 5: must be object/],
  ])("%j is a fault", (ipam, message) => {
    expect(fault(ipam)).toMatch(message);
  });
});
