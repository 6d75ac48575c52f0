/** Where nodes of a kind keep their configurations, and what is usual on them. Source: the node scripts and images of each cloud. */

export interface Layout {
  /** The name of the network that the nodes have, or would have. */
  readonly name: string;
  readonly serviceCidrs: readonly string[];
  readonly nameservers: readonly string[];
  /** Whose address the pods' gateway is on networks of the node's own layer 2. */
  readonly gatewayMode?: "ipam";
  /** The configuration and the program belong here. */
  readonly file: string;
  readonly binaries: string;
  /** ACLs that the cloud's own configuration has. */
  readonly policies?: readonly object[];
}

/** The node's fabric answers on this address; pods are kept from it, as AKS does it. */
const BLOCK_WIRE_SERVER = {
  name: "EndpointPolicy",
  value: {
    Type: "ACL",
    Settings: {
      Protocols: "6",
      Action: "Block",
      Direction: "Out",
      RemoteAddresses: "168.63.129.16/32",
      RemotePorts: "80",
      Priority: 200,
      RuleType: "Switch",
    },
  },
};

export const LAYOUTS = {
  plain: {
    name: "pods",
    serviceCidrs: ["10.96.0.0/12"],
    nameservers: ["10.96.0.10"],
    file: "%ProgramFiles%\\containerd\\cni\\conf\\10-pods.conflist",
    binaries: "%ProgramFiles%\\containerd\\cni\\bin",
  },
  aks: {
    name: "azure",
    serviceCidrs: ["10.0.0.0/16"],
    nameservers: ["10.0.0.10", "168.63.129.16"],
    gatewayMode: "ipam",
    file: "c:\\k\\azurecni\\netconf\\10-azure.conflist",
    binaries: "c:\\k\\azurecni\\bin",
    policies: [BLOCK_WIRE_SERVER],
  },
  eks: {
    name: "vpc",
    serviceCidrs: ["10.100.0.0/16"],
    nameservers: ["10.100.0.10"],
    gatewayMode: "ipam",
    file: "%ProgramData%\\Amazon\\EKS\\cni\\config\\10-vpc.conflist",
    binaries: "%ProgramFiles%\\Amazon\\EKS\\cni",
  },
  gke: {
    name: "l2bridge",
    serviceCidrs: ["10.96.0.0/12"],
    nameservers: ["10.96.0.10"],
    file: "C:\\etc\\kubernetes\\cni\\config\\10-l2bridge.conflist",
    binaries: "C:\\etc\\kubernetes\\cni",
  },
} as const satisfies Record<string, Layout>;

export type LayoutName = keyof typeof LAYOUTS;
