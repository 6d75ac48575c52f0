import { type Clock, deadlineIn, earlier, poll } from "../../base/async.ts";
import { toPluginError } from "../../base/errors.ts";
import { describeRepair, findMissing, findMissingAddresses, type Repair } from "./compare.ts";
import type { PrepareOptions } from "./options.ts";
import type { Snapshot } from "./snapshot.ts";
import { findCard, findManagement, gatewaysOf, type Uplink } from "./uplink.ts";

/** What settling works with. */
export interface SettleOptions extends Pick<PrepareOptions, "uplinks" | "timeoutMs" | "tell" | "isInterrupted"> {
  readonly clock: Clock;
}

/** What became of an uplink. */
export interface Settled {
  /** As it is in the end; undefined where the interface never came. */
  readonly now: Uplink | undefined;
  /** It has its addresses, and the gateways that answered before answer again. */
  readonly isConnected: boolean;
  /** What was given back by hand. */
  readonly restored: readonly string[];
  /** What is still missing. */
  readonly missing: readonly string[];
}

const POLL_MS = 500;
/** A static address that is not there after this long does not come: Windows copies it, or has lost it. */
const STATIC_MS = 10_000;
/** How long what was restored may take to work: neighbours are asked anew, addresses are tried for duplicates. */
const VERIFY_MS = 30_000;
/** Something that did not stay is given back this often. */
const TRIES = 3;

/**
 * Waits until the card of the snapshot (`"card"`), or the management interface of the switch over it (`"switch"`), has its addresses, gives
 * back what does not come, and sees that the gateways answer. Never throws for what it cannot restore: that stays in `missing`.
 */
export async function settle(options: SettleOptions, snapshot: Snapshot, place: "card" | "switch"): Promise<Settled> {
  const wasSeen = await waitForAddresses(options, snapshot, place);
  const restored = new Set<string>();
  const tries = new Map<string, number>();
  const { clock, timeoutMs } = options;
  const deadline = deadlineIn(clock, Math.min(VERIFY_MS, timeoutMs));
  let last: Settled = { now: undefined, isConnected: false, restored: [], missing: [] };
  await poll(clock, { deadline, intervalMs: POLL_MS }, async () => {
    last = await restoreOnce(options, snapshot, { place, restored, tries });
    // One that was there comes again: Windows does not tell its interfaces at each moment of such a change.
    const isGone = last.now === undefined && !wasSeen;
    const isOver = isGone || options.isInterrupted() || (last.isConnected && last.missing.length === 0);
    return isOver ? true : undefined;
  });
  return last;
}

/** The interface that is to carry the addresses; undefined while it is not there. */
async function findPlace({ uplinks, tell }: SettleOptions, { uplink }: Snapshot, place: "card" | "switch"): Promise<Uplink | undefined> {
  const all = await orElse([], () => uplinks.list(), tell); // Windows rearranges its interfaces just now
  const management = findManagement(all, uplink.mac);
  if (place === "switch") return management;
  return management === undefined ? findCard(all, uplink) : undefined;
}

/** Whether the interface was there at all. */
async function waitForAddresses(options: SettleOptions, snapshot: Snapshot, place: "card" | "switch"): Promise<boolean> {
  const { clock, timeoutMs } = options;
  const whole = deadlineIn(clock, timeoutMs);
  const isStatic = snapshot.uplink.addresses.some(({ origin }) => origin === "static");
  let seenAt: number | undefined;
  await poll(clock, { deadline: whole, intervalMs: POLL_MS }, async () => {
    if (options.isInterrupted()) return true;
    const now = await findPlace(options, snapshot, place);
    if (now === undefined) return undefined;
    seenAt ??= clock.uptime();
    const patience = isStatic ? earlier(whole, { at: seenAt + STATIC_MS }) : whole;
    return findMissingAddresses(snapshot.uplink, now).length === 0 || clock.uptime() >= patience.at ? true : undefined;
  });
  return seenAt !== undefined;
}

interface Progress {
  readonly place: "card" | "switch";
  readonly restored: Set<string>;
  readonly tries: Map<string, number>;
}

/** One round: gives back what is missing, and looks what came of it. */
async function restoreOnce(options: SettleOptions, snapshot: Snapshot, { place, restored, tries }: Progress): Promise<Settled> {
  const found = await findPlace(options, snapshot, place);
  if (found === undefined) return { now: undefined, isConnected: false, restored: [...restored], missing: ["the interface itself"] };
  for (const repair of findMissing(snapshot.uplink, found)) {
    const what = describeRepair(repair);
    const count = (tries.get(what) ?? 0) + 1;
    tries.set(what, count);
    if (count > TRIES || options.isInterrupted()) continue;
    if (await giveBack(options, { name: found.name, gateways: gatewaysOf(snapshot.uplink) }, repair)) restored.add(what);
  }
  const now = (await findPlace(options, snapshot, place)) ?? found;
  const missing = findMissing(snapshot.uplink, now).map(describeRepair);
  return { now, isConnected: await isConnected(options, snapshot, now), restored: [...restored], missing };
}

async function giveBack(
  { uplinks, tell }: SettleOptions,
  { name, gateways }: { name: string; gateways: readonly string[] },
  repair: Repair,
): Promise<boolean> {
  try {
    if (repair.kind === "address") await uplinks.addAddress(name, repair.address, gateways);
    else if (repair.kind === "route") await uplinks.addRoute(name, repair.route);
    else await uplinks.setDns(name, repair.servers);
    tell(`${name}: restored ${describeRepair(repair)}`);
    return true;
  } catch (thrown) {
    tell(`${name}: could not restore ${describeRepair(repair)}: ${toPluginError(thrown).message}`);
    return false;
  }
}

/** A leased or static address of before, or another of the DHCP server's in its place, and every gateway that answered before. */
async function isConnected({ uplinks, tell }: SettleOptions, { uplink, gateways }: Snapshot, now: Uplink): Promise<boolean> {
  if (findMissingAddresses(uplink, now).some((repair) => !isThereSomehow(repair, now))) return false;
  for (const gateway of gateways) if (!(await orElse(false, () => uplinks.reaches(now.name, gateway), tell))) return false;
  return true;
}

async function orElse<T>(otherwise: T, work: () => Promise<T>, tell: SettleOptions["tell"]): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    tell(toPluginError(thrown).message);
    return otherwise;
  }
}

/** A static address that is leased now is not as it was, and works. */
function isThereSomehow(repair: Repair, now: Uplink): boolean {
  return repair.kind === "address" && now.addresses.some(({ address }) => address === repair.address.address);
}
