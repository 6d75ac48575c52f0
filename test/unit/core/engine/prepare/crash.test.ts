/** Prepare ended or failing at every point it has; whatever it was, the next one brings the node to a good end. */
import type { Settings } from "../../../../emulator/model/world.ts";
import { NETWORK } from "../../../../support/engine-fixture.ts";
import { CARD, PrepareNode, type StepFault, SWITCH } from "../../../../support/prepare-node.ts";

const LOSSES: Partial<Settings> = { managementIp: "link-local", vSwitchLosesRoutes: true, vSwitchLosesDns: true };
/** What the emulated machine may do to a card, and where a prepare that nobody disturbs ends. */
const MACHINES: readonly (readonly [string, Partial<Settings>, "prepared" | "taken back"])[] = [
  ["a machine that loses everything", LOSSES, "prepared"],
  ["a machine whose connection does not come back", { ...LOSSES, gatewayAnswers: "without-switch" }, "taken back"],
];

async function attempt(node: PrepareNode): Promise<"prepared" | "taken back" | "other"> {
  try {
    return (await node.prepare({ timeoutMs: 3_000 })).outcome === "prepared" ? "prepared" : "other";
  } catch {
    return node.networks().length === 0 ? "taken back" : "other";
  }
}

function expectWhole(node: PrepareNode, name: string): void {
  const found = node.uplinks().find((uplink) => uplink.name === name);
  expect(found).toMatchObject({ addresses: [{ address: CARD.address, origin: "static" }], dns: CARD.dns });
  expect(found?.routes.map(({ destination }) => destination).sort()).toEqual(["0.0.0.0/0", "169.254.169.254/32"]);
}

function expectEnd(node: PrepareNode, end: "prepared" | "taken back"): void {
  expect(node.networks()).toEqual(end === "prepared" ? [NETWORK] : []);
  expectWhole(node, end === "prepared" ? SWITCH : CARD.name);
  expect(node.snapshot).toBeUndefined();
}

/** How many points of each kind an undisturbed prepare has. */
async function countPoints(settings: Partial<Settings>): Promise<{ steps: number; calls: number }> {
  const node = new PrepareNode(settings);
  await attempt(node);
  const calls = node.engine.calls().filter((name) => name !== "HnsEmulatorHost");
  const points = { steps: node.steps.length, calls: calls.length };
  node.close();
  return points;
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe.each(MACHINES)("%s", (_, settings, end) => {
  test("has the points that the tests below go through", async () => {
    const { steps, calls } = await countPoints(settings);
    expect(steps).toBeGreaterThanOrEqual(14);
    expect(calls).toBeGreaterThanOrEqual(5);
  });

  test.each(["kill-before", "kill-after"] as const)("%s each step on the machine or its snapshot", async (kind) => {
    const { steps } = await countPoints(settings);
    for (const at of upTo(steps)) await disturb(settings, end, { at, kind });
  });

  test.each(["kill", "kill-after"] as const)("%s at each call to HNS", async (kind) => {
    const { calls } = await countPoints(settings);
    for (const nth of upTo(calls)) {
      const node = new PrepareNode(settings);
      node.engine.model.faults.add({ call: "*", kind, nth });
      await attempt(node);
      node.engine.model.faults.clear();
      expect(await attempt(node)).toBe(end);
      expectEnd(node, end);
      node.close();
    }
  });

  test("each step refused once: the next one ends it, if this one did not", async () => {
    const { steps } = await countPoints(settings);
    for (const at of upTo(steps)) await disturb(settings, end, { at, kind: "fail" });
  });

  test.each(["fail", "fail-after"] as const)("%s at each call to HNS", async (kind) => {
    const { calls } = await countPoints(settings);
    for (const nth of upTo(calls)) {
      const node = new PrepareNode(settings);
      node.engine.model.faults.add({ call: "*", kind, nth, hresult: 0x80070005 });
      const first = await attempt(node);
      node.engine.model.faults.clear();
      // Never one whose network stands and whose snapshot is gone, unless it is whole.
      if (node.networks().length > 0 && node.snapshot === undefined) expectWhole(node, SWITCH);
      if (first !== end || node.snapshot !== undefined) await attempt(node);
      expectEnd(node, node.networks().length > 0 ? "prepared" : "taken back");
      node.close();
    }
  });
});

async function disturb(settings: Partial<Settings>, end: "prepared" | "taken back", fault: StepFault): Promise<void> {
  const node = new PrepareNode(settings);
  node.stepFault = fault;
  await attempt(node);
  node.stepFault = undefined;
  // A snapshot is never gone before the uplink is as it was.
  if (node.snapshot === undefined) expectWhole(node, node.networks().length > 0 ? SWITCH : CARD.name);
  if (node.snapshot !== undefined || node.networks().length === 0) await attempt(node);
  expectEnd(node, end);
  node.close();
}
