import type { Cidr, IpAddress, OffsetRange } from "../base/ip.ts";

export type Mode = "l2bridge";
export type GatewayMode = "host-endpoint" | "ipam" | "none";
export type LogLevel = "error" | "warn" | "info" | "debug";
export type Protocol = "tcp" | "udp" | "sctp";

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
  readonly mode: Mode;
  /** The adapter's name as Windows shows it; absent leaves the choice to HNS. */
  readonly adapter?: string;
  readonly clusterCidrs: readonly Cidr[];
  readonly serviceCidrs: readonly Cidr[];
  /** The network's settings with the pod's own put over them. */
  readonly dns: DnsConfig;
  readonly gatewayMode: GatewayMode;
  readonly loopbackDsr: boolean;
  readonly statusFailsOnExhaustion: boolean;
  /** Only those with a host port. */
  readonly portMappings: readonly PortMapping[];
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
    /** The subnet of the HNS network, where the configuration names it. */
    readonly subnet?: Cidr;
  };
}

/** What another IPAM plugin said beside the address. */
export interface DelegatedAddress {
  /** The prefix length of the address. */
  readonly prefix: number;
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

export interface IpamConfig {
  /** The first is the network's main range. */
  readonly pools: readonly [PoolConfig, ...PoolConfig[]];
  readonly cooldownMs: number;
  /** How long an ADD waits for an address. */
  readonly waitMs: number;
  /** The least rest of an address that an ADD which waits may have; 0 = never before its rest is over. */
  readonly reuseFloorMs: number;
  /** Absent means that blocks are carved when they are needed. */
  readonly warm?: WarmConfig;
}

/** One range of pod addresses. */
export interface PoolConfig {
  /** IPv4, at most 29 prefix bits. */
  readonly cidr: Cidr;
  /** Prefix length of a block, from that of `cidr` to 29. */
  readonly blockSize: number;
  /** Offsets in `cidr` that the configuration keeps back; absent means none beside those of Windows. */
  readonly keptBack?: readonly OffsetRange[];
  /** Windows' four addresses are kept back in every block; absent means in `cidr` alone. */
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

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: Protocol;
  /** Absent means every address of the node. */
  readonly hostIp?: IpAddress;
}

/** A value of this configuration type with the remarks its reading gave rise to, one line each, for the log. */
export interface Normalised<C extends HostConfig> {
  readonly config: C;
  readonly warnings: readonly string[];
}
