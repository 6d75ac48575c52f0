import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linuxShim, shimReason } from "../../../scripts/package/shim.ts";
import { EmulatorClient } from "../../emulator/client.ts";
import { AgentProcess } from "../../support/agent-process.ts";
import { CniNode, makeContainerId } from "../../support/cni-node.ts";
import { packagedReason } from "../../support/packaged.ts";
import { emulatorLibrary } from "../../support/paths.ts";
import { linux } from "../../support/programs.ts";
import type { Benchmark, Contestant, Omission, Series } from "../benchmark.ts";
import { WIDE_LIST } from "../bench-node.ts";
import { type Cleanup, prepareWith } from "../cleanup.ts";
import { buildEmptyC, buildEmptyGo, EMPTY_C, EMPTY_GO } from "../empties.ts";
import { HostLocal, hostLocalReason } from "../host-local.ts";
import { IpamRole } from "../ipam-role.ts";
import { Launcher } from "../launcher.ts";
import { ALONE, buildNodePlugin, BY_AGENT } from "../node-plugins.ts";
import { linuxProgram } from "../paths.ts";
import { beside, buildEmptyContestant, buildPairContestant, buildPodContestants, type PluginUnderTest } from "../pod-calls.ts";

/** Addresses held while the next one is taken. */
const held = [0, 1_000, 10_000] as const;
/** What the shim and the agent may take beside host-local, and with how many addresses held that is judged. */
const IPAM_GOAL = { ratio: 0.1, held: 10_000 };
const shim = join(process.cwd(), linuxShim.file);
/** The shim must fail, and not start the main program, where no agent answers. */
const NO_FALLBACK = { HNS_CNI_MAIN: "/nonexistent" };

export const rivalsLinux: Benchmark = {
  name: "rivals-linux",
  summary: "shim and agent beside the main program alone, empty programs, and host-local, on Linux",
  notes: [
    "A small C program starts each contestant with pipes, as a runtime does, and measures from before the start to the end of the process.",
    "ADD and DEL: of one pod a round, each program with a node of its own; the network stands. HNS is the emulator, which answers at once. win-bridge exists for Windows alone.",
    "IPAM: ADD and DEL together, for a configuration whose type is another plugin's. host-local opens a file for each address held.",
  ],
  rounds: 30,
  prepare: () =>
    prepareWith(async (cleanup) => {
      const reason = packagedReason() ?? shimReason(linuxShim);
      if (reason !== undefined) throw new Error(reason);
      const omissions: Omission[] = [];
      const launcher = cleanup.add(await Launcher.startOnLinux(), (one) => one.close());
      const empties = await prepareEmpties(launcher, cleanup, omissions);
      const calls = await prepareCalls(launcher, cleanup);
      const ipam = await prepareIpam(launcher, cleanup, omissions);
      const series: Series[] = [
        { title: "A pod's ADD and DEL on Linux", unit: "ms", warmUp: 3, contestants: [...empties, ...calls] },
        { title: "IPAM: ADD and DEL together", unit: "ms", rounds: 15, warmUp: 2, contestants: ipam },
      ];
      return { series, omissions };
    }),
};

async function prepareEmpties(launcher: Launcher, cleanup: Cleanup, omissions: Omission[]): Promise<Contestant[]> {
  const folder = cleanup.add(mkdtempSync(join(tmpdir(), "hns-cni-empty-")), (path) => rmSync(path, { recursive: true, force: true }));
  const empties = [buildEmptyContestant(launcher, EMPTY_C, await buildEmptyC(linuxShim, folder))];
  const go = await buildEmptyGo(linuxShim, folder);
  if ("reason" in go) omissions.push({ what: EMPTY_GO, reason: go.reason });
  else empties.push(buildEmptyContestant(launcher, EMPTY_GO, go.program));
  return empties;
}

async function prepareCalls(launcher: Launcher, cleanup: Cleanup): Promise<Contestant[]> {
  const closeNode = (node: CniNode): Promise<void> => node.close();
  const own = cleanup.add(await CniNode.start(linux, WIDE_LIST), closeNode);
  const shared = cleanup.add(await CniNode.start(linux, WIDE_LIST), closeNode);
  const options = { address: shared.emulator.address, stateDir: shared.stateDir };
  const agent = cleanup.add(await AgentProcess.start(options), (one) => one.end());
  const env = { HNS_CNI_HCN_LIBRARY: emulatorLibrary, HNS_EMULATOR_ADDRESS: own.emulator.address };
  const alone = buildPodContestants(launcher, buildNodePlugin({ name: ALONE, node: own, program: linuxProgram, env }));
  const overShim = { name: BY_AGENT, node: shared, program: shim, env: { HNS_CNI_SOCKET: agent.socket, ...NO_FALLBACK } };
  const byAgent = beside(buildPodContestants(launcher, buildNodePlugin(overShim)), alone);
  return [alone.ADD, byAgent.ADD, alone.DEL, byAgent.DEL];
}

async function prepareIpam(launcher: Launcher, cleanup: Cleanup, omissions: Omission[]): Promise<Contestant[]> {
  const noPeer = hostLocalReason();
  if (noPeer !== undefined) omissions.push({ what: "host-local", reason: noPeer });
  // The agents look at HNS now and then; addresses do not need it.
  const emulator = cleanup.add(await EmulatorClient.start(), (one) => one.close());
  const contestants: Contestant[] = [];
  for (const count of held) {
    const ours = buildPairContestant(launcher, await startRole(count, emulator.address, cleanup));
    if (noPeer !== undefined) {
      contestants.push(ours);
      continue;
    }
    const peer = cleanup.add(new HostLocal(count), (one) => one.close());
    const theirs = buildPairContestant(launcher, {
      name: nameOf("host-local", count),
      makePod: () => Promise.resolve(makeContainerId()),
      buildCall: (command, container) => peer.buildCall(command, container),
    });
    const goal = count === IPAM_GOAL.held && { ratioGoal: IPAM_GOAL.ratio };
    contestants.push(theirs, { ...ours, rival: theirs.name, ...goal });
  }
  return contestants;
}

/** An agent whose state holds `count` addresses, and the shim before it. */
async function startRole(count: number, address: string, cleanup: Cleanup): Promise<PluginUnderTest<string>> {
  const role = cleanup.add(new IpamRole(count), (one) => one.close());
  const agent = cleanup.add(await AgentProcess.start({ address, stateDir: role.stateDir }), (one) => one.end());
  return {
    name: nameOf(BY_AGENT, count),
    makePod: () => Promise.resolve(makeContainerId()),
    buildCall: (command, container) => {
      const { env, stdin } = role.buildCall(command, container);
      return { program: shim, env: { ...env, HNS_CNI_SOCKET: agent.socket, ...NO_FALLBACK }, stdin };
    },
  };
}

function nameOf(program: string, count: number): string {
  return `${program}, ${count.toLocaleString("en")} held`;
}
