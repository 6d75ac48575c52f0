import { buildDatapath } from "./build-datapath.ts";
import type { Datapath } from "./datapath.ts";

/** Networks whose pods' endpoints have no policies of the host's layer but port mappings. */

/** Behind the node's address. HNS gives the gateway to the node; WinNAT translates, and knows IPv4 alone. */
export const nat: Datapath = buildDatapath({
  mode: "nat",
  type: "NAT",
  isExternal: false,
  families: [4],
  hasPortMappings: true,
  canUseDhcp: false,
});

/** On the physical network, with MAC addresses of their own; without a subnet a DHCP server out there gives the addresses. */
export const transparent: Datapath = buildDatapath({
  mode: "transparent",
  type: "Transparent",
  isExternal: true,
  families: [4, 6],
  hasPortMappings: false,
  canUseDhcp: true,
});

/** The node and its pods. */
export const internal: Datapath = buildDatapath({
  mode: "internal",
  type: "Internal",
  isExternal: false,
  families: [4, 6],
  hasPortMappings: false,
  canUseDhcp: false,
});

/** Pods of one node among themselves. (`private` is a word of the language.) */
export const privateDatapath: Datapath = buildDatapath({
  mode: "private",
  type: "Private",
  isExternal: false,
  families: [4, 6],
  hasPortMappings: false,
  canUseDhcp: false,
});
