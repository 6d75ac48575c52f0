import { type Cidr, cidrSize, findCidr } from "../core/base/ip.ts";
import type { StateStore } from "../core/engine/store.ts";
import { CliError, type CliWorld } from "./world.ts";

/** Runs `work` with the node's state. Throws CliError when there is none: a command that looks must not make one. */
export function withState<T>(world: CliWorld, stateDir: string | undefined, work: (store: StateStore) => T): T {
  const folder = stateDir ?? world.defaultStateDir;
  if (!world.hasState(folder)) {
    const next = "name the folder with --state-dir, or wait for the first pod: it makes the state";
    throw new CliError(`no state in ${folder}`, { why: "there is no state.db", next });
  }
  return useState(world, folder, work);
}

/** As withState, with a state made when there is none. The folder "scratch" stands for a state that is gone when it is closed. */
export function useState<T>(world: CliWorld, folder: string, work: (store: StateStore) => T): T {
  const store = world.openState(folder);
  try {
    return work(store);
  } finally {
    store.close();
  }
}

/** Whether a pool belongs to the network; every pool does when none is named. */
export function isOfNetwork(pool: string, network: string | undefined): boolean {
  return network === undefined || networkOfPool(pool) === network;
}

/** Pools are named by network and range. */
export function networkOfPool(pool: string): string {
  return pool.slice(0, Math.max(0, pool.indexOf("/")));
}

/** A network given as an argument. Throws CliError. */
export function readCidr(text: string, what: string): Cidr {
  const cidr = findCidr(text);
  const next = "write a network without host bits, such as 10.244.3.0/24";
  if (cidr === undefined) throw new CliError(`${what} "${text}" is not usable`, { why: "it is no network in CIDR form", next });
  return cidr;
}

/** A range that a node can have. Throws CliError. */
export function readPodRange(text: string, what: string): Cidr {
  const cidr = readCidr(text, what);
  const { kept, most } = limitsOf(cidr);
  if (cidr.prefix <= most) return cidr;
  const why = `it has ${cidrSize(cidr)} addresses, and Windows keeps ${kept} for itself`;
  throw new CliError(`${what} ${text} is no pod range`, { why, next: `name a network of at most ${most} prefix bits` });
}

/** A prefix length between those of the range and /29, with IPv6 /112 to /126; 26, or 122, or the range's own unless given. Throws CliError. */
export function readBlockSize(size: number | undefined, cidr: Cidr): number {
  const { usual, least, most } = limitsOf(cidr);
  const prefix = size ?? Math.max(usual, cidr.prefix);
  if (prefix >= Math.max(cidr.prefix, least) && prefix <= most) return prefix;
  throw new CliError("the block size is not usable", {
    why: "it is outside the range",
    next: `write a prefix length from ${Math.max(cidr.prefix, least)} to ${most}`,
  });
}

/** What Windows keeps of a range, and what its blocks can be. */
function limitsOf({ address }: Cidr): { kept: number; usual: number; least: number; most: number } {
  return address.family === 4 ? { kept: 4, usual: 26, least: 0, most: 29 } : { kept: 3, usual: 122, least: 112, most: 126 };
}

/** A number above 0. Throws CliError. */
export function readNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new CliError(`${what} is not usable`, { why: "it is no whole number above 0", next: `write a number, such as ${what} 110` });
}
