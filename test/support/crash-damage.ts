/** Damage to a state file: where it strikes is drawn from a seed, so that a failure can be repeated. */
import { expectNoHandles, expectNoSharedAddress, withoutPrefix } from "./crash-expectations.ts";
import type { AddResult, CrashNode, Pod, SavedNode } from "./crash-node.ts";
import type { ProgramResult } from "./packaged.ts";
import { createRandom } from "./random.ts";

const PAGE = 4096;

export interface Flip {
  readonly byte: number;
  readonly bit: number;
}

/** Bits over all pages in turn; three of four in bytes that hold something, since most of a small file is empty. */
export function chooseFlips(bytes: Uint8Array, count: number, seed: number): Flip[] {
  const random = createRandom(seed);
  const pages = Math.ceil(bytes.length / PAGE);
  return Array.from({ length: count }, (_, index) => {
    const start = (index % pages) * PAGE;
    const used = Array.from(bytes.subarray(start, start + PAGE).entries()).filter(([, value]) => value !== 0);
    const hit = random() < 0.75 ? used[Math.floor(random() * used.length)] : undefined;
    return { byte: start + (hit?.[0] ?? Math.floor(random() * Math.min(PAGE, bytes.length - start))), bit: Math.floor(random() * 8) };
  });
}

export function flipBit(bytes: Uint8Array, { byte, bit }: Flip): Uint8Array {
  const changed = Uint8Array.from(bytes);
  changed[byte] = (changed[byte] ?? 0) ^ (1 << bit);
  return changed;
}

/** A node with three live pods, one address at rest and the state of all that. */
export interface LiveNode {
  readonly saved: SavedNode;
  readonly bytes: Uint8Array;
  readonly pods: Readonly<Record<"a" | "b" | "c", Pod>>;
  readonly results: Readonly<Record<"a" | "b" | "c", AddResult>>;
  /** A pod to be. */
  readonly next: Pod;
}

export async function prepareLiveNode(node: CrashNode): Promise<LiveNode> {
  await node.reset();
  const pods = { a: await node.pod("a"), b: await node.pod("b"), c: await node.pod("c") };
  const results = { a: await node.add(pods.a), b: await node.add(pods.b), c: await node.add(pods.c) };
  const gone = await node.pod("gone");
  await node.add(gone);
  await node.del(gone);
  const next = await node.pod("next");
  return { pods, results, next, bytes: node.readDatabase(), saved: await node.save() };
}

type Step = (node: CrashNode, live: LiveNode) => Promise<void>;

/** The commands after the damage. Each must do its work, whatever the others found already. */
const STEPS: Readonly<Record<"addNext" | "repeatA" | "delB" | "gcAll", Step>> = {
  addNext: async (node, { next }) => {
    const result = await node.add(next);
    await expectNoSharedAddress(node);
    const [endpoint] = (await node.podEndpoints()).filter(({ namespace }) => namespace === next.netns);
    expect(endpoint?.addresses).toEqual(result.ips.map(({ address }) => address));
  },
  repeatA: async (node, { pods, results }) => {
    expect(await node.add(pods.a)).toEqual(results.a);
    await expectNoSharedAddress(node);
  },
  delB: async (node, { pods, results }) => {
    await node.del(pods.b);
    expect(await node.endpointOf(pods.b)).toBeUndefined();
    expect(heldOf(node, results.b)).toEqual([]);
  },
  gcAll: async (node, { pods }) => {
    await node.gc([pods.a, pods.b, pods.c]);
    expect((await node.podEndpoints()).map(({ name }) => name).sort()).toEqual(["a_pods", "b_pods", "c_pods"]);
  },
};

const ORDERS: readonly (readonly (keyof typeof STEPS)[])[] = [
  ["addNext", "repeatA", "delB"],
  ["delB", "addNext", "repeatA"],
  ["repeatA", "delB", "addNext"],
  ["gcAll", "addNext", "delB", "repeatA"],
];

/** Goes through the commands in one of the orders, then looks at what the node has. */
export async function expectRecovery(node: CrashNode, live: LiveNode, order: number): Promise<void> {
  const steps = ORDERS[order % ORDERS.length] ?? [];
  for (const name of steps) {
    try {
      await STEPS[name](node, live);
    } catch (thrown) {
      throw new Error(`${steps.join(", ")}: at ${name}: ${thrown instanceof Error ? thrown.message : String(thrown)}`, { cause: thrown });
    }
  }
  await node.check(live.pods.c, live.results.c);
  expect((await node.podEndpoints()).map(({ name }) => name).sort()).toEqual(["a_pods", "c_pods", "next_pods"]);
  await expectNoSharedAddress(node);
  await expectNoHandles(node);
}

/** The answer is a result or a CNI error object: what a runtime can read, whatever happened. */
export function expectAnswer({ code, signal, stdout }: ProgramResult): void {
  expect(signal).toBeNull();
  if (code === 0) return;
  const answer = JSON.parse(stdout) as Record<string, unknown>;
  expect({ code: typeof answer["code"], msg: typeof answer["msg"] }).toEqual({ code: "number", msg: "string" });
  expect(answer["code"]).not.toBe(999);
}

function heldOf(node: CrashNode, result: AddResult): unknown[] {
  const addresses = result.ips.map(({ address }) => withoutPrefix(address));
  return node
    .rows("addresses")
    .filter(({ address, state }) => addresses.includes(String(address)) && (state === "assigned" || state === "quarantined"));
}
