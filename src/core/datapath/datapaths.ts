import { PluginError } from "../base/errors.ts";
import type { Mode, NetworkConfig } from "../config/plugin-config.ts";
import type { Datapath } from "./datapath.ts";
import { l2bridge, l2tunnel } from "./l2bridge.ts";
import { overlay } from "./overlay.ts";
import { internal, nat, privateDatapath, transparent } from "./plain.ts";

export const DATAPATHS: Readonly<Record<Mode, Datapath>> = {
  l2bridge,
  l2tunnel,
  overlay,
  nat,
  transparent,
  internal,
  private: privateDatapath,
};

/** The datapath of a configuration. Throws INVALID_CONFIG when nothing has told its mode: there is no network to tell it either. */
export function getDatapath({ mode, networkName }: Pick<NetworkConfig, "mode" | "networkName">): Datapath {
  if (mode !== undefined) return DATAPATHS[mode];
  const message = `mode is missing, and there is no HNS network "${networkName}" whose type would tell it`;
  const remedy = `set mode to one of ${Object.keys(DATAPATHS).join(", ")}`;
  throw new PluginError("INVALID_CONFIG", { message, remedy, field: "mode" });
}

/** Whether networks of a type carry pods in tunnels that end at the node's own address. */
export function isOverlayType(type: string): boolean {
  return type.toLowerCase() === DATAPATHS.overlay.type.toLowerCase();
}

/** The mode of networks of a type, as HNS names it; undefined for those that no mode serves, such as ICS. */
export function findModeOfType(type: string): Mode | undefined {
  return Object.values(DATAPATHS).find((datapath) => datapath.type.toLowerCase() === type.toLowerCase())?.mode;
}
