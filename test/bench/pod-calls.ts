/** ADD and DEL of a plugin as contestants, started by the launcher. */
import type { Contestant } from "./benchmark.ts";
import type { Launch, Launcher } from "./launcher.ts";

export type PodCommand = "ADD" | "DEL";

/** A plugin on a node of its own; `Pod` is what its ADD and DEL are about. */
export interface PluginUnderTest<Pod> {
  readonly name: string;
  makePod(): Promise<Pod>;
  buildCall(command: PodCommand, pod: Pod): Launch;
}

export type PodContestants = Readonly<Record<PodCommand, Contestant>>;

type Starter = Pick<Launcher, "demand">;

/** The DEL of a round takes back its ADD. Both must succeed, and the ADD must give an address. */
export function buildPodContestants<Pod>(launcher: Starter, plugin: PluginUnderTest<Pod>): PodContestants {
  let pod: Pod | undefined;
  const add = async (): Promise<number> => {
    pod = await plugin.makePod();
    return runAdd(launcher, plugin.buildCall("ADD", pod));
  };
  const del = async (): Promise<number> => {
    if (pod === undefined) throw new Error("there is no pod to delete");
    return (await launcher.demand(plugin.buildCall("DEL", pod))).ms;
  };
  return { ADD: { name: `${plugin.name} ADD`, measure: add }, DEL: { name: `${plugin.name} DEL`, measure: del } };
}

/** Both as one contestant: milliseconds together. */
export function buildPairContestant<Pod>(launcher: Starter, plugin: PluginUnderTest<Pod>): Contestant {
  const measure = async (): Promise<number> => {
    const pod = await plugin.makePod();
    const ms = await runAdd(launcher, plugin.buildCall("ADD", pod));
    return ms + (await launcher.demand(plugin.buildCall("DEL", pod))).ms;
  };
  return { name: plugin.name, measure };
}

/** A program that does nothing and needs nothing. */
export function buildEmptyContestant(launcher: Starter, name: string, program: string): Contestant {
  return { name, measure: async () => (await launcher.demand({ program })).ms };
}

/** `contestants` beside those of a rival; its goal, when there is one, holds for ADD and DEL. */
export function beside(contestants: PodContestants, rival: PodContestants, ratioGoal?: number): PodContestants {
  const compare = (command: PodCommand): Contestant => ({
    ...contestants[command],
    rival: rival[command].name,
    ...(ratioGoal !== undefined && { ratioGoal }),
  });
  return { ADD: compare("ADD"), DEL: compare("DEL") };
}

async function runAdd(launcher: Starter, launch: Launch): Promise<number> {
  const { ms, stdout } = await launcher.demand(launch);
  const { ips } = JSON.parse(stdout) as { ips?: { address?: string }[] };
  if (ips?.[0]?.address === undefined) throw new Error(`the ADD gave no address: ${stdout}`);
  return ms;
}
