/** The commands whose process is killed, each at one point of a node's life, and what is done about the death afterwards. */
import { formatGuid } from "../../src/core/base/ids.ts";
import { attachmentId, endpointName } from "../../src/core/engine/attachment.ts";
import { expectNoHandles, expectOnly, expectWorking } from "./crash-expectations.ts";
import { type CrashNode, NETWORK, type Pod, type RunOptions } from "./crash-node.ts";
import type { ProgramResult } from "./packaged.ts";

/** What a scenario's command is about, and the pods that stand whatever becomes of it. */
export interface Prepared {
  readonly pod: Pod;
  readonly others: readonly Pod[];
  /** What else has to run before only `others` are left: not everything is the affair of this pod's DEL. */
  settle?(node: CrashNode): Promise<unknown>;
}

export interface Scenario {
  readonly name: string;
  /** What is ours on a lost state is known by the ids we gave: nothing is rebuilt where HNS chose them. */
  readonly needsOwnIds?: true;
  prepare(node: CrashNode): Promise<Prepared>;
  /** Runs the command that dies. */
  run(node: CrashNode, prepared: Prepared, options?: RunOptions): Promise<ProgramResult>;
}

const GC_ALL = { config: { "cni.dev/valid-attachments": [] } };

const SCENARIOS: readonly Scenario[] = [
  { name: "the first ADD of a node", prepare: async (node) => ({ pod: await node.pod("c1"), others: [] }), run: runOnPod("ADD") },
  { name: "ADD on a verified network", prepare: besideOther, run: runOnPod("ADD") },
  { name: "a repeated ADD", prepare: attached, run: runOnPod("ADD") },
  { name: "DEL", prepare: attachedBesideOther, run: runOnPod("DEL") },
  {
    name: "GC of a recorded and a stray endpoint",
    prepare: withStray,
    run: (node, _prepared, options) => node.run("GC", undefined, merge(GC_ALL, options)),
  },
  { name: "ADD that rebuilds a damaged state", needsOwnIds: true, prepare: withDamagedState, run: runOnPod("ADD") },
  { name: "CHECK", prepare: attached, run: runOnPod("CHECK") },
  { name: "STATUS", prepare: attached, run: (node, _prepared, options) => node.run("STATUS", undefined, options) },
];

export function scenariosFor(ignoreCallerIds: boolean): readonly Scenario[] {
  return SCENARIOS.filter(({ needsOwnIds }) => !ignoreCallerIds || needsOwnIds === undefined);
}

/** What happens after a death: each is tried on the node as the death left it. */
export interface Aftermath {
  readonly name: string;
  run(node: CrashNode, prepared: Prepared): Promise<void>;
}

const AFTERMATHS: readonly Aftermath[] = [
  {
    name: "DEL leaves nothing",
    run: async (node, prepared) => {
      await node.del(prepared.pod);
      await prepared.settle?.(node);
      await expectOnly(node, prepared.others);
    },
  },
  {
    name: "GC with an empty list leaves nothing",
    run: async (node) => {
      await node.gc();
      await expectOnly(node, []);
    },
  },
  {
    name: "ADD works, and DEL after it leaves nothing",
    run: async (node, prepared) => {
      const { pod, others } = prepared;
      await expectWorking(node, pod, await node.add(pod));
      await node.del(pod);
      await prepared.settle?.(node);
      await expectOnly(node, others);
    },
  },
];

/** Tries every aftermath on the node as it is now. `dead`: the processes whose handles may be open. */
export async function tryAftermaths(node: CrashNode, prepared: Prepared, dead: ReadonlySet<number>): Promise<void> {
  const died = await node.save();
  for (const aftermath of AFTERMATHS) {
    await node.restore(died);
    await explain(aftermath.name, async () => {
      await aftermath.run(node, prepared);
      await expectNoHandles(node, dead);
    });
  }
  node.forget(died);
}

/** Puts `where` before the message of whatever `work` throws. */
export async function explain(where: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    throw new Error(`${where}: ${thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)}`, { cause: thrown });
  }
}

/** An endpoint of ours that the state knows nothing of. */
export async function createStray(node: CrashNode, container: string, address: string): Promise<void> {
  const key = { network: NETWORK, containerId: container, ifname: "eth0" };
  const [network] = await node.emulator.networks();
  const document = { Name: endpointName(key), IpConfigurations: [{ IpAddress: address, PrefixLength: 24 }] };
  await node.emulator.createEndpoint(network?.id ?? "", document, formatGuid(attachmentId(key)));
}

function runOnPod(command: "ADD" | "DEL" | "CHECK"): Scenario["run"] {
  return (node, { pod }, options) => node.run(command, pod, options);
}

function merge(base: RunOptions, over: RunOptions = {}): RunOptions {
  return { ...over, config: { ...base.config, ...over.config } };
}

async function attached(node: CrashNode): Promise<Prepared> {
  const pod = await node.pod("c1");
  await node.add(pod);
  return { pod, others: [] };
}

async function besideOther(node: CrashNode): Promise<Prepared> {
  const other = await node.pod("other");
  await node.add(other);
  return { pod: await node.pod("c1"), others: [other] };
}

async function attachedBesideOther(node: CrashNode): Promise<Prepared> {
  const prepared = await besideOther(node);
  await node.add(prepared.pod);
  return prepared;
}

async function withStray(node: CrashNode): Promise<Prepared> {
  const prepared = await attached(node);
  const { settings } = await node.emulator.status();
  if (!settings.ignoreCallerIds) await createStray(node, "stray", "10.244.3.200");
  return { ...prepared, settle: () => node.gc() };
}

/** The state file is no database any more; what the other pod has can only be learnt from HNS, by its own next ADD at the latest. */
async function withDamagedState(node: CrashNode): Promise<Prepared> {
  const prepared = await besideOther(node);
  node.writeDatabase(Buffer.alloc(8192, "x"));
  return { ...prepared, settle: () => Promise.all(prepared.others.map((other) => node.add(other))) };
}
