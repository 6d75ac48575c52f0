import type { Mac } from "../base/ids.ts";
import type { Cidr, IpAddress, OffsetRange } from "../base/ip.ts";
import type { PodIdentity } from "../cni/arguments.ts";
import type { ConfiguredPolicies } from "../policy/configured-policies.ts";
import type { PortMapping } from "../policy/port-mapping.ts";
import type { Bandwidth } from "../policy/qos.ts";

export type Mode = "l2bridge" | "l2tunnel" | "overlay" | "nat" | "transparent" | "internal" | "private";
export type GatewayMode = "host-endpoint" | "network" | "ipam" | "none";
export type LogLevel = "error" | "warn" | "info" | "debug";

/** What every command needs, DEL included. */
export interface HostConfig {
  readonly networkName: string;
  /** Absolute path; absent means the host's default. */
  readonly stateDir?: string;
  readonly logLevel: LogLevel;
  /** Absolute path; absent means standard error. */
  readonly logFile?: string;
  readonly callTimeoutMs: number;
  readonly operationTimeoutMs: number;
  /** How long an attachment must have been gone from HNS before its addresses are released without a DEL. */
  readonly reclaimGraceMs: number;
}

/** What the network and its pods are to be, wherever the addresses come from. */
export interface NetworkConfig extends HostConfig {
  /** Absent: the mode of the HNS network of this name, which must exist. */
  readonly mode?: Mode;
  /** The mode is that of the network that was found: none may be made in its place. */
  readonly isModeFound?: true;
  /** The adapter's name as Windows shows it; absent leaves the choice to HNS. */
  readonly adapter?: string;
  readonly clusterCidrs: readonly Cidr[];
  readonly serviceCidrs: readonly Cidr[];
  /** The network's settings with the pod's own put over them. */
  readonly dns: DnsConfig;
  /** Absent: the mode's own. */
  readonly gatewayMode?: GatewayMode;
  readonly loopbackDsr: boolean;
  /** What the pod of this call is, and asks for; absent where the runtime tells nothing of it. */
  readonly request?: PodRequest;
  readonly statusFailsOnExhaustion: boolean;
  /** Only those with a host port. */
  readonly portMappings: readonly PortMapping[];
  /** Pods of the node itself reach mapped ports too. */
  readonly localRoutedPortMapping: boolean;
  /** A rule lets traffic to each mapped port in. */
  readonly allowAclPortMapping: boolean;
  /** Absent: nobody asks for a limit. */
  readonly bandwidth?: Bandwidth;
  /** What users add to our own policies. */
  readonly policies: ConfiguredPolicies;
  /** Overlay: the virtual subnet's number, from 4096 to 2^24 - 1. */
  readonly vsid?: number;
  /** Overlay: the UDP port of the tunnels. */
  readonly vxlanPort?: number;
  /** Overlay: the first two bytes of the pods' MAC addresses, as HNS writes them: `0E-2A`. */
  readonly endpointMacPrefix: string;
  /** Bytes by which a pod's packets have to be shorter; absent leaves that to HNS. */
  readonly encapOverhead?: number;
  readonly additionalRoutes: readonly AdditionalRoute[];
  /** Traffic to the pod network itself keeps the pod's address. */
  readonly ipMasq: boolean;
  /** So does traffic to this network. */
  readonly ipMasqNetwork?: Cidr;
  /** The MAC address that the runtime asks for. */
  readonly mac?: Mac;
}

/** A route of pods beside the default route. */
export interface AdditionalRoute {
  readonly destination: Cidr;
  /** Absent only with `needEncap`. */
  readonly nextHop?: IpAddress;
  /** Through the host's layer (SDNRoute) and not through the pod's own table. */
  readonly needEncap: boolean;
}

/** The whole configuration of the plugin for one call, free of faults. */
export interface PluginConfig extends NetworkConfig {
  readonly ipam: IpamConfig;
  /** Set when the address came from another IPAM plugin, which also settled the range. */
  readonly delegated?: DelegatedAddress;
}

/** A configuration whose addresses come from another program: the range is known once that has answered. */
export interface DelegatedConfig extends NetworkConfig {
  readonly delegate: {
    /** Its file name without .exe. */
    readonly type: string;
    /** The subnets of the HNS network that the configuration names; at most one a family. */
    readonly subnets: readonly Cidr[];
  };
}

