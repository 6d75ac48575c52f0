/** Whole processes that take and give back an address while many are held: ours as plugin and as IPAM plugin, and host-local. */
import { normalise } from "../../src/core/config/normalise.ts";
import { makeContainerId } from "../support/cni-node.ts";
import type { Contestant, Series } from "./benchmark.ts";
import { alternate, BenchNode } from "./bench-node.ts";
import { HostLocal } from "./host-local.ts";
import { FLAT } from "./ipam-in-process.ts";
import { fillState, IpamRole } from "./ipam-role.ts";
import { linuxProgram } from "./paths.ts";
import { timeProcess } from "./process.ts";

/** What our process may take beside host-local's, and with how many addresses held that is judged. */
const BESIDE_PEER = { ratio: 0.4, held: 10_000 };

/** Takes and gives back one address; milliseconds of both processes together. */
interface Holder {
  measure(): Promise<number>;
  close(): Promise<void>;
}

export interface ProcessSeries {
  readonly series: readonly Series[];
  close(): Promise<void>;
}

/** Ours with each of `counts` held; and beside host-local with each of `peerCounts`, which are among them. */
export async function prepareWholeProcesses(counts: readonly number[], peerCounts: readonly number[]): Promise<ProcessSeries> {
  const [plugins, roles, peers] = [new Map<number, Holder>(), new Map<number, Holder>(), new Map<number, Holder>()];
  for (const count of counts) {
    plugins.set(count, await preparePlugin(count));
    roles.set(count, prepareRole(count));
  }
  for (const count of peerCounts) peers.set(count, preparePeer(count));
  const all = [plugins, roles, peers].flatMap((holders) => [...holders.values()]);
  const close = async (): Promise<void> => {
    for (const holder of all) await holder.close();
  };
  const flat = [
    { title: "Plugin: ADD and DEL together, whole processes", contestants: buildFlat(plugins) },
    { title: "IPAM plugin: ADD and DEL together, whole processes", contestants: buildFlat(roles) },
  ];
  const beside = peers.size === 0 ? [] : [{ title: "IPAM plugin beside host-local", contestants: buildBeside(roles, peers) }];
  return { series: [...flat, ...beside].map((one) => ({ ...one, unit: "ms", warmUp: 2 })), close };
}

function buildFlat(holders: ReadonlyMap<number, Holder>): Contestant[] {
  return [...holders].map(([count, { measure }]) => {
    return { name: nameOf("hns-cni", count), measure, ...(count > 0 && { rival: nameOf("hns-cni", 0), ratioGoal: FLAT }) };
  });
}

function buildBeside(roles: ReadonlyMap<number, Holder>, peers: ReadonlyMap<number, Holder>): Contestant[] {
  return [...peers].flatMap(([count, peer]) => {
    const own = roles.get(count);
    if (own === undefined) return [];
    const rival = nameOf("host-local", count);
    const judged = count === BESIDE_PEER.held && { ratioGoal: BESIDE_PEER.ratio };
    return [
      { name: rival, measure: peer.measure },
      { name: nameOf("hns-cni", count), measure: own.measure, rival, ...judged },
    ];
  });
}

function nameOf(program: string, held: number): string {
  return `${program}, ${held.toLocaleString("en")} held`;
}

/** The plugin with addresses of its own: a call makes or removes an endpoint, too. */
async function preparePlugin(count: number): Promise<Holder> {
  const node = await BenchNode.start(linuxProgram);
  fillState(node.cni.stateDir, normalise(node.input()).config, count);
  const measure = async (): Promise<number> => {
    const { add, del } = alternate(node);
    return (await timeProcess(add)) + (await timeProcess(del));
  };
  return { measure, close: () => node.close() };
}

/** The IPAM plugin of another plugin. */
function prepareRole(count: number): Holder {
  const role = new IpamRole(count);
  const measure = async (): Promise<number> => {
    const container = makeContainerId();
    let ms = 0;
    for (const command of ["ADD", "DEL"] as const) {
      ms += await timeProcess(() => Promise.resolve({ program: linuxProgram, ...role.buildCall(command, container) }));
    }
    return ms;
  };
  return { measure, close: async () => role.close() };
}

function preparePeer(count: number): Holder {
  const peer = new HostLocal(count);
  return { measure: () => peer.measure(), close: async () => peer.close() };
}
