import type { Cidr, IpAddress } from "../base/ip.ts";

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
}

/** The whole configuration of the plugin for one call, free of faults. */
export interface PluginConfig extends HostConfig {
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
  readonly ipam: IpamConfig;
  /** Only those with a host port. */
  readonly portMappings: readonly PortMapping[];
}

export interface DnsConfig {
  readonly nameservers: readonly string[];
  readonly domain?: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

export interface IpamConfig {
  /** This node's pod range, IPv4, at most 29 prefix bits. */
  readonly cidr: Cidr;
  /** Prefix length of a block, from that of `cidr` to 29. */
  readonly blockSize: number;
  readonly cooldownMs: number;
  /** How long an ADD waits for an address. */
  readonly waitMs: number;
  /** The least rest of an address that an ADD which waits may have; 0 = never before its rest is over. */
  readonly reuseFloorMs: number;
  /** The pods' default gateway with gatewayMode ipam: the first address of `cidr` unless configured. */
  readonly gateway: IpAddress;
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
