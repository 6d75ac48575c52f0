import type { Guid } from "../base/ids.ts";
import type { Fault } from "../base/fault.ts";
import type { IpAddress } from "../base/ip.ts";
import type { AttachableConfig, GatewayMode, Mode, PodRoute } from "../config/plugin-config.ts";
import type { EndpointDocument, NetworkDocument, NetworkView, PolicyDocument } from "../hcn/documents.ts";
import type { HnsVersion } from "../hcn/features.ts";

/** What is known of a pod before its endpoint is made. */
export interface PodEndpoint {
  readonly name: string;
  readonly network: Guid;
  /** At most one of each family; none where HNS chooses them. */
  readonly addresses: readonly IpAddress[];
  readonly version: HnsVersion;
  /** The node's address at which tunnels end, where the mode needs it. */
  readonly providerAddress?: string | undefined;
}

/** What of a pod decides on its policies. */
export type PolicyPod = Pick<PodEndpoint, "addresses" | "version" | "providerAddress">;

export interface PolicyJudgement {
  /** One line for each policy that is left out, or takes the place of ours. */
  readonly warnings: readonly string[];
  readonly faults: readonly Fault[];
}

/** A setting that this mode or this version of HNS cannot serve. */
export interface Unsupported {
  readonly field: string;
  readonly problem: string;
  readonly remedy: string;
}

/**
 * How one kind of network is made and pods are put on it: pure functions from the configuration to HNS's documents. The engine reads
 * this table and knows no kind itself.
 */
export interface Datapath {
  readonly mode: Mode;
  /** HNS's name of the network's type. */
  readonly type: string;
  /** The network is bound to a card of the node, over which HNS puts a virtual switch. */
  readonly isExternal: boolean;
  readonly needs: {
    /** Pods' endpoints need the node's address on the network. */
    readonly providerAddress: boolean;
    /** The network needs the HostRoute policy, so that the node reaches its pods. */
    readonly hostRoute: boolean;
    /** The network cannot be made without a subnet: nobody outside gives addresses. */
    readonly subnet: boolean;
  };
  gatewayMode(config: AttachableConfig): GatewayMode;
  /** What of the configuration cannot be done here, before anything is made; undefined when all can. */
  findUnsupported(config: AttachableConfig, version: HnsVersion): Unsupported | undefined;
  /**
   * With a version: as that HNS takes it; throws INVALID_CONFIG for a policy that it cannot apply. Without: as configured, to tell
   * configurations apart.
   */
  buildNetwork(config: AttachableConfig, version?: HnsVersion): NetworkDocument;
  /** What is to be said of the policies of pods and of the network, and which of them cannot be applied, before anything is made. */
  judgePolicies(config: AttachableConfig, version: HnsVersion): PolicyJudgement;
  /** What in `network` differs from the configuration, as "field is X, wanted Y"; empty when it can be used. */
  compareNetwork(network: NetworkView, config: AttachableConfig): string[];
  /** The gateway of the HNS network in the subnet of `address`; undefined when it has none. */
  networkGateway(config: AttachableConfig, address: IpAddress): IpAddress | undefined;
  /** The addresses of the node's own endpoint, one in each subnet; empty when there is none. */
  hostEndpointAddresses(config: AttachableConfig): IpAddress[];
  buildHostEndpoint(config: AttachableConfig, name: string, network: Guid): EndpointDocument;
  /** The default gateway of a pod that has `address`; undefined when it gets none. */
  podGateway(config: AttachableConfig, address: IpAddress): IpAddress | undefined;
  /**
   * The addresses that kube-proxy is to put on traffic which it balances, one a family; empty where it needs none. No pod ever gets them, and
   * they are the same whenever they are asked for.
   */
  sourceVips(config: AttachableConfig): IpAddress[];
  /** The prefix length of a pod's address. */
  podPrefix(config: AttachableConfig, address: IpAddress): number;
  /** The pod's routes: a default route for each family, then the others of these families. */
  podRoutes(config: AttachableConfig, addresses: readonly IpAddress[]): PodRoute[];
  /** A pod's endpoint with all its policies, so that the pod never runs with fewer rules than asked. */
  buildPodEndpoint(config: AttachableConfig, pod: PodEndpoint): EndpointDocument;
  /**
   * Ours and those of the configuration. Networks of a family the pod lacks are left out; so is the provider address when it is not given.
   * Throws INVALID_CONFIG for a policy that HNS of this version cannot apply.
   */
  buildPodPolicies(config: AttachableConfig, pod: PolicyPod): PolicyDocument[];
  /** The same without those that HNS cannot apply. Those that users wrote are the very documents of the configuration, where nothing was merged into them. */
  listPodPolicies(config: AttachableConfig, pod: PolicyPod): PolicyDocument[];
}
