import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { shimReason, windowsShim } from "../../../scripts/package/shim.ts";
import { EmulatorClient } from "../../emulator/client.ts";
import { peersReason } from "../../peers/build.ts";
import { Rival } from "../../peers/rival.ts";
import { ensureRandomSource } from "../../peers/stand-in.ts";
import { CniNode } from "../../support/cni-node.ts";
import { windowsShimProgram } from "../../support/paths.ts";
import { windows } from "../../support/programs.ts";
import { windowsPath } from "../../support/shim-wine.ts";
import { startWine, wineReason, type WineMachine } from "../../support/wine.ts";
import type { Benchmark, Contestant, Omission, Series } from "../benchmark.ts";
import { WIDE_LIST } from "../bench-node.ts";
import { type Cleanup, prepareWith } from "../cleanup.ts";
import { buildEmptyC, buildEmptyGo, EMPTY_C, EMPTY_GO } from "../empties.ts";
import { Launcher } from "../launcher.ts";
import { ALONE, buildNodePlugin, BY_AGENT } from "../node-plugins.ts";
import { beside, buildEmptyContestant, buildPodContestants, type PodContestants } from "../pod-calls.ts";
import { WineAgent } from "../wine-agent.ts";

const RIVAL = "win-bridge with host-local";
/** What the shim and the agent may take beside it. */
const RATIO_GOAL = 0.35;

/** What all contestants need. */
interface Ground {
  readonly machine: WineMachine;
  readonly launcher: Launcher;
  readonly cleanup: Cleanup;
}

export const rivalsWine: Benchmark = {
  name: "rivals-wine",
  summary: "shim and agent beside win-bridge with host-local, the main program alone and empty programs, under Wine",
  notes: [
    "A small C program that runs under Wine itself starts each contestant with pipes, as a runtime does, and measures from before the start to the end of the process: Wine's own start is in no figure.",
    "A round is one pod's ADD and DEL of each program, on a node of its own whose network stands. HNS is the emulator's DLLs, which answer at once.",
    "win-bridge starts host-local for each call; both are as their project publishes them. The agent is the Windows program in the foreground.",
    "Wine is not Windows: what a process, a pipe and a file cost differs, so the figures compare, and foretell nothing.",
  ],
  rounds: 20,
  prepare: () => prepareWith(prepareWine),
};

async function prepareWine(cleanup: Cleanup): Promise<{ series: Series[]; omissions: Omission[] }> {
  const reason = wineReason() ?? shimReason(windowsShim);
  if (reason !== undefined) throw new Error(reason);
  const machine = await startWine();
  await windows.start();
  const omissions: Omission[] = [];
  const ground = { machine, cleanup, launcher: cleanup.add(await Launcher.startUnderWine(machine), (one) => one.close()) };
  const noPeers = peersReason();
  if (noPeers !== undefined) omissions.push({ what: `${RIVAL}, ${EMPTY_GO}`, reason: noPeers });
  const empties = await prepareEmpties(ground, noPeers === undefined);
  const rival = noPeers === undefined ? await prepareRival(ground) : undefined;
  const [alone, byAgent] = [await prepareAlone(ground), await prepareByAgent(ground)];
  const entrants = rival === undefined ? [alone, byAgent] : [rival, beside(alone, rival), beside(byAgent, rival, RATIO_GOAL)];
  const contestants = [...empties, ...entrants.map(({ ADD }) => ADD), ...entrants.map(({ DEL }) => DEL)];
  return { series: [{ title: "A pod's ADD and DEL under Wine", unit: "ms", warmUp: 2, contestants }], omissions };
}

async function prepareEmpties({ machine, launcher, cleanup }: Ground, withGo: boolean): Promise<Contestant[]> {
  const folder = cleanup.add(mkdtempSync(join(tmpdir(), "hns-cni-empty-")), (path) => rmSync(path, { recursive: true, force: true }));
  const empties = [buildEmptyContestant(launcher, EMPTY_C, windowsPath(await buildEmptyC(windowsShim, folder)))];
  if (!withGo) return empties;
  ensureRandomSource(machine.prefix.folder);
  const go = await buildEmptyGo(windowsShim, folder);
  if ("reason" in go) throw new Error(go.reason);
  return [...empties, buildEmptyContestant(launcher, EMPTY_GO, windowsPath(go.program))];
}

async function prepareRival({ machine, launcher, cleanup }: Ground): Promise<PodContestants> {
  const emulator = cleanup.add(await EmulatorClient.start(), (one) => one.close());
  const rival = cleanup.add(new Rival({ name: "win-bridge", apiVersion: 2 }, { machine, emulator }), (one) => one.close());
  await rival.makeNetwork();
  return buildPodContestants(launcher, {
    name: RIVAL,
    makePod: () => rival.makePod(),
    buildCall: (command, pod) => {
      const { exe, env, stdin } = rival.buildCall(command, pod);
      return { program: windowsPath(exe), env, stdin };
    },
  });
}

async function prepareAlone({ machine, launcher, cleanup }: Ground): Promise<PodContestants> {
  const node = await startNode(cleanup);
  const env = { HNS_EMULATOR_ADDRESS: node.emulator.address };
  return buildPodContestants(launcher, buildNodePlugin({ name: ALONE, node, program: windowsPath(machine.program), env }));
}

async function prepareByAgent({ machine, launcher, cleanup }: Ground): Promise<PodContestants> {
  const node = await startNode(cleanup);
  const options = { machine, address: node.emulator.address, stateDir: node.stateDir };
  cleanup.add(await WineAgent.start(options), (one) => one.close());
  return buildPodContestants(launcher, buildNodePlugin({ name: BY_AGENT, node, program: windowsPath(windowsShimProgram), env: {} }));
}

async function startNode(cleanup: Cleanup): Promise<CniNode> {
  return cleanup.add(await CniNode.start(windows, WIDE_LIST), (one) => one.close());
}
