import { EmulatorClient } from "../../emulator/client.ts";
import { peersReason } from "../../peers/build.ts";
import { Rival, type RivalPod } from "../../peers/rival.ts";
import { CniNode, type Pod } from "../../support/cni-node.ts";
import { windows } from "../../support/programs.ts";
import { runUnderWine, startWine, wineReason, type WineMachine } from "../../support/wine.ts";
import type { Benchmark, Contestant, Omission, Prepared } from "../benchmark.ts";
import { WIDE_LIST } from "../bench-node.ts";

const RIVAL = "win-bridge with host-local";

export const wine: Benchmark = {
  name: "wine",
  summary: "ADD and DEL of the Windows program under Wine, beside win-bridge with host-local",
  notes: [
    "Both run as Windows programs under Wine against the emulator's DLLs, each with a node of its own; a round is one pod's ADD and DEL of each.",
    "win-bridge and host-local are two Go programs, as their project publishes them; hns-cni is one that carries Node.",
    "Wine is not Windows: its loader and file system cost other than those of Windows do, so the figures compare, and foretell nothing.",
  ],
  rounds: 15,
  prepare: prepareWine,
};

async function prepareWine(): Promise<Prepared> {
  const reason = wineReason();
  if (reason !== undefined) throw new Error(reason);
  const machine = await startWine();
  await windows.start();
  const ours = await prepareOurs();
  const floor: Contestant = { name: "hns-cni VERSION", measure: () => timed(() => runVersion(machine)) };
  const noPeers = peersReason();
  const rival = noPeers === undefined ? await prepareRival(machine) : undefined;
  const omissions: Omission[] = noPeers === undefined ? [] : [{ what: RIVAL, reason: noPeers }];
  const [add, del] = ours.contestants.map((one, index) => {
    const against = rival?.contestants[index]?.name;
    return against === undefined ? one : { ...one, rival: against };
  });
  const contestants = [floor, ...(rival?.contestants ?? []), add, del].filter((one) => one !== undefined);
  const close = async (): Promise<void> => {
    await ours.close();
    await rival?.close();
  };
  return { series: [{ title: "ADD and DEL under Wine", unit: "ms", warmUp: 2, contestants }], omissions, close };
}

interface Entrants {
  /** ADD, then DEL. */
  readonly contestants: readonly Contestant[];
  close(): Promise<void>;
}

async function prepareOurs(): Promise<Entrants> {
  const node = await CniNode.start(windows, WIDE_LIST);
  let pod: Pod | undefined;
  const call = async (command: "ADD" | "DEL"): Promise<void> => {
    if (pod === undefined) throw new Error("there is no pod");
    demandSuccess(await node.call(command, pod));
  };
  const add = async (): Promise<number> => {
    pod = await node.makePod();
    return timed(() => call("ADD"));
  };
  const contestants = [
    { name: "hns-cni ADD", measure: add },
    { name: "hns-cni DEL", measure: () => timed(() => call("DEL")) },
  ];
  return { contestants, close: () => node.close() };
}

async function prepareRival(machine: WineMachine): Promise<Entrants> {
  const emulator = await EmulatorClient.start();
  const rival = new Rival({ name: "win-bridge", apiVersion: 2 }, { machine, emulator });
  await rival.makeNetwork();
  let pod: RivalPod | undefined;
  const call = async (command: "ADD" | "DEL"): Promise<void> => {
    const { code, output } = await rival.run(command, pod);
    demandSuccess({ code, stdout: JSON.stringify(output) });
  };
  const add = async (): Promise<number> => {
    pod = await rival.makePod();
    return timed(() => call("ADD"));
  };
  const contestants = [
    { name: `${RIVAL} ADD`, measure: add },
    { name: `${RIVAL} DEL`, measure: () => timed(() => call("DEL")) },
  ];
  const close = async (): Promise<void> => {
    rival.close();
    await emulator.close();
  };
  return { contestants, close };
}

async function runVersion(machine: WineMachine): Promise<void> {
  demandSuccess(await runUnderWine(machine, { env: { CNI_COMMAND: "VERSION" } }));
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function demandSuccess({ code, stdout }: { readonly code: number | null; readonly stdout: string }): void {
  if (code !== 0) throw new Error(`exit code ${code ?? "none"}: ${stdout}`);
}
