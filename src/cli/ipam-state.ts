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

/** An IPv4 range that a node can have. Throws CliError. */
export function readPodRange(text: string, what: string): Cidr {
  const cidr = readCidr(text, what);
  if (cidr.address.family === 4 && cidr.prefix <= 29) return cidr;
  const why = cidr.address.family === 6 ? "it is an IPv6 network" : `it has ${cidrSize(cidr)} addresses, and Windows keeps 4 for itself`;
  throw new CliError(`${what} ${text} is no pod range`, { why, next: "name an IPv4 network of at most 29 prefix bits" });
}

/** A prefix length between those of the range and /29; 26 or the range's own unless given. Throws CliError. */
export function readBlockSize(size: number | undefined, cidr: Cidr): number {
  const prefix = size ?? Math.max(26, cidr.prefix);
  if (prefix >= cidr.prefix && prefix <= 29) return prefix;
  throw new CliError("the block size is not usable", {
    why: "it is outside the range",
    next: `write a prefix length from ${cidr.prefix} to 29`,
  });
}

/** A number above 0. Throws CliError. */
export function readNumber(value: number, what: string): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new CliError(`${what} is not usable`, { why: "it is no whole number above 0", next: `write a number, such as ${what} 110` });
}
