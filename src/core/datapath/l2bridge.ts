import { buildDatapath } from "./build-datapath.ts";
import type { Datapath } from "./datapath.ts";

/**
 * Pods on the node's layer 2 segment, under the node's MAC address. HNS keeps .1 for itself, and .2 is the host endpoint that routes for
 * the pods. As win-bridge does, a network of type L2Tunnel that somebody made is taken as well. Source of the documents: Azure's plugin,
 * win-bridge, Calico.
 */
export const l2bridge: Datapath = buildDatapath({
  mode: "l2bridge",
  type: "L2Bridge",
  servedTypes: ["L2Tunnel"],
  isExternal: true,
  families: [4, 6],
  hasPortMappings: true,
  canUseDhcp: false,
});

/** As l2bridge, with all traffic, also between pods of one node, through the platform's own switch. Source: Azure. */
export const l2tunnel: Datapath = buildDatapath({
  mode: "l2tunnel",
  type: "L2Tunnel",
  isExternal: true,
  families: [4, 6],
  hasPortMappings: true,
  canUseDhcp: false,
});
