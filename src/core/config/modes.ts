import type { GatewayMode, Mode } from "./plugin-config.ts";

/** What a configuration has to know of a mode. What HNS is told is in core/datapath. */
export interface ModeFacts {
  /** The default gateway of pods when the configuration does not choose one. */
  readonly gatewayMode: GatewayMode;
  /** An endpoint of the node in the pod network can route for the pods. */
  readonly canHaveHostEndpoint: boolean;
  /** Where the gateway of the HNS network lies: the first address of a subnet, the one that `ipam.gateway` names, or nowhere. */
  readonly networkGateway: "first" | "configured" | "none";
  /** HNS can choose the addresses of pods. */
  readonly canHnsChoose: boolean;
  /** Traffic between nodes is encapsulated (VXLAN). */
  readonly isOverlay: boolean;
  /** HNS applies OutBoundNAT and SDNRoute policies there. */
  readonly hasSdnPolicies: boolean;
}

/** Sources: what the reference plugins and the cloud providers' plugins program for each type of network. */
export const MODE_FACTS: Readonly<Record<Mode, ModeFacts>> = {
  l2bridge: {
    gatewayMode: "host-endpoint",
    canHaveHostEndpoint: true,
    networkGateway: "first",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: true,
  },
  l2tunnel: {
    gatewayMode: "network",
    canHaveHostEndpoint: true,
    networkGateway: "configured",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: true,
  },
  overlay: {
    gatewayMode: "network",
    canHaveHostEndpoint: false,
    networkGateway: "first",
    canHnsChoose: false,
    isOverlay: true,
    hasSdnPolicies: true,
  },
  nat: {
    gatewayMode: "network",
    canHaveHostEndpoint: false,
    networkGateway: "configured",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: false,
  },
  transparent: {
    gatewayMode: "network",
    canHaveHostEndpoint: false,
    networkGateway: "configured",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: false,
  },
  internal: {
    gatewayMode: "network",
    canHaveHostEndpoint: false,
    networkGateway: "configured",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: false,
  },
  private: {
    gatewayMode: "none",
    canHaveHostEndpoint: false,
    networkGateway: "none",
    canHnsChoose: true,
    isOverlay: false,
    hasSdnPolicies: false,
  },
};

/** The facts of a mode given as text; undefined when it names none. */
export function findModeFacts(mode: unknown): ModeFacts | undefined {
  return typeof mode === "string" && Object.hasOwn(MODE_FACTS, mode) ? MODE_FACTS[mode as Mode] : undefined;
}