/** A configuration whose addresses HNS chooses. */
export interface HnsAddressedConfig extends NetworkConfig {
  readonly hnsAddressed: {
    /** The subnets of the HNS network: those that the configuration names, else those that it was found to have. */
    readonly subnets: readonly NetworkSubnet[];
    /** What HNS gave the pod, once it has. */
    readonly addresses?: readonly PodAddress[];
  };
}

/** A configuration with which a pod can be attached: whoever gives the addresses, the ranges are known. */
export type AttachableConfig = PluginConfig | HnsAddressedConfig;

/** A subnet of the HNS network. */
export interface NetworkSubnet {
  readonly cidr: Cidr;
  /** The gateway that the configuration names, else the first address. */
  readonly gateway: IpAddress;
}

export interface PodAddress {
  readonly address: IpAddress;
  readonly prefix: number;
}

/** What another IPAM plugin said. */
export interface DelegatedAddress {
  readonly addresses: readonly PodAddress[];
  /** Routes of the pod beside the default route. */
  readonly routes: readonly PodRoute[];
}

export interface PodRoute {
  readonly destination: Cidr;
  readonly nextHop: IpAddress;
}

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly domain?: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** Which pods get an address back that they had: those whose names end in a number, as in a StatefulSet, all, or none. */
export type StickyMode = "statefulset" | "always" | "never";

export interface IpamConfig {
  /** The first is the network's main range. With our own keys the IPv4 ranges come first, whatever the order they were written in. */
  readonly pools: readonly [PoolConfig, ...PoolConfig[]];
  readonly cooldownMs: number;
  /** How long an ADD waits for an address. */
  readonly waitMs: number;
  /** The least rest of an address that an ADD which waits may have; 0 = never before its rest is over. */
  readonly reuseFloorMs: number;
  /** Absent means that blocks are carved when they are needed. */
  readonly warm?: WarmConfig;
  /** Absent means never. */
  readonly sticky?: StickyMode;
  /** Labels of the node beside those that it has by itself. */
  readonly nodeLabels?: Readonly<Record<string, string>>;
}

/** One range of pod addresses. */
export interface PoolConfig {
  /** IPv4 with at most 29 prefix bits, or IPv6 with at most 126. */
  readonly cidr: Cidr;
  /** Prefix length of a block, from that of `cidr` to 29, or to 126. */
  readonly blockSize: number;
  /** Where the configuration has `cidr`, for messages; absent means ipam.cidr. */
  readonly field?: string;
  /** A pod gets one address of each set that serves it; absent means that the pools of an address family are a set. */
  readonly set?: number;
  /** Tells pools of one `cidr` apart: its part of the pool's id. */
  readonly part?: string;
  /** The namespaces whose pods have this pool to themselves; absent means all that have none. */
  readonly namespaces?: readonly string[];
  /** Labels that a node must have to use this pool. */
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Offsets in `cidr` that the configuration keeps back; absent means none beside those of Windows. */
  readonly keptBack?: readonly OffsetRange[];
  /** Windows' own addresses are kept back in every block; absent means in `cidr` alone. */
  readonly isReservedPerBlock?: true;
  /** The pods' default gateway with gatewayMode ipam: the first address of `cidr` unless configured. */
  readonly gateway: IpAddress;
  /** The pods are another plugin's, which keeps back itself what Windows needs: `keptBack` and the gateway are all that is. */
  readonly isForOthers?: boolean;
}

/** How much is kept at hand. Either `blocks` is 0, or `ips` and `minimum` are. */
export interface WarmConfig {
  readonly ips: number;
  readonly minimum: number;
  readonly blocks: number;
  /** Addresses beyond which nothing is carved ahead. */
  readonly max?: number;
  readonly shrinkAfterMs: number;
}

/** A value of this configuration type with the remarks its reading gave rise to, one line each, for the log. */
export interface Normalised<C extends HostConfig> {
  readonly config: C;
  readonly warnings: readonly string[];
}

/** What one ADD brings beside the network's configuration. */
export interface PodRequest {
  readonly pod?: PodIdentity;
  /** The addresses that the pod shall have; for those it does not name it gets any. */
  readonly addresses: readonly WantedAddress[];
}

export interface WantedAddress {
  readonly address: IpAddress;
  /** Where it was asked for, such as `runtimeConfig.ips[0]`. */
  readonly from: string;
}
