import { normalise } from "../../../../src/core/config/normalise.ts";
import type { WarmConfig } from "../../../../src/core/config/plugin-config.ts";
import { neededAddresses, planBlocks } from "../../../../src/core/ipam/warm.ts";
import { createRandom } from "../../../support/random.ts";

const IDLE = { assigned: 0, waiting: 0, cooling: 0, quarantined: 0, reserved: 0 };

/** The targets as the configuration's reader understands them. */
function readTargets(ipam: Record<string, unknown>): WarmConfig {
  const { config } = normalise({
    cniVersion: "1.1.0",
    name: "pods",
    type: "hns-cni",
    mode: "l2bridge",
    ipam: { type: "hns-cni", cidr: "10.244.0.0/16", ...ipam },
  });
  if (config.ipam.warm === undefined) throw new Error("no warm targets");
  return config.ipam.warm;
}

/** How many addresses a pool that starts empty owns for `pods`. */
function ownedFor(targets: WarmConfig, pods: number, blockSize: number): number {
  const need = neededAddresses(targets, { ...IDLE, assigned: pods }, blockSize);
  return planBlocks(targets, { need, owned: 0, blockSize }).owned;
}

type Row = readonly [prefix: number | undefined, ip: number | undefined, minimum: number | undefined, pods: number, expected: number];

const NONE = undefined;

describe("the examples of AWS", () => {
  // From the prefix delegation and secondary IP mode options of the VPC resource controller for Windows.
  const prefixes: readonly Row[] = [
    [NONE, NONE, NONE, 0, 1],
    [NONE, NONE, NONE, 15, 1],
    [NONE, NONE, NONE, 16, 2],
    [1, NONE, NONE, 0, 1],
    [3, NONE, NONE, 0, 3],
    [1, NONE, NONE, 5, 2],
    [1, NONE, NONE, 17, 3],
    [NONE, NONE, 1, 0, 1],
    [NONE, NONE, 1, 5, 1],
    [NONE, NONE, 1, 15, 1],
    [NONE, NONE, 1, 16, 2],
    [NONE, 5, NONE, 0, 1],
    [NONE, 5, NONE, 5, 1],
    [NONE, 5, NONE, 11, 1],
    [NONE, 5, NONE, 12, 2],
    [NONE, 1, 1, 0, 1],
    [NONE, 1, 1, 5, 1],
    [NONE, 1, 1, 17, 2],
    [NONE, 3, 1, 14, 2],
    [NONE, 7, 20, 0, 2],
    [NONE, 7, 20, 5, 2],
    [NONE, 7, 20, 17, 2],
    [NONE, 7, 20, 26, 3],
  ];

  test.each(prefixes)(
    "warm prefixes %p, warm addresses %p, minimum %p: %i pods have %i prefixes",
    (...[prefix, ip, minimum, pods, expected]) => {
      const isUnset = prefix === NONE && ip === NONE && minimum === NONE;
      const targets = readTargets({
        blockSize: 28,
        ...(prefix === NONE ? {} : { WARM_PREFIX_TARGET: prefix }),
        ...(ip === NONE && !isUnset ? {} : { WARM_IP_TARGET: ip ?? 1 }),
        ...(minimum === NONE ? {} : { MINIMUM_IP_TARGET: String(minimum) }),
      });
      expect(ownedFor(targets, pods, 16) / 16).toBe(expected);
    },
  );

  test.each([
    [1, 0, 0, 1],
    [1, 0, 5, 6],
    [5, 0, 0, 5],
    [1, 1, 0, 1],
    [1, 1, 1, 2],
    [1, 3, 3, 4],
    [1, 3, 5, 6],
    [5, 10, 0, 10],
    [10, 10, 0, 10],
    [10, 10, 10, 20],
    [15, 10, 10, 25],
  ])("single addresses, warm %i, minimum %i: %i pods have %i", (warm, minimum, pods, expected) => {
    expect(ownedFor(readTargets({ WARM_IP_TARGET: warm, MINIMUM_IP_TARGET: minimum }), pods, 1)).toBe(expected);
  });
});

describe("the example of Azure", () => {
  test("a batch of 16, half of it warm: 25 pods have 48 addresses", () => {
    const targets = readTargets({ batchSize: 16, requestThresholdPercent: 50, releaseThresholdPercent: 150, maxIPCount: 250 });
    expect(targets).toMatchObject({ ips: 8, max: 250 });
    expect(ownedFor(targets, 25, 16)).toBe(48);
    // 250 addresses are not whole batches: nothing is taken of which a part could not be used.
    expect(ownedFor(targets, 245, 16)).toBe(240);
  });
});

describe("the need", () => {
  const targets = { ips: 4, minimum: 0, blocks: 0 };

  test.each(["assigned", "waiting", "cooling", "quarantined", "reserved"] as const)("counts what is %s: it is not free", (state) => {
    expect(neededAddresses(targets, { ...IDLE, [state]: 10 }, 16)).toBe(14);
  });

  test("meets a minimum with addresses that can be used", () => {
    expect(neededAddresses({ ips: 1, minimum: 16, blocks: 0 }, { ...IDLE, assigned: 2, reserved: 4 }, 16)).toBe(20);
  });
});

test("a burst of any size is one step", () => {
  const targets = { ips: 8, minimum: 0, blocks: 0 };
  expect(planBlocks(targets, { need: 10_008, owned: 16, blockSize: 16 })).toEqual({ action: "grow", owned: 10_016 });
});

test("no flapping: over 200,000 random steps a pool never shrinks after it grew until demand fell by half a block, nor grows after it shrank", () => {
  const seed = 20_260_401;
  const random = createRandom(seed);
  let smallest = Infinity;
  for (const blockSize of [8, 16, 32, 64]) {
    const targets = { ips: blockSize / 2, minimum: 0, blocks: 0 };
    let [assigned, owned, last] = [0, 0, { action: "keep", need: 0 }];
    let [grown, shrunk] = [0, 0];
    for (let step = 0; step < 50_000; step++) {
      assigned = Math.max(0, Math.min(1_000, assigned + Math.floor(random() * 21) - 10));
      const need = neededAddresses(targets, { ...IDLE, assigned }, blockSize);
      const plan = planBlocks(targets, { need, owned, blockSize });
      if (plan.owned < need) throw new Error(`seed ${seed}, step ${step}: ${plan.owned} addresses where ${need} are needed`);
      if (plan.action === "keep") continue;
      if (last.action !== "keep" && last.action !== plan.action) {
        expect(Math.abs(need - last.need)).toBeGreaterThan(blockSize / 2);
        smallest = Math.min(smallest, Math.abs(need - last.need) / blockSize);
      }
      if (plan.action === "grow") grown++;
      else shrunk++;
      [owned, last] = [plan.owned, { action: plan.action, need }];
    }
    expect([grown, shrunk].every((count) => count > 100)).toBe(true);
  }
  expect(smallest).toBeLessThan(1); // the walk did come close to the limit
});
