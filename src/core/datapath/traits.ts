import type { Family, IpAddress } from "../base/ip.ts";
import type { AttachableConfig, Mode } from "../config/plugin-config.ts";
import type { NetworkView, PolicyDocument } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";
import type { Unsupported } from "./datapath.ts";

/** In what one kind of network differs from the others. */
export interface Traits {
  readonly mode: Mode;
  readonly type: string;
  /** Types of networks made by others that serve as well. */
  readonly servedTypes?: readonly string[];
  /** The network is bound to a card of the node. */
  readonly isExternal: boolean;
  /** The families that HNS carries on such networks, where its version can. */
  readonly families: readonly Family[];
  readonly hasPortMappings: boolean;
  /** Without subnets an outside DHCP server gives the addresses. */
  readonly canUseDhcp: boolean;
  /** What only this kind has. */
  readonly own?: OwnTraits;
}

export interface OwnTraits {
  findUnsupported(config: AttachableConfig, version: HnsVersion): Unsupported | undefined;
  networkPolicies(config: AttachableConfig): PolicyDocument[];
  subnetPolicies(config: AttachableConfig): PolicyDocument[];
  compare(network: NetworkView, config: AttachableConfig): string[];
  podPolicies(providerAddress: string | undefined): PolicyDocument[];
  sourceVips(config: AttachableConfig): IpAddress[];
  /** As HNS writes it; undefined leaves it to HNS. */
  podMac(config: AttachableConfig, addresses: readonly IpAddress[]): string | undefined;
}
