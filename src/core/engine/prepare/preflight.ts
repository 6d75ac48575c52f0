import { PluginError } from "../../base/errors.ts";
import type { Guid } from "../../base/ids.ts";
import type { AttachableConfig } from "../../config/plugin-config.ts";
import { DATAPATHS, getDatapath } from "../../datapath/datapaths.ts";
import { type NetworkView, parseNetwork } from "../../hcn/documents.ts";
import { isNotFound } from "../../hcn/hresults.ts";
import type { HcnSession } from "../../hcn/session.ts";
import { mismatch } from "../ensure-network.ts";
import { findCarrier, findManagement, gatewaysOf, isUsable, type Uplink } from "./uplink.ts";

/** An HNS network that has put a switch over the card already, or has the name of ours. */
export interface Standing {
  readonly id: Guid;
  readonly name: string;
  readonly type: string;
  readonly adapter: string | undefined;
}

/** Every network of HNS: one call, and three a network. */
export async function listNetworks(hcn: HcnSession): Promise<NetworkView[]> {
  const found: NetworkView[] = [];
  for (const id of await hcn.enumerate("network", {})) {
    try {
      found.push(parseNetwork(await hcn.describe("network", id)));
    } catch (thrown) {
      if (!isNotFound(thrown)) throw thrown;
    }
  }
  return found;
}

/** Throws INVALID_CONFIG for a mode whose networks stand on no card. */
export function requireExternal(config: AttachableConfig): void {
  const { mode, isExternal } = getDatapath(config);
  if (isExternal) return;
  const message = `mode is "${mode}", whose networks stand on no network card: there is no virtual switch to prepare`;
  throw new PluginError("INVALID_CONFIG", { message, remedy: "nothing is to be done before the first pod", field: "mode" });
}

/**
 * The card that the switch comes over: the one that is named, else the only one with a default route, else the only one with an address.
 * Throws INVALID_CONFIG when that says too much or too little, NETWORK_NOT_READY when the machine has none.
 */
export function chooseCard(wanted: string | undefined, uplinks: readonly Uplink[]): Uplink {
  const cards = uplinks.filter(({ kind }) => kind === "adapter");
  if (wanted !== undefined) return findNamed(wanted, cards, uplinks);
  const routed = cards.filter((card) => gatewaysOf(findCarrier(uplinks, card)).length > 0);
  const candidates = routed.length > 0 ? routed : cards.filter((card) => findCarrier(uplinks, card).addresses.some(isUsable));
  const [only, ...others] = candidates;
  if (only === undefined)
    throw notReady(`no network card has an address${listNames(cards)}`, "connect the card, or name it with --adapter");
  if (others.length === 0) return only;
  const message = `several network cards could carry the virtual switch${listNames(candidates)}`;
  throw new PluginError("INVALID_CONFIG", {
    message,
    remedy: "name one of them: adapter in the configuration, or --adapter",
    field: "adapter",
  });
}

function findNamed(wanted: string, cards: readonly Uplink[], uplinks: readonly Uplink[]): Uplink {
  const isNamed = ({ name }: Uplink): boolean => name.toLowerCase() === wanted.toLowerCase();
  const card = cards.find(isNamed);
  if (card !== undefined) return card;
  const remedy = `name a network card${listNames(cards)}`;
  if (!uplinks.some(isNamed)) throw notReady(`adapter is "${wanted}", and the machine has no network card of this name`, remedy);
  const message = `adapter is "${wanted}", which is the management interface of a virtual switch and no network card`;
  throw new PluginError("INVALID_CONFIG", { message, remedy, field: "adapter" });
}

function listNames(cards: readonly Uplink[]): string {
  return cards.length === 0 ? "" : `: ${cards.map(({ name }) => `"${name}"`).join(", ")}`;
}

const EXTERNAL_TYPES = Object.values(DATAPATHS).flatMap(({ type, isExternal }) => (isExternal ? [type.toLowerCase()] : []));

/** Throws NETWORK_MISMATCH for a network of our name that stands on no card, or on another than the one that is named: no switch is made by it. */
export function requireSwitch({ name, type, adapter }: NetworkView, config: AttachableConfig): void {
  const differences = [
    ...(EXTERNAL_TYPES.includes(type.toLowerCase()) ? [] : [`Type is ${type}, which stands on no network card`]),
    ...(config.adapter === undefined || adapter === undefined || adapter.toLowerCase() === config.adapter.toLowerCase()
      ? []
      : [`adapter is "${adapter}", wanted "${config.adapter}"`]),
  ];
  if (differences.length > 0) throw mismatch({ name, differences, existingContainersAffected: false });
}

/** The network because of which there is nothing to make: one of the name, or an external one on the card, whoever made it. */
export function findStanding(
  networks: readonly NetworkView[],
  name: string,
  card: Uplink,
  uplinks: readonly Uplink[],
): Standing | undefined {
  const hasSwitch = findManagement(uplinks, card.mac) !== undefined;
  const isOnCard = ({ type, adapter }: NetworkView): boolean => {
    if (!EXTERNAL_TYPES.includes(type.toLowerCase())) return false;
    return adapter === undefined ? hasSwitch : adapter.toLowerCase() === card.name.toLowerCase(); // not every HNS tells the adapter
  };
  const found = networks.find((network) => network.name === name) ?? networks.find(isOnCard);
  return found === undefined ? undefined : { id: found.id, name: found.name, type: found.type, adapter: found.adapter };
}

/** Throws NETWORK_NOT_READY for a card that a switch of others is over, that is down, or that has no address to come back to. */
export function requireFree(card: Uplink, uplinks: readonly Uplink[]): void {
  const management = findManagement(uplinks, card.mac);
  if (management !== undefined) {
    const message = `a virtual switch that is none of HNS's is over the network card "${card.name}" already ("${management.name}")`;
    throw notReady(message, "remove that switch (Get-VMSwitch lists it), or name another card with --adapter");
  }
  if (!card.isUp) throw notReady(`the network card "${card.name}" is down`, "connect it, or name another card with --adapter");
  if (card.addresses.some(isUsable)) return;
  const message = `the network card "${card.name}" has no address but ${card.addresses.map(({ address }) => address).join(", ") || "none"}`;
  throw notReady(message, "give the card its address first: what is there before is what is restored afterwards");
}

export function notReady(message: string, remedy: string): PluginError {
  return new PluginError("NETWORK_NOT_READY", { message, remedy });
}
