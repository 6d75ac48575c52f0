import { PluginError } from "../base/errors.ts";
import { formatGuid, type Guid } from "../base/ids.ts";
import { findIp, isLinkLocal } from "../base/ip.ts";
import { isOverlayType } from "../datapath/datapaths.ts";
import { record as asObject } from "../hcn/documents.ts";
import type { HcnSession } from "../hcn/session.ts";
import type { PlaceRecord, StateStore } from "./store.ts";

/** Where a network stands: its card, and the node's own address on it; "" for what HNS does not tell, or has not yet. */
export interface NetworkPlace {
  readonly type: string;
  readonly adapter: string;
  readonly managementIp: string;
}

/** Another card, or another address of the node, than when an administrator last saw to the network. */
export interface NetworkChange {
  readonly what: "adapter" | "management IP";
  readonly remembered: string;
  /** "" where there is none now. */
  readonly present: string;
  readonly remedy: string;
}

/**
 * What version 1 says of one network: version 2 does not tell the node's address on all of them. Undefined where HNS refuses version 1.
 */
export async function readPlace(hcn: HcnSession, id: Guid): Promise<NetworkPlace | undefined> {
  try {
    return parsePlace(await hcn.callV1({ method: "GET", path: `/networks/${formatGuid(id)}` }));
  } catch (thrown) {
    if (thrown instanceof PluginError && thrown.code === "HNS_REFUSED") return undefined;
    throw thrown;
  }
}

function parsePlace(answer: unknown): NetworkPlace {
  const fields = asObject(answer) ?? {};
  const text = (key: string): string => (typeof fields[key] === "string" ? fields[key] : "");
  return { type: text("Type"), adapter: text("NetworkAdapterName"), managementIp: text("ManagementIP") };
}

/** What of the place changed since it was remembered. What was never known cannot have changed. */
export function findPlaceChanges(known: PlaceRecord | undefined, now: NetworkPlace): NetworkChange[] {
  if (known === undefined) return [];
  const changes: NetworkChange[] = [];
  if (known.adapter !== "" && now.adapter !== "" && known.adapter !== now.adapter) {
    const remedy = "see that this is the card that pods are to use, or set adapter; then hns-cni network repair";
    changes.push({ what: "adapter", remembered: known.adapter, present: now.adapter, remedy });
  }
  if (known.managementIp !== "" && known.managementIp !== now.managementIp) {
    changes.push({ what: "management IP", remembered: known.managementIp, present: now.managementIp, remedy: remedyOf(now) });
  }
  return changes;
}

function remedyOf({ type, managementIp }: NetworkPlace): string {
  if (!isUsable(managementIp))
    return "see that the card is connected and its DHCP server answers; hns-cni network prepare restores from a snapshot";
  const pods = isOverlayType(type) ? ", delete the pods so that they get it as their tunnels' end" : "";
  return `restart kubelet so that the cluster learns the node's address${pods}, then hns-cni network repair`;
}

export function describeChange({ what, remembered, present }: NetworkChange): string {
  return `the ${what} was ${remembered}, and is ${present === "" ? "none" : present}`;
}

/** Remembers a place for the network; `first` keeps what is known. An address that is none, or made up by Windows, is never remembered. */
export function rememberPlace(store: StateStore, network: string, { adapter, managementIp }: NetworkPlace, mode: "first" | "always"): void {
  store.transaction((tx) => {
    const known = tx.findPlace(network);
    const pick = (old: string | undefined, now: string): string => (mode === "first" || now === "" ? (old ?? "") || now : now);
    const usable = isUsable(managementIp) ? managementIp : "";
    const next = { network, adapter: pick(known?.adapter, adapter), managementIp: pick(known?.managementIp, usable) };
    if (known?.adapter !== next.adapter || known.managementIp !== next.managementIp) tx.putPlace(next);
  });
}

function isUsable(text: string): boolean {
  const address = findIp(text);
  return address !== undefined && !isLinkLocal(address);
}
