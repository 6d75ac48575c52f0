/** Deaths at HCN calls: the calls of a scenario as points, and what is tried at each. */
import type { Mode } from "../../src/core/config/plugin-config.ts";
import type { CrashNode, SavedNode } from "./crash-node.ts";
import { explain, type Prepared, type Scenario, tryAftermaths } from "./crash-scenarios.ts";

/** Before or after the nth call of a scenario's command. */
export interface CallPoint {
  readonly call: string;
  readonly nth: number;
  readonly kind: "kill" | "kill-after";
}

export interface CallStart {
  readonly prepared: Prepared;
  readonly saved: SavedNode;
}

export interface CallNode {
  readonly mode?: Mode;
  readonly ignoreCallerIds?: boolean;
}

/** Makes a new node on which the scenario's command can run. */
export async function prepareCalls(node: CrashNode, scenario: Scenario, { mode, ignoreCallerIds = false }: CallNode): Promise<CallStart> {
  await node.reset({ ignoreCallerIds }, mode);
  const prepared = await scenario.prepare(node);
  return { prepared, saved: await node.save() };
}

/** The HCN calls of a run without faults, in order, each as two points. Throws when the run fails or makes none. */
export async function listCallPoints(node: CrashNode, scenario: Scenario, { prepared, saved }: CallStart): Promise<CallPoint[]> {
  await node.restore(saved);
  const { code, stdout } = await scenario.run(node, prepared);
  if (code !== 0) throw new Error(`${scenario.name} fails without a fault: ${stdout}`);
  const calls = await node.emulator.calls();
  if (calls.length === 0) throw new Error(`${scenario.name} makes no call`);
  return calls.flatMap(({ name: call }, index) => (["kill", "kill-after"] as const).map((kind) => ({ call, nth: index + 1, kind })));
}

/** Lets the command die there, and tries every aftermath. */
export async function dieAtCall(node: CrashNode, scenario: Scenario, { saved, prepared }: CallStart, point: CallPoint): Promise<void> {
  await node.restore(saved);
  await node.emulator.addFault({ call: "*", kind: point.kind, nth: point.nth });
  const { code, signal, stdout } = await scenario.run(node, prepared);
  await explain("the victim", async () => {
    expect({ hasEnded: code !== 0 || signal !== null, stdout }).toEqual({ hasEnded: true, stdout: "" });
    expect((await node.emulator.faults()).map(({ seen }) => seen)).toEqual([point.nth]);
  });
  await tryAftermaths(node, prepared, new Set((await node.emulator.handles()).map(({ pid }) => pid)));
}
